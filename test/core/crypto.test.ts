import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { ed25519 } from '@noble/curves/ed25519.js'
import fc from 'fast-check'
import * as browser from '../../core/crypto-browser.ts'
import * as node from '../../core/crypto-node.ts'
import { concatBytes, fromHex, toHex, verifySignature, verifyZip215 } from '../../core/index.ts'
import { VectorCase } from './vector-case.ts'

// Does not compile unless both have exactly the same shape.
const implementations: Readonly<Record<string, typeof node & typeof browser>> = {
  'core/crypto-node': node satisfies typeof browser,
  'core/crypto-browser': browser satisfies typeof node,
}

const L = 2n ** 252n + 27742317777372353535851937790883648493n
const P = 2n ** 255n - 19n
const SEED = fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60')
const PUBLIC_KEY = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'

/** y of the points of small order, canonical; with either sign bit, and plus p where that still fits, that is all encodings. */
const SMALL_ORDER_Y = [
  0n,
  1n,
  P - 1n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
]

describe('core/crypto', () => {
  for (const [name, crypto] of Object.entries(implementations)) describe(name, () => suite(crypto))

  it('both give the same hashes and signatures for anything', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.uint8Array({ minLength: 32, maxLength: 32 }), (data, seed) => {
        assert.equal(toHex(node.sha256(data)), toHex(browser.sha256(data)))
        for (const { sha256, sha256Into } of [node, browser]) {
          const target = concatBytes(data, new Uint8Array(40).fill(7))
          const want = target.slice()
          want.set(sha256(data), 5)
          sha256Into(target.subarray(0, data.length), target, 5)
          assert.equal(toHex(target), toHex(want))
        }
        assert.equal(toHex(node.blake3(data)), toHex(browser.blake3(data)))
        assert.equal(toHex(node.shake128(data, 200)), toHex(browser.shake128(data, 200)))
        assert.equal(toHex(node.ed25519PublicKey(seed)), toHex(browser.ed25519PublicKey(seed)))
        assert.equal(toHex(node.ed25519Sign(seed, data)), toHex(browser.ed25519Sign(seed, data)))
      }),
      { numRuns: 30 },
    )
  })

  it('both judge every mix of points of small order, odd encodings and scalars alike; ZIP-215 accepts those and more', () => {
    const points = smallOrderEncodings()
    assert.equal(points.length, 14)
    for (const point of points) assert(ed25519.Point.fromBytes(point, true).isSmallOrder())
    const message = fromHex('00ff')
    let strict = 0
    let onlyZip215 = 0
    for (const key of points) {
      for (const r of points) {
        for (const s of [0n, 1n, L - 1n, L, L + 1n]) {
          const signature = new Uint8Array([...r, ...littleEndian(s)])
          const verdict = node.ed25519Verify(key, message, signature)
          assert.equal(browser.ed25519Verify(key, message, signature), verdict, `${toHex(key)} ${toHex(signature)}`)
          const loose = verifyZip215(key, message, signature)
          assert(!verdict || loose)
          if (verdict) strict++
          if (loose && !verdict) onlyZip215++
          assert.equal(verifySignature(prefixed(key), message, prefixed(signature)), loose)
        }
      }
    }
    assert(strict > 0 && onlyZip215 > 0, `${strict} ${onlyZip215}`)
  })

  it('only ZIP-215 accepts a signature whose R is off by a point of small order', () => {
    const message = Uint8Array.of(1)
    const { Point, utils } = ed25519
    const { scalar, pointBytes } = utils.getExtendedPublicKey(SEED)
    const r = 123_456_789n
    for (const encoded of smallOrderEncodings()) {
      const off = Point.fromBytes(encoded, true)
      const point = Point.BASE.multiply(r).add(off).toBytes()
      const k = fromLittleEndian(createHash('sha512').update(point).update(pointBytes).update(message).digest()) % L
      const signature = new Uint8Array([...point, ...littleEndian((r + k * scalar) % L)])
      assert(verifyZip215(pointBytes, message, signature))
      assert(verifySignature(prefixed(pointBytes), message, prefixed(signature)))
      for (const { ed25519Verify } of [node, browser]) {
        assert.equal(ed25519Verify(pointBytes, message, signature), off.equals(Point.ZERO))
      }
    }
  })
})

