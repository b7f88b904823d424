import assert from 'node:assert/strict'
import {
  type AnswerProofJson,
  buildBlockProof,
  buildMissProof,
  buildOperationProof,
  buildPeriodProof,
  computePeriodRoot,
  encodeBlockRecord,
  equalBytes,
  formatBlockId,
  formatOperationId,
  formatPublicKey,
  type Manifest,
  parseBody,
  type Question,
  toHex,
  verifyProof,
} from '../../../core/index.ts'
import { assertCode, call, lostOperation, MadeHistory, makePeriod, NETWORK } from './made-history.ts'

const MADE = {
  0: [call(1, 5000)],
  2: [call(2, 100), call(3, 3000), call(4, 10)],
  7: [lostOperation(), call(5, 2)],
  31: [],
}

function listChunkIds({ chunks }: Manifest): Uint8Array[] {
  return chunks.map(({ chunkId }) => chunkId)
}

/** Leaves that a proof shows. */
function countLeaves(proof: AnswerProofJson): number {
  const runs = proof.chunks.flatMap((chunk) => chunk.runs)
  return runs.reduce((sum, { bytes }) => sum + Math.ceil(Buffer.from(bytes, 'base64').length / 1024), 0)
}

describe('core/reading/verify-proof: what is true', () => {
  for (const [name, chunkSizeBytes] of Object.entries({
    'leaves of their own': 1024,
    'four leaves each': 4096,
    one: 1_048_576,
  })) {
    const period = makePeriod(9, MADE, chunkSizeBytes)
    const history = new MadeHistory([period])
    const { slots } = parseBody(period.body)
    const { trusted } = history

    it(`every block, by id and by slot, with all its operations and signatures (chunks: ${name})`, async () => {
      assert.equal(period.blocks.length, 4)
      for (const { thread, id } of period.blocks) {
        const slot = { period: 9, thread }
        const text = JSON.stringify(await buildBlockProof(history, slot))
        for (const question of [
          { kind: 'block', id },
          { kind: 'block-at', slot },
        ] as const) {
          const { record, trust, gaps } = verifyProof(text, question, trusted)
          assert(record.kind === 'block')
          const stands = slots[thread]
          assert(stands?.kind === 'block')
          assert.deepEqual(encodeBlockRecord(record.block), encodeBlockRecord(stands.record))
          assert.equal(formatBlockId(record.block.id), id)
          assert.deepEqual(record.slot, slot)
          assert.equal(record.seals?.operations.length, record.block.operations.length)
          assert.equal(trust, 'era-root')
          assert.deepEqual(gaps, thread === 7 ? ['reproducible-content'] : [])
        }
      }
    })

    it(`every operation, alone (chunks: ${name})`, async () => {
      for (const { thread, operationIds } of period.blocks) {
        for (const [position, id] of operationIds.entries()) {
          const proof = await buildOperationProof(history, { period: 9, thread }, id)
          const { record, bitmap, chunkIds, periodRoot } = verifyProof(proof, { kind: 'operation', id }, trusted)
          assert(record.kind === 'operation')
          const stands = slots[thread]
          assert(stands?.kind === 'block')
          assert.deepEqual(record.operation, stands.record.operations[position])
          assert.deepEqual([record.position, record.slot.thread], [position, thread])
          assert(equalBytes(record.head.id, stands.record.id))
          assert.equal(record.seals?.operations.length, 1)
          assert.equal(bitmap, period.manifest.bitmap)
          assert.deepEqual(chunkIds, listChunkIds(period.manifest))
          assert(equalBytes(periodRoot, computePeriodRoot(period.manifest)))
        }
      }
    })
  }

  const period = makePeriod(9, MADE)
  const history = new MadeHistory([period])
  const id = period.blocks[1]?.operationIds[1] ?? ''
  const slot = { period: 9, thread: 2 }

  it('every slot without a block, and every period', async () => {
    for (let thread = 0; thread < 32; thread++) {
      if (thread in MADE) continue
      const proof = await buildMissProof(history, { period: 9, thread })
      const { record } = verifyProof(proof, { kind: 'slot-empty', slot: { period: 9, thread } }, history.trusted)
      assert.deepEqual(record, { kind: 'slot-empty', slot: { period: 9, thread } })
    }
    for (const number of [0, 9, 127]) {
      const answer = verifyProof(
        await buildPeriodProof(history, number),
        { kind: 'period', period: number },
        history.trusted,
      )
      assert.deepEqual(answer.chunkIds, listChunkIds(history.manifestOf(number)))
      assert.equal(toHex(answer.era?.root ?? new Uint8Array(0)), toHex(history.eraRoot))
    }
  })

  it('shows of an operation what says where it stands, and no content of others that has leaves of its own', async () => {
    const leaves = Math.ceil(period.body.length / 1024)
    const [first, second] = period.blocks
    const counts = [
      await buildOperationProof(history, { period: 9, thread: 0 }, first?.operationIds[0] ?? ''),
      await buildOperationProof(history, slot, second?.operationIds[0] ?? ''),
      await buildOperationProof(history, slot, second?.operationIds[2] ?? ''),
    ].map(countLeaves)
    assert.deepEqual([leaves, ...counts], [14, 7, 4, 5])
  })

  it('reads the chunks that it shows and no other', async () => {
    const wide = makePeriod(9, { 0: [call(1, 9000)], 1: [call(2, 10)] })
    const read = new MadeHistory([wide])
    const proof = await buildOperationProof(read, { period: 9, thread: 1 }, wide.blocks[1]?.operationIds[0] ?? '')
    assert.deepEqual(
      read.reads,
      proof.chunks.map(({ index }) => `9/${index}`),
    )
    assert.equal(
      proof.chunks.some(({ index }) => index === 1),
      false,
    )
  })

  it('says what it checked, with the values', async () => {
    const proof = await buildOperationProof(history, slot, id)
    const { checks } = verifyProof(proof, { kind: 'operation', id }, history.trusted)
    const block = parseBody(period.body).slots[2]
    assert(block?.kind === 'block')
    const { publicKey, header } = block.record
    assert.deepEqual(
      checks.map(({ name, value }) => `${name}: ${value}`),
      [
        'network: 77/1705312800000',
        `period-root: ${toHex(computePeriodRoot(period.manifest))}`,
        `era-root: ${toHex(history.eraRoot)}`,
        'trusted-root: era-root',
        ...proof.chunks.map(
          ({ index }) => `chunk: ${toHex(history.manifestOf(9).chunks[index]?.chunkId ?? publicKey)}`,
        ),
        `block-id: ${period.blocks[1]?.id}`,
        `operation-list: 4 listed, ${toHex(header.operationsHash)}`,
        'position: thread 2, bytes 7958 to 11042 of BODY',
        `operation-id: ${id}`,
        'validity: until period 12',
        `header-signature: ${formatPublicKey(publicKey)}`,
        'operation-signatures: 1 of 1',
      ],
    )
  })

  it('tells what it could not check: signatures, an era that is not whole, a root that nobody vouches for', async () => {
    const bare = {
      readManifest: (number: number) => history.readManifest(number),
      readChunk: (number: number, index: number) => history.readChunk(number, index),
      readSeals: async () => undefined,
      readEra: async () => undefined,
    }
    const proof = await buildOperationProof(bare, slot, id)
    const question: Question = { kind: 'operation', id }
    const answer = verifyProof(proof, question)
    assert.deepEqual(
      [answer.gaps, answer.trust, answer.era],
      [['era-root', 'trusted-root', 'signatures'], 'none', undefined],
    )
    assert(answer.record.kind === 'operation' && answer.record.seals === undefined)
    const root = computePeriodRoot(period.manifest)
    const known = verifyProof(proof, question, { findPeriodRoot: () => root })
    assert.deepEqual([known.gaps, known.trust], [['era-root', 'signatures'], 'period-root'])
  })

  it('an id that a block does not list, a slot that has a block or none, and what is not held cannot be proven', async () => {
    const other = formatOperationId(new Uint8Array(33))
    await assertCode('CORE_READING_ID_OTHER', () => buildOperationProof(history, slot, other))
    await assertCode('CORE_READING_SLOT_TAKEN', () => buildMissProof(history, slot))
    await assertCode('CORE_READING_SLOT_EMPTY', () => buildBlockProof(history, { period: 9, thread: 1 }))
    await assertCode('CORE_READING_SLOT_EMPTY', () => buildOperationProof(history, { period: 9, thread: 1 }, id))
    await assertCode('CORE_READING_NOT_HELD', () => buildPeriodProof(history, 128))
    const holes = new MadeHistory([period])
    holes.readChunk = async () => undefined
    await assertCode('CORE_READING_NOT_HELD', () => buildBlockProof(holes, slot))
    holes.readChunk = async (number, index) => (await history.readChunk(number, index))?.subarray(0, 100)
    await assertCode('CORE_READING_NOT_HELD', () => buildBlockProof(holes, slot))
    holes.readChunk = (number, index) => history.readChunk(number, index)
    holes.readSeals = async () => new Uint8Array(100)
    await assertCode('CORE_SEALS_INVALID', () => buildBlockProof(holes, slot))
  })

  it('a reader who names no network is told which one it is', async () => {
    const proof = await buildPeriodProof(history, 9)
    assert.deepEqual(verifyProof(proof, { kind: 'period', period: 9 }).network, NETWORK)
  })
})
