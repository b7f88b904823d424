import assert from 'node:assert/strict'
import { Args, ArrayTypes } from '@massalabs/massa-web3'
import {
  ARGUMENT_TYPES,
  decodeTyped,
  encodeRegistryCall,
  encodeRegistryViewArgs,
  encodeTypedArguments,
  findRegistryFunction,
  formatFunction,
  isArchiveError,
  parseArguments,
  REGISTRY_CALLS,
  REGISTRY_FUNCTION_NAMES,
  REGISTRY_VIEWS,
  toCamelCase,
  toHex,
} from '../../../core/index.ts'
import { makeWallet } from '../../devnet/node/face.ts'

const NODE = makeWallet('node').address
const HASH = 'ab'.repeat(32)

const isRefused = (error: unknown) => isArchiveError(error, 'CONTRACT_ARGUMENT_INVALID')

function known(name: string) {
  const found = findRegistryFunction(name)
  assert(found, name)
  return found
}

describe('core/registry/text-args', () => {
  it('finds every function of the registry by its name in camelCase and in snake_case', () => {
    const names = [...Object.keys(REGISTRY_VIEWS), ...Object.keys(REGISTRY_CALLS)]
    assert.deepEqual([...REGISTRY_FUNCTION_NAMES].sort(), names.sort())
    for (const name of names) {
      const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
      assert.equal(toCamelCase(snake), name)
      assert.equal(findRegistryFunction(snake)?.name, name)
      assert.equal(findRegistryFunction(name)?.name, name)
      assert.equal(findRegistryFunction(name)?.kind, Object.hasOwn(REGISTRY_VIEWS, name) ? 'view' : 'call')
    }
    for (const name of ['', 'getNode', 'GetNodeInfo', 'get__node_info', 'toString', '__proto__']) {
      assert.equal(findRegistryFunction(name), undefined)
    }
  })

  it('says a signature with its types, what may be left out in brackets', () => {
    assert.equal(
      formatFunction(known('register_storage_node')),
      'registerStorageNode(allocatedGb u64, [retentionPeriods u64], [stake u64])',
    )
    assert.equal(formatFunction(known('claimRewards')), 'claimRewards()')
    assert.equal(formatFunction(known('prune')), 'prune(kind challenge|period|vote, ids string[])')
    assert.match(formatFunction(known('anchorEra')), /root bytes, .*signatures bytes\[\]\)$/)
  })

  /** Texts, and the values that they stand for. */
  const CALLS: readonly (readonly [keyof typeof REGISTRY_CALLS, readonly string[], Record<string, unknown>])[] = [
    ['registerStorageNode', ['1'], { allocatedGb: 1n }],
    [
      'registerStorageNode',
      ['1', '2', '18446744073709551615'],
      { allocatedGb: 1n, retentionPeriods: 2n, stake: (1n << 64n) - 1n },
    ],
    ['setPaused', ['true'], { paused: true }],
    ['addChallenger', [NODE], { address: NODE }],
    ['prune', ['vote', 'a,b'], { kind: 'vote', ids: ['a', 'b'] }],
    ['prune', ['0', '["a,b"]'], { kind: 'challenge', ids: ['a,b'] }],
    [
      'issueChallenge',
      ['c1', NODE, HASH, '7', '0x00fF'],
      { challengeId: 'c1', nodeAddress: NODE, chunkId: HASH, nonce: 7n, evidence: Uint8Array.of(0, 255) },
    ],
    [
      'issueChallenges',
      ['a,b', NODE, `${HASH},${HASH}`, '[1,2]', ''],
      { challengeIds: ['a', 'b'], nodeAddress: NODE, chunkIds: [HASH, HASH], nonces: [1n, 2n], evidences: [] },
    ],
    ['updateNodeMetadata', ['', 'e', '', ''], { p2pAddrs: [], endpoint: 'e', location: '', operator: '' }],
    ['claimRewards', [], {}],
  ]
  for (const [name, texts, values] of CALLS) {
    it(`${name} ${texts.join(' ').slice(0, 40)}: texts become the values of its signature`, () => {
      const parsed = parseArguments(known(name), texts)
      assert.deepEqual(parsed, values)
      assert.equal(toHex(encodeRegistryCall(name, parsed as never)), toHex(encodeRegistryCall(name, values as never)))
    })
  }

  it('a view takes its arguments in the same way', () => {
    const parsed = parseArguments(known('get_nodes'), ['5', '50'])
    assert.deepEqual(parsed, { offset: 5n, limit: 50 })
    assert.equal(encodeRegistryViewArgs('getNodes', parsed as never).length, 12)
  })

  it('error: too few, too many, or of another type', () => {
    const cases: readonly (readonly [string, readonly string[]])[] = [
      ['getNodeInfo', []],
      ['getNodeInfo', [NODE, NODE]],
      ['claimRewards', ['1']],
      ['registerStorageNode', []],
      ['registerStorageNode', ['1', '2', '3', '4']],
      ...['-1', '18446744073709551616', '1.5', '1e3', '0x1', '', ' 1', 'one', '1_000', '9'.repeat(81)].map(
        (text) => ['registerStorageNode', [text]] as const,
      ),
      ['getNodes', ['0', '4294967296']],
      ...['True', '1', '', 'yes'].map((text) => ['setPaused', [text]] as const),
      ['prune', ['3', 'a']],
      ['prune', ['challenges', 'a']],
      ['submitProof', ['a', '0', '00']],
      ['submitProof', ['a', 'zz', '00']],
      ['issueChallenges', ['a', NODE, HASH, '[9007199254740993]']],
      ['issueChallenges', ['a', NODE, HASH, '[1']],
      ['issueChallenges', ['a', NODE, HASH, '[{}]']],
    ]
    for (const [name, texts] of cases) {
      assert.throws(() => parseArguments(known(name), texts), isRefused, `${name} ${texts.join(' ')}`)
    }
    assert.throws(() => parseArguments(known('getNodes'), ['0', 'x']), /limit: 'x' is not a u32, from 0 to 4294967295/)
    assert.throws(
      () => parseArguments(known('getNodeInfo'), []),
      /0 arguments given: the function is getNodeInfo\(address string\)/,
    )
  })

  /** Type and text, and the same in massa-web3. */
  const TYPED: readonly (readonly [string, Args, unknown])[] = [
    ['u8:255', new Args().addU8(255n), 255n],
    ['u16:65535', new Args().addU16(65_535n), 65_535n],
    ['u32:4294967295', new Args().addU32(4_294_967_295n), 4_294_967_295n],
    ['u64:18446744073709551615', new Args().addU64((1n << 64n) - 1n), (1n << 64n) - 1n],
    ['u128:340282366920938463463374607431768211455', new Args().addU128((1n << 128n) - 1n), (1n << 128n) - 1n],
    [`u256:${(1n << 256n) - 1n}`, new Args().addU256((1n << 256n) - 1n), (1n << 256n) - 1n],
    ['i8:-128', new Args().addI8(-128n), -128n],
    ['i16:-32768', new Args().addI16(-32_768n), -32_768n],
    ['i32:-2147483648', new Args().addI32(-2_147_483_648n), -2_147_483_648n],
    ['i64:-9223372036854775808', new Args().addI64(-(1n << 63n)), -(1n << 63n)],
    ['i64:9223372036854775807', new Args().addI64((1n << 63n) - 1n), (1n << 63n) - 1n],
    ['i128:-1', new Args().addI128(-1n), -1n],
    ['f32:1.5', new Args().addF32(1.5), 1.5],
    ['f64:-1e-3', new Args().addF64(-0.001), -0.001],
    ['bool:true', new Args().addBool(true), true],
    ['string:a:b é', new Args().addString('a:b é'), 'a:b é'],
    ['string:', new Args().addString(''), ''],
    ['bytes:00ff', new Args().addUint8Array(Uint8Array.of(0, 255)), Uint8Array.of(0, 255)],
    ['string[]:a,b', new Args().addArray(['a', 'b'], ArrayTypes.STRING), ['a', 'b']],
    ['u64[]:1,2', new Args().addArray([1n, 2n], ArrayTypes.U64), [1n, 2n]],
    ['u8[]:', new Args().addArray([], ArrayTypes.U8), []],
  ]
  for (const [argument, theirs, value] of TYPED) {
    it(`${argument.slice(0, 40)}: the same bytes as massa-web3's Args, which read back`, () => {
      const encoded = encodeTypedArguments([argument])
      assert.equal(toHex(encoded), toHex(theirs.serialize()))
      assert.deepEqual(decodeTyped(argument.slice(0, argument.indexOf(':')), encoded), value)
    })
  }

  it('several stand one after the other, raw bytes as they are, none is nothing', () => {
    const wanted = new Args().addU64(5n).addString('x').serialize()
    assert.equal(toHex(encodeTypedArguments(['u64:5', 'string:x', 'raw:0102'])), `${toHex(wanted)}0102`)
    assert.equal(encodeTypedArguments([]).length, 0)
  })

  it('limit: an integer at its bounds and one past them', () => {
    for (const type of ARGUMENT_TYPES) {
      const [, sign, bits = '0'] = /^([ui])(\d+)$/.exec(type) ?? []
      if (sign === undefined) continue
      const span = 1n << BigInt(bits)
      const [min, max] = sign === 'u' ? [0n, span - 1n] : [-span / 2n, span / 2n - 1n]
      for (const value of [min, max]) {
        assert.equal(decodeTyped(type, encodeTypedArguments([`${type}:${value}`])), value)
      }
      for (const value of [min - 1n, max + 1n]) {
        assert.throws(() => encodeTypedArguments([`${type}:${value}`]), isRefused, `${type}:${value}`)
      }
    }
  })

  it('error: an argument without a type, of no type, or not of its type', () => {
    for (const text of [
      '5',
      '',
      'u7:5',
      ':5',
      'u64[][]:1',
      'u64:',
      'bool:1',
      'bytes:0',
      'raw:xy',
      'f64:NaN',
      'f32:0x1',
      'f64:',
      'u8[]:1,256',
      'u8[]:1,',
      'toString:1',
      'U64:1',
    ]) {
      assert.throws(() => encodeTypedArguments([text]), isRefused, text)
    }
    assert.throws(() => encodeTypedArguments(['u8:1', 'u8:x']), /argument 2: 'x' is not a u8/)
    assert.throws(() => decodeTyped('u7', new Uint8Array()), isRefused)
    for (const [type, bytes] of [
      ['u64', 7],
      ['u64', 9],
      ['string', 3],
      ['f64', 4],
    ] as const) {
      assert.throws(
        () => decodeTyped(type, new Uint8Array(bytes)),
        (error) => isArchiveError(error, 'CORE_BYTES_INVALID'),
      )
    }
    assert.throws(
      () => decodeTyped('string', Uint8Array.of(1, 0, 0, 0, 0xff)),
      (error) => isArchiveError(error, 'CORE_BYTES_INVALID'),
    )
  })
})
