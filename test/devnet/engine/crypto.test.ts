import assert from 'node:assert/strict'
import { Args } from '@massalabs/massa-web3'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { blake3, ed25519PublicKey, ed25519Sign } from '#crypto'
import { computeAddress, concatBytes, formatAddress, formatPublicKey, formatSignature } from '../../../core/index.ts'
import { call, MAS, makeEngine, PROBE } from './engine-fixture.ts'
import { buildModule, leb } from './wasm-builder.ts'

const SEED = Buffer.alloc(32, 7)
const KEY = concatBytes(Uint8Array.of(0), ed25519PublicKey(SEED))

describe('devnet/engine: signatures', () => {
  const check = (text: string, signature: string, key: string) => {
    const engine = makeEngine()
    const parameter = new Args().addString(key).addString(text).addString(signature)
    const outcome = call(engine, engine.placeContract(PROBE, MAS), 'sig', parameter)
    assert.equal(outcome.error, undefined)
    return new Args(outcome.returned).nextBool()
  }
  const sign = (text: string) => {
    return formatSignature(concatBytes(Uint8Array.of(0), ed25519Sign(SEED, blake3(Buffer.from(text)))))
  }

  it('hold for the text that was signed, and for no other', () => {
    assert.equal(check('héllo', sign('héllo'), formatPublicKey(KEY)), true)
    assert.equal(check('hello', sign('héllo'), formatPublicKey(KEY)), false)
  })

  it('that are no signatures are false, not errors', () => {
    assert.equal(check('hello', 'nonsense', formatPublicKey(KEY)), false)
    assert.equal(check('hello', sign('hello'), 'nonsense'), false)
  })

  it('a public key gives its address', () => {
    const engine = makeEngine()
    const parameter = new Args().addString(formatPublicKey(KEY))
    const { returned } = call(engine, engine.placeContract(PROBE), 'key2addr', parameter)
    assert.equal(new Args(returned).nextString(), formatAddress(computeAddress(KEY)))
  })
})

describe('devnet/engine: Ethereum', () => {
  const secret = Buffer.alloc(32, 9)
  const message = Buffer.from('hello')
  const digest = keccak_256(Buffer.concat([Buffer.from(`\x19Ethereum Signed Message:\n${message.length}`), message]))
  const recovered = secp256k1.sign(digest, secret, { prehash: false, format: 'recovered' })
  const signature = Buffer.concat([recovered.subarray(1), Uint8Array.of(27 + (recovered[0] ?? 0))])
  const key = secp256k1.getPublicKey(secret, false)

  it('verifies, recovers the key, and computes the address', () => {
    assert.equal(run('evm_signature_verify', 'iii>i', [message, signature, key]).result, 1)
    assert.equal(run('evm_signature_verify', 'iii>i', [Buffer.from('hellO'), signature, key]).result, 0)
    assert.equal(run('evm_signature_verify', 'iii>i', [message, signature, key.subarray(1)]).result, 1)
    assert.deepEqual(run('evm_get_pubkey_from_signature', 'ii>i', [digest, signature]).buffer, Buffer.from(key))
    const address = Buffer.from(keccak_256(key.subarray(1))).subarray(12)
    assert.deepEqual(run('evm_get_address_from_pubkey', 'i>i', [key]).buffer, address)
  })

  it('error: refuses other lengths, other recovery numbers and the higher half', () => {
    const fail = (changed: Uint8Array) => run('evm_get_pubkey_from_signature', 'ii>i', [digest, changed]).error ?? ''
    assert.match(fail(signature.subarray(1)), /invalid signature length in evm_get_pubkey_from_signature$/)
    assert.match(fail(Buffer.concat([signature.subarray(0, 64), Uint8Array.of(26)])), /Invalid recovery ID$/)
    assert.match(fail(Buffer.concat([signature.subarray(0, 64), Uint8Array.of(29)])), /invalid recovery id value/)
    const order = secp256k1.Point.Fn.ORDER
    const high = (order - BigInt(`0x${signature.subarray(32, 64).toString('hex')}`)).toString(16).padStart(64, '0')
    const changed = Buffer.concat([signature.subarray(0, 32), Buffer.from(high, 'hex'), signature.subarray(64)])
    assert.match(fail(changed), /High-Order s Value are prohibited/)
  })
})

/** One host function with buffers for arguments; what it returns comes back as number and as the buffer at it. */
function run(
  name: string,
  type: string,
  values: readonly Uint8Array[],
): { readonly result: number; readonly buffer: Buffer; readonly error: string | undefined } {
  const places = values.map((_, i) => 256 * (i + 1))
  const data = values.flatMap((bytes, i) => [
    { at: (places[i] ?? 0) - 4, bytes: [bytes.length, 0, 0, 0] },
    { at: places[i] ?? 0, bytes: [...bytes] },
  ])
  const invoke = [...places.flatMap((place) => [0x41, ...leb(place)]), 0x10, 0]
  const allocator = [
    // i32.const 2044; local.get 0; i32.store; i32.const 2048
    { type: 'ii>i', export: '__new', code: [0x41, ...leb(2044), 0x20, 0, 0x36, 2, 0, 0x41, ...leb(2048)] },
  ]
  const build = (code: readonly number[]) =>
    buildModule({
      imports: [{ module: 'massa', name: `assembly_script_${name}`, type }],
      functions: [...allocator, { type: '>i', export: 'run', code }],
      data,
    })
  const engine = makeEngine()
  const asBuffer = call(engine, engine.placeContract(build(invoke)), 'run')
  // i32.const 4; i32.const 1020; i32.store (length); i32.const 1024; result; i32.store; i32.const 1024
  const store = [0x41, ...leb(1020), 0x41, 4, 0x36, 2, 0, 0x41, ...leb(1024), ...invoke, 0x36, 2, 0, 0x41, ...leb(1024)]
  const asNumber = call(engine, engine.placeContract(build(store)), 'run')
  const result = asNumber.success ? Buffer.from(asNumber.returned).readUInt32LE() : 0
  return { result, buffer: Buffer.from(asBuffer.returned), error: asNumber.error }
}
