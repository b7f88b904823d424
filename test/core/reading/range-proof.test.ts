import assert from 'node:assert/strict'
import {
  buildRangeProof,
  computeAddress,
  formatAddress,
  formatOperationId,
  type RangeProofJson,
  verifyAddressHistory,
} from '../../../core/index.ts'
import { assertCode, call, MadeHistory, makePeriod, PUBLIC_KEY } from './made-history.ts'

const made = [makePeriod(2, { 0: [call(1, 3000)], 4: [call(2, 5)] }, 1024), makePeriod(5, { 1: [call(3, 5)] })]
const history = new MadeHistory(made)
const range = { from: 1, to: 6 }
const question = { address: formatAddress(computeAddress(PUBLIC_KEY)), ...range }
const proof = await buildRangeProof(history, range)

type Mutable = { format: string; completeness: object; bodies: string[][] }

const LIES: Readonly<Record<string, readonly [Parameters<typeof assertCode>[0], (proof: Mutable) => unknown]>> = {
  'a body left out': ['CORE_READING_PERIODS_MISSING', ({ bodies }) => bodies.pop()],
  'a body too many': ['CORE_READING_PERIODS_MISSING', ({ bodies }) => bodies.push(bodies[0] ?? [])],
  'bodies of other periods': ['CORE_READING_CHUNK_INVALID', ({ bodies }) => bodies.reverse()],
  'a chunk left out': ['CORE_READING_CHUNK_INVALID', ({ bodies }) => bodies[0]?.pop()],
  'chunks out of order': ['CORE_READING_CHUNK_INVALID', ({ bodies }) => bodies[0]?.reverse()],
  'no chunk of a body': ['CORE_READING_CHUNK_INVALID', ({ bodies }) => bodies[0]?.splice(0)],
  'a chunk with one character changed': [
    'CORE_READING_CHUNK_INVALID',
    ({ bodies }) => bodies[0]?.splice(0, 1, (bodies[0][0] ?? '').replace(/^./, 'B')),
  ],
  'a chunk that is no text': ['CORE_READING_MALFORMED', ({ bodies }) => Object.assign(bodies[0] ?? [], [7])],
  'a certificate of another range': [
    'CORE_READING_SLOT_OTHER',
    async (lie) =>
      Object.assign(lie, { completeness: (await buildRangeProof(history, { from: 2, to: 6 })).completeness }),
  ],
  'another format': ['CORE_READING_MALFORMED', (lie) => Object.assign(lie, { format: 'massa-storage/range/2' })],
  'a field too many': ['CORE_READING_MALFORMED', (lie) => Object.assign(lie, { note: 1 })],
}

describe('core/reading/range-proof', () => {
  it('lists exactly what an address did, from the certificate and all bodies', () => {
    const { history: found, completeness } = verifyAddressHistory(JSON.stringify(proof), question, history.trusted)
    assert.deepEqual([found.scannedBodies, found.emptyPeriods, completeness.untrusted], [2, 4, 0])
    assert.deepEqual(
      found.operations.map(({ operation }) => formatOperationId(operation.id)),
      made.flatMap(({ blocks }) => blocks.flatMap(({ operationIds }) => operationIds)),
    )
    const other = { ...question, address: formatAddress(new Uint8Array(34)) }
    assert.deepEqual(verifyAddressHistory(proof, other, history.trusted).history.operations, [])
  })

  it('error: is not made of a period that is deleted meanwhile', async () => {
    let reads = 0
    const deleted = Object.assign(Object.create(history) as MadeHistory, {
      // Of the certificate, and no more.
      readManifest: async (period: number) => (period === 5 && reads++ > 0 ? undefined : history.manifestOf(period)),
    })
    await assertCode('CORE_READING_NOT_HELD', () => buildRangeProof(deleted, range))
  })

  for (const [name, [code, change]] of Object.entries(LIES)) {
    it(`refuses ${name}: ${code}`, async () => {
      const lie = structuredClone(proof) as unknown as Mutable
      await change(lie)
      await assertCode(code, () => verifyAddressHistory(lie, question, history.trusted))
    })
  }

  it('is not made where a chunk lacks', async () => {
    const source = new MadeHistory(made)
    source.readChunk = async () => undefined
    await assertCode('CORE_READING_NOT_HELD', () => buildRangeProof(source, range))
  })

  it('any bit changed anywhere: refused', () => {
    const text = JSON.stringify(proof satisfies RangeProofJson)
    for (let at = 0; at < text.length; at += 61) {
      const bent = Buffer.from(text)
      bent[at] = (bent[at] ?? 0) ^ (1 << (at % 7))
      assert.throws(() => verifyAddressHistory(bent.toString('latin1'), question, history.trusted), /./, `byte ${at}`)
    }
  })
})
