import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { decodeBase58Check, encodeBase58Check, isArchiveError, toHex } from '../../core/index.ts'

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'

describe('core/base58check', () => {
  it('encodes as plain long division does', () => {
    fc.assert(
      fc.property(dataWithZeros(), (data) => {
        assert.equal(encodeBase58Check(data), slowEncode(data))
      }),
    )
  })

  it('decodes what it encoded, of every length up to the longest text', () => {
    fc.assert(
      fc.property(dataWithZeros(), (data) => {
        assert.equal(toHex(decodeBase58Check(encodeBase58Check(data), data.length)), toHex(data))
      }),
    )
  })

  it('keeps what it decoded when others are decoded, and keeps each apart', () => {
    const signatures = Array.from({ length: 500 }, (_, i) => new Uint8Array(65).fill(i % 251))
    const decoded = signatures.map((signature) => decodeBase58Check(encodeBase58Check(signature), 65))
    for (const [i, signature] of signatures.entries())
      assert.equal(toHex(decoded[i] ?? signature.subarray(1)), toHex(signature))
    decoded[0]?.fill(255)
    assert.deepEqual(toHex(decoded[1] ?? new Uint8Array(0)), toHex(new Uint8Array(65).fill(1)))
  })

  it('refuses another length than the data has', () => {
    fc.assert(
      fc.property(dataWithZeros(), fc.integer({ min: 0, max: 90 }), (data, length) => {
        fc.pre(length !== data.length)
        assertRefused(encodeBase58Check(data), length)
      }),
    )
  })

  it('refuses any one character changed, added or left out', () => {
    const character = fc.constantFrom(...ALPHABET)
    fc.assert(
      fc.property(dataWithZeros(), fc.nat(), character, (data, at, other) => {
        const text = encodeBase58Check(data)
        const i = at % text.length
        if (text[i] !== other) assertRefused(text.slice(0, i) + other + text.slice(i + 1), data.length)
        assertRefused(text.slice(0, i) + text.slice(i + 1), data.length)
        assertRefused(`1${text}`, data.length)
      }),
    )
  })

  it('limit: reads 128 characters and refuses 129', () => {
    const data = Array.from({ length: 120 }, (_, i) => new Uint8Array(100 + (i >> 2)).fill(1, 100 + (i >> 2) - (i % 4)))
    const ofText = (length: number): Uint8Array =>
      data.find((one) => encodeBase58Check(one).length === length) ?? assert.fail(`no text of ${length}`)
    const [longest, tooLong] = [ofText(128), ofText(129)]
    assert.equal(toHex(decodeBase58Check(encodeBase58Check(longest), longest.length)), toHex(longest))
    assertRefused(encodeBase58Check(tooLong), tooLong.length)
  })

  it('limit: reads the largest numbers of every length exactly', () => {
    for (let length = 0; length <= 89; length++) {
      const data = new Uint8Array(length).fill(0xff)
      assert.equal(toHex(decodeBase58Check(slowEncode(data), length)), 'ff'.repeat(length))
    }
  })

  it('limit: a number that is one digit too large for its bytes is refused, up to the largest of the longest text', () => {
    for (let length = 4; length <= 128; length++) {
      const bytes = Math.floor((length * Math.log2(58)) / 8)
      assertRefused('z'.repeat(length), bytes - 4)
      assertRefused('z'.repeat(length), bytes - 3)
    }
  })

  it('refuses characters that are not ASCII', () => assertRefused('1\u0131\u4e00', 1))
})

function dataWithZeros(): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.nat(4), fc.uint8Array({ maxLength: 80 }))
    .map(([zeros, rest]) => Uint8Array.from([...new Array<number>(zeros).fill(0), ...rest]))
}

function slowEncode(data: Uint8Array): string {
  const hash = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()
  const whole = Buffer.concat([data, hash(hash(data)).subarray(0, 4)])
  let value = BigInt(`0x${whole.toString('hex')}`)
  let text = ''
  for (; value > 0n; value /= 58n) text = `${ALPHABET[Number(value % 58n)]}${text}`
  let zeros = 0
  while (zeros < whole.length && whole[zeros] === 0) zeros++
  return '1'.repeat(zeros) + text
}

function assertRefused(text: string, length: number): void {
  assert.throws(
    () => decodeBase58Check(text, length),
    (error) => isArchiveError(error, 'CORE_BASE58_INVALID'),
  )
}
