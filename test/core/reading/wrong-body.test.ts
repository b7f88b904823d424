import assert from 'node:assert/strict'
import {
  computeChunkId,
  concatBytes,
  cutChunks,
  encodeOperationContent,
  formatOperationId,
  type Question,
  toHex,
  verifyProof,
} from '../../../core/index.ts'
import { buildChunkProof } from '../../../core/reading/chunk-proof.ts'
import { formatProof } from '../../../core/reading/proof-form.ts'
import { assertCode, call, lostOperation, makePeriod, recordOperation } from './made-history.ts'

/*
 * An archive made things up and has roots of its own for them: everything leads where it should, for a reader who trusts no root.
 */
interface Shown {
  readonly bitmap: number
  readonly body: Uint8Array
}

describe('core/reading: BODY that is none', () => {
  const period = makePeriod(9, { 0: [call(1, 10)], 2: [call(2, 10), lostOperation()] })
  const content = toHex(encodeOperationContent(call(2, 10)))

  /** Shows a BODY that is changed, all of it, as the proof of the block of thread 2, and verifies that. */
  function prove(
    change: (body: Uint8Array) => void,
    { bitmap, body: made }: Shown = { ...period.manifest, ...period },
    cut = (body: Uint8Array) => cutChunks(body, 4096),
    asked: Question = { kind: 'block-at', slot: { period: 9, thread: 2 } },
  ) {
    const body = made.slice()
    change(body)
    const cuts = cut(body)
    const chunks = cuts.map((chunk, index) =>
      buildChunkProof(chunk, index, [{ first: 0, count: Math.ceil(chunk.length / 1024) }]),
    )
    const entries = cuts.map((chunk) => ({ chunkId: computeChunkId(chunk) }))
    const proof = formatProof({
      period: { ...period.manifest, bitmap, chunks: entries },
      thread: 2,
      chunks,
      era: null,
      seals: null,
    })
    return verifyProof(proof, asked)
  }

  /** Finds hex in BODY. */
  function find(hex: string): number {
    const at = toHex(period.body).lastIndexOf(hex) / 2
    assert(Number.isInteger(at) && at > 0)
    return at
  }

  it('is what the changes below are made of: unchanged it verifies', () => {
    const { record, gaps } = prove(() => {})
    assert(record.kind === 'block')
    assert.deepEqual(gaps, ['era-root', 'trusted-root', 'reproducible-content', 'signatures'])
  })

  const headerHash = toHex(recordOperation(call(2, 10)).id)
  const CHANGES: Readonly<Record<string, (body: Uint8Array) => void>> = {
    'an operation that does not hash to its id': (body) => body.fill(9, find(content), find(content) + 1),
    'a list that does not hash to the header': (body) => body.fill(9, find(headerHash) + 5, find(headerHash) + 6),
    'a kind of operation that is not known': (body) => body.fill(3, find(content) - 35, find(content) - 34),
    'a slot flag that is not known': (body) => body.fill(3, body.length - 1).fill(3, 26, 27),
    'a miss where the bitmap has a block': (body) => body.fill(0, 26, 27),
    'another format': (body) => body.fill(2, 0, 1),
    'another network': (body) => body.fill(1, 8, 9),
    'another period': (body) => body.fill(8, 24, 25),
    'another number of threads': (body) => body.fill(31, 25, 26),
    'a head longer than any': (body) => body.fill(0xff, 27, 33),
    'a length that is not minimal': (body) => body.set([0x80, 0x00], 27),
    'a head that ends behind BODY': (body) => body.set([0xff, 0x7f], 27),
  }
  for (const [name, change] of Object.entries(CHANGES)) {
    it(`refuses ${name}`, async () => {
      await assertCode('CORE_READING_BODY_INVALID', () => prove(change))
    })
  }

  it('refuses a length that is not minimal, before a block that is right', async () => {
    const [low = 0, high = 0] = period.body.subarray(27, 29)
    assert(low > 0x7f && high < 0x80)
    const longer = Uint8Array.of(low, high | 0x80, 0)
    const body = concatBytes(period.body.subarray(0, 27), longer, period.body.subarray(29))
    await assertCode('CORE_READING_BODY_INVALID', () => prove(() => {}, { ...period.manifest, body }))
  })

  it('refuses an operation in a block of more operations than it lists, or of fewer', async () => {
    const id = formatOperationId(recordOperation(call(2, 10)).id)
    const claim = (count: number) =>
      prove((body) => body.fill(count, find(content) - 36, find(content) - 35), undefined, undefined, {
        kind: 'operation',
        id,
      })
    assert.equal(claim(2).record.kind, 'operation')
    for (const count of [1, 3]) await assertCode('CORE_READING_BODY_INVALID', () => claim(count))
  })

  it('refuses a bitmap that has other blocks than BODY', async () => {
    await assertCode('CORE_READING_BODY_INVALID', () =>
      prove(() => {}, { ...period, bitmap: period.manifest.bitmap | 2 }),
    )
    await assertCode('CORE_READING_BODY_INVALID', () =>
      prove(() => {}, { ...period, bitmap: period.manifest.bitmap & ~1 }),
    )
  })

  it('refuses chunks that are cut otherwise: one in the middle that is shorter, a last one that is longer, no whole leaves', async () => {
    const long = makePeriod(9, { 2: [call(1, 5000)] })
    const shown = { ...long.manifest, ...long }
    for (const ends of [[4096, 5120], [1024], [2000, 4000, 6000]]) {
      const cut = (body: Uint8Array) =>
        [0, ...ends].map((start, i) => body.subarray(start, ends[i] ?? body.length)).filter(({ length }) => length > 0)
      await assertCode('CORE_READING_CHUNK_INVALID', () => prove(() => {}, shown, cut))
    }
  })

  it('refuses a header of a version that may be signed otherwise', async () => {
    const newer = makePeriod(9, { 2: [] }, 4096, 2)
    await assertCode('CORE_READING_BODY_INVALID', () => prove(() => {}, { ...newer.manifest, ...newer }))
  })
})
