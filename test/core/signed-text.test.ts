import assert from 'node:assert/strict'
import {
  computeEraText,
  encodeSignatureArgument,
  formatPublicKey,
  formatSignature,
  isArchiveError,
  parseSignatureArgument,
  signText,
  verifyText,
} from '../../core/index.ts'

const SEED = new Uint8Array(32).fill(1)
const SIGNED = signText(SEED, 'a text')
const KEY = formatPublicKey(SIGNED.publicKey)
const SIGNATURE = formatSignature(SIGNED.signature)

describe('core/signed-text', () => {
  it('verifies what was signed and nothing else', () => {
    assert(verifyText('a text', SIGNED))
    assert(!verifyText('a text ', SIGNED))
    const { publicKey } = signText(new Uint8Array(32).fill(2), 'a text')
    assert(!verifyText('a text', { ...SIGNED, publicKey }))
  })

  it('writes `<public key>:<signature>` and reads it back', () => {
    const argument = encodeSignatureArgument(SIGNED)
    assert.equal(new TextDecoder().decode(argument), `${KEY}:${SIGNATURE}`)
    const { publicKey, signature } = parseSignatureArgument(argument)
    assert(verifyText('a text', { publicKey, signature }))
  })

  const bad = {
    'an empty text': '',
    'a key alone': KEY,
    'three parts': `${KEY}:${SIGNATURE}:`,
    'parts the other way round': `${SIGNATURE}:${KEY}`,
    'a space': `${KEY}: ${SIGNATURE}`,
    'a byte order mark': `\ufeff${KEY}:${SIGNATURE}`,
    'a signature a character short': `${KEY}:${SIGNATURE.slice(0, -1)}`,
    'a text of 300 bytes': `${KEY}:${SIGNATURE}`.padEnd(300, '1'),
  }
  for (const [name, text] of Object.entries(bad)) {
    it(`refuses ${name}`, () => {
      assert.throws(
        () => parseSignatureArgument(new TextEncoder().encode(text)),
        (error) => isArchiveError(error, 'CORE_SIGNATURE_INVALID'),
      )
    })
  }

  it('refuses bytes that are not UTF-8', () => {
    assert.throws(
      () => parseSignatureArgument(Uint8Array.of(0xff)),
      (error) => isArchiveError(error, 'CORE_SIGNATURE_INVALID'),
    )
  })
})

describe('core/era', () => {
  it('gives another text for each thing that differs', () => {
    const statement = {
      chainId: 77n,
      contract: 'AS1',
      era: 3,
      eraRoot: new Uint8Array(32),
      totalBytes: 5n,
      totalChunks: 2n,
      nextPlacementRoot: new Uint8Array(32),
    }
    const texts = [
      statement,
      { ...statement, chainId: 78n },
      { ...statement, contract: 'AS2' },
      { ...statement, era: 4 },
      { ...statement, eraRoot: new Uint8Array(32).fill(1) },
      { ...statement, totalBytes: 2n, totalChunks: 5n },
      { ...statement, nextPlacementRoot: new Uint8Array(32).fill(1) },
    ].map(computeEraText)
    assert.equal(new Set(texts).size, texts.length)
    for (const text of texts) assert.match(text, /^massa-storage\/era\/1:[0-9a-f]{64}$/)
  })
})
