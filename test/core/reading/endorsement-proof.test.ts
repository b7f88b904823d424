import assert from 'node:assert/strict'
import {
  buildBlockProof,
  buildEndorsementProof,
  buildOperationProof,
  computeChunkId,
  cutChunks,
  formatBlockId,
  formatEndorsementId,
  formatPublicKey,
  toHex,
  verifyProof,
} from '../../../core/index.ts'
import { buildChunkProof } from '../../../core/reading/chunk-proof.ts'
import { formatProof } from '../../../core/reading/proof-form.ts'
import { assertCode, bend, call, endorsementIdOf, MadeHistory, makePeriod, PUBLIC_KEY } from './made-history.ts'

const period = makePeriod(9, { 0: [call(1, 5000)], 2: [call(2, 3000)], 30: [] })
const history = new MadeHistory([period])
const slot = { period: 9, thread: 2 }
const id = endorsementIdOf(slot)
const question = { kind: 'endorsement', id } as const

describe('core/reading: endorsements', () => {
  it('are proven by the head of a block that carries them, with both signatures', async () => {
    for (const { thread, id: blockId } of period.blocks) {
      const at = { period: 9, thread }
      const asked = { kind: 'endorsement', id: endorsementIdOf(at) } as const
      const proof = JSON.stringify(await buildEndorsementProof(history, at, asked.id))
      const { record, gaps, checks } = verifyProof(proof, asked, history.trusted)
      assert(record.kind === 'endorsement')
      assert.deepEqual([record.slot, formatBlockId(record.head.id), record.endorsement.index], [at, blockId, 4])
      assert.equal(toHex(record.endorsedBlock), toHex(new Uint8Array(33).fill(thread, 1)))
      assert.deepEqual(gaps, [])
      assert.deepEqual(
        checks.slice(-4).map(({ name, value }) => `${name}: ${value}`),
        [
          `endorsement-id: ${asked.id}`,
          `endorsement-signature: ${formatPublicKey(PUBLIC_KEY)}`,
          `header-signature: ${formatPublicKey(PUBLIC_KEY)}`,
          'operation-signatures: 0 of 0',
        ],
      )
    }
  })

  it('say so where their own signature does not verify: a header may carry such a one', () => {
    const body = period.body.slice()
    // The key of the producer comes first, then that of the endorser, behind his signature.
    const [hex, key] = [toHex(body), toHex(PUBLIC_KEY)]
    const at = hex.indexOf(key, hex.indexOf(key) + 2) / 2
    body.fill(9, at - 5, at - 4)
    const own = endorsementIdOf({ period: 9, thread: 0 })
    const chunks = cutChunks(body, 4096)
    const proof = formatProof({
      period: { ...period.manifest, chunks: chunks.map((chunk) => ({ chunkId: computeChunkId(chunk) })) },
      thread: 0,
      chunks: [buildChunkProof(chunks[0] ?? body, 0, [{ first: 0, count: 4 }])],
      era: null,
      seals: null,
    })
    const { gaps } = verifyProof(proof, { kind: 'endorsement', id: own })
    assert.deepEqual(gaps, ['era-root', 'trusted-root', 'endorsement-signature', 'signatures'])
  })

  it('refuses the right proof of another one, of its block and of an operation beside it', async () => {
    const proof = await buildEndorsementProof(history, slot, id)
    const other = { kind: 'endorsement', id: endorsementIdOf({ period: 9, thread: 0 }) } as const
    await assertCode('CORE_READING_ID_OTHER', () => verifyProof(proof, other, history.trusted))
    const ofBlock = await buildBlockProof(history, slot)
    await assertCode('CORE_READING_SIGNATURE_INVALID', () => verifyProof(ofBlock, question, history.trusted))
    const operationId = period.blocks[1]?.operationIds[0] ?? ''
    const ofOperation = await buildOperationProof(history, slot, operationId)
    await assertCode('CORE_READING_SIGNATURE_INVALID', () => verifyProof(ofOperation, question, history.trusted))
    const asOperation = { kind: 'operation', id: operationId } as const
    await assertCode('CORE_READING_LEAVES_MISSING', () => verifyProof(proof, asOperation, history.trusted))
    const unsigned = bend(proof, ({ seals }) => Object.assign(seals ?? {}, { header: '00'.repeat(64) }))
    await assertCode('CORE_READING_SIGNATURE_INVALID', () => verifyProof(unsigned, question, history.trusted))
    await assertCode('CORE_BASE58_INVALID', () => verifyProof(proof, { kind: 'endorsement', id: operationId }))
  })

  it('cannot be proven of a block that does not carry them', async () => {
    const unknown = formatEndorsementId(new Uint8Array(33))
    await assertCode('CORE_READING_ID_OTHER', () => buildEndorsementProof(history, slot, unknown))
    await assertCode('CORE_READING_SLOT_EMPTY', () => buildEndorsementProof(history, { period: 9, thread: 1 }, id))
  })
})
