import assert from 'node:assert/strict'
import {
  ByteReader,
  computeBodyBytes,
  concatBytes,
  formatBlockId,
  readBlockRecord,
  toHex,
  verifyProof,
} from '../../../core/index.ts'
import { buildChunkProof } from '../../../core/reading/chunk-proof.ts'
import { formatProof } from '../../../core/reading/proof-form.ts'
import { assertCode, bend, call, makeBlock, makePeriod, NETWORK, recordOperation } from './made-history.ts'

/*
 * A liar has the bytes of a block that never was archived inside the data of an operation, and proves that they stand in
 * BODY, as they do.
 */
describe('core/reading: a made up block inside an operation', () => {
  const slot = { period: 9, thread: 7 }
  const fake = makeBlock(slot, [recordOperation(call(66, 40))])
  const fakeId = formatBlockId(fake.id)
  const period = makePeriod(9, { 3: [call(1, padded())], 7: [call(5, 2)], 9: [] }, 1_048_576)
  const [chunk = new Uint8Array(0)] = period.chunks
  const leafCount = Math.ceil(chunk.length / 1024)
  const start = toHex(chunk).indexOf(toHex(fake.record)) / 2
  const firstLeaf = start / 1024
  const fakeLeaves = Math.ceil(fake.record.length / 1024)

  /** The block at a beginning of a leaf, wherever the operation comes to stand, and nothing but zeros around it. */
  function padded(): Uint8Array {
    const head = makePeriod(9, { 3: [call(1, new Uint8Array(8192).fill(0xee))] }, 1_048_576).body
    const begin = toHex(head).indexOf('ee'.repeat(100)) / 2
    const before = new Uint8Array((1024 - (begin % 1024)) % 1024)
    const used = before.length + fake.record.length
    return concatBytes(before, fake.record, new Uint8Array(8192 - used))
  }

  /** Everything that a liar may say of leaves that are authentic. */
  function lie(known: { first: number; count: number }[], thread = 7) {
    return formatProof({
      period: period.manifest,
      thread,
      chunks: [buildChunkProof(chunk, 0, known)],
      era: null,
      seals: { header: fake.signatures.subarray(0, 64), operations: [fake.signatures.subarray(64)] },
    })
  }

  const asked = { kind: 'block', id: fakeId } as const

  it('stands there, whole, authentic and signed: who looks at bytes at an offset alone takes it for a block', () => {
    assert(Number.isInteger(firstLeaf) && firstLeaf > 1)
    assert.equal(computeBodyBytes(period.manifest), chunk.length)
    const record = readBlockRecord(new ByteReader(chunk.subarray(start, start + fake.record.length)), NETWORK, slot)
    assert.equal(formatBlockId(record.id), fakeId)
  })

  it('is refused when its leaves alone are shown, with the beginning of BODY, or with all but what says what they are', async () => {
    const leaves = { first: firstLeaf, count: fakeLeaves }
    for (const known of [[leaves], [{ first: 0, count: 1 }, leaves], [{ first: 1, count: leafCount - 1 }]]) {
      await assertCode('CORE_READING_LEAVES_MISSING', async () => verifyProof(lie(known), asked))
    }
  })

  it('is refused when all of BODY is shown, whatever thread is named', async () => {
    for (let thread = 0; thread < 32; thread++) {
      const proof = lie([{ first: 0, count: leafCount }], thread)
      const code = [3, 7, 9].includes(thread) ? 'CORE_READING_ID_OTHER' : 'CORE_READING_SLOT_EMPTY'
      await assertCode(code, () => verifyProof(proof, asked))
    }
  })

  it('is refused when its leaves are said to stand where the walk looks for the block', async () => {
    const proof = lie([
      { first: 0, count: 1 },
      { first: firstLeaf, count: fakeLeaves },
    ])
    for (let leaf = 1; leaf + fakeLeaves <= leafCount; leaf++) {
      if (leaf === firstLeaf) continue
      const moved = bend(proof, ({ chunks }) => {
        const run = chunks[0]?.runs[1] ?? assert.fail('no run')
        run.firstLeaf = leaf
      })
      await assertCode('CORE_READING_CHUNK_INVALID', () => verifyProof(moved, asked))
    }
  })
})