function suite(crypto: typeof node): void {
  it('SHA-256 and BLAKE3 of all vectors', () => {
    for (const area of ['sha256', 'blake3'] as const) {
      for (const vector of readVectors(area)) {
        assert.equal(toHex(crypto[area](vector.bytes('data'))), vector.text('want'), vector.text('desc'))
      }
    }
  })

  it('SHAKE128 of the empty text, and any length is the beginning of a longer one', () => {
    const empty = toHex(crypto.shake128(new Uint8Array(0), 32))
    assert.equal(empty, '7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26')
    const long = toHex(crypto.shake128(Uint8Array.of(1), 500))
    for (const length of [1, 167, 168, 169, 400]) {
      assert.equal(toHex(crypto.shake128(Uint8Array.of(1), length)), long.slice(0, 2 * length))
    }
  })

  it('Ed25519 of RFC 8032, test 1', () => {
    assert.equal(toHex(crypto.ed25519PublicKey(SEED)), PUBLIC_KEY)
    const signature = crypto.ed25519Sign(SEED, new Uint8Array(0))
    assert(toHex(signature).startsWith('e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155'))
    assert(crypto.ed25519Verify(fromHex(PUBLIC_KEY), new Uint8Array(0), signature))
    assert(!crypto.ed25519Verify(fromHex(PUBLIC_KEY), Uint8Array.of(0), signature))
  })

  it('Ed25519 of messages of 31, 32 and 33 bytes, one after another: each of its own signature alone', () => {
    const messages = [31, 32, 33, 32].map((length, i) => new Uint8Array(length).fill(i))
    const signatures = messages.map((message) => crypto.ed25519Sign(SEED, message))
    for (const [i, message] of messages.entries()) {
      for (const [j, signature] of signatures.entries()) {
        assert.equal(crypto.ed25519Verify(fromHex(PUBLIC_KEY), message, signature), i === j)
      }
    }
  })

  it('Ed25519 of all vectors: S >= L, small order, not canonical, wrong lengths', () => {
    for (const vector of readVectors('ed25519')) {
      const verdict = crypto.ed25519Verify(
        vector.bytes('publicKey'),
        vector.bytes('message'),
        vector.bytes('signature'),
      )
      assert.equal(verdict, vector.json('want'), vector.text('desc'))
    }
  })

  it('refuses S + L, which would make a second signature of one thing', () => {
    const signature = crypto.ed25519Sign(SEED, Uint8Array.of(1))
    const s = fromLittleEndian(signature.subarray(32)) + L
    const second = new Uint8Array([...signature.subarray(0, 32), ...littleEndian(s)])
    assert(!crypto.ed25519Verify(fromHex(PUBLIC_KEY), Uint8Array.of(1), second))
    assert(!verifyZip215(fromHex(PUBLIC_KEY), Uint8Array.of(1), second))
  })

  it('says false, and never throws, for input of any length', () => {
    const bytes = fc.uint8Array({ maxLength: 70 })
    fc.assert(
      fc.property(bytes, bytes, bytes, (key, message, signature) => {
        assert.equal(crypto.ed25519Verify(key, message, signature), false)
      }),
    )
  })

  it('keeps a hash when the next one is made', () => {
    const first = crypto.blake3(Uint8Array.of(1))
    const [text, other] = [toHex(first), crypto.sha256(Uint8Array.of(1))]
    const otherText = toHex(other)
    crypto.blake3(Uint8Array.of(2))
    crypto.sha256(Uint8Array.of(2))
    assert.equal(toHex(first), text)
    assert.equal(toHex(other), otherText)
  })
}

function readVectors(area: string): VectorCase[] {
  const folder = new URL(`../vectors/${area}/`, import.meta.url)
  return readdirSync(folder).map((file) => new VectorCase(JSON.parse(readFileSync(new URL(file, folder), 'utf8'))))
}

function smallOrderEncodings(): Uint8Array[] {
  const ys = SMALL_ORDER_Y.flatMap((y) => (y + P < 1n << 255n ? [y, y + P] : [y]))
  return ys.flatMap((y) => [littleEndian(y), littleEndian(y | (1n << 255n))])
}

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn))
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
}

function prefixed(bytes: Uint8Array): Uint8Array {
  return new Uint8Array([0, ...bytes])
}
