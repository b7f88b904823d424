import {
  buildBlockProof,
  buildEndorsementProof,
  buildMissProof,
  buildOperationProof,
  type ChunkStore,
  computeEndorsementHash,
  computePeriodRoot,
  concatBytes,
  formatBlockId,
  formatEndorsementId,
  formatOperationId,
  type Manifest,
  type Period,
  type ProofSource,
  parseBody,
  type Question,
  type Slot,
  toHex,
} from '../../core/index.ts'
import { nameNetwork, type ProofCase } from '../core/reading/second-implementation.ts'
import { readBody } from './archiver-holder.ts'

/** What can be asked about an archive, and where the answer stands. */
interface Asked {
  readonly question: Question
  readonly slot: Slot
}

/**
 * Proofs of blocks, operations, endorsements and slots without a block of a whole archive.
 *
 * @param count - at most so many, at equal distances in the list of all
 */
export async function makeRecordedCases(
  store: ChunkStore,
  periods: readonly Period[],
  count: number,
): Promise<ProofCase[]> {
  const asked: Asked[] = []
  const manifests = new Map<Period, Manifest>()
  for (const period of periods) {
    const [manifest, body] = await Promise.all([store.readManifest(period), readBody(store, period)])
    if (!manifest || !body) continue
    manifests.set(period, manifest)
    asked.push(...listQuestions(period, body))
  }
  const source: ProofSource = {
    readManifest: (period) => store.readManifest(period),
    readChunk: (period, index) => store.readChunk(period, index),
    readSeals: (period) => store.readSeals(period),
    readEra: async () => undefined,
  }
  const step = Math.max(1, asked.length / count)
  const cases: ProofCase[] = []
  for (let at = 0; at < asked.length; at += step) {
    const { question, slot } = asked[Math.floor(at)] ?? {}
    const manifest = slot && manifests.get(slot.period)
    if (!question || !manifest) continue
    const proof = await buildProof(source, question, slot)
    const trusted = {
      network: nameNetwork(manifest.network),
      periodRoots: { [slot.period]: toHex(computePeriodRoot(manifest)) },
    }
    cases.push({ proof: JSON.stringify(proof), question, trusted })
  }
  return cases
}

function listQuestions(period: Period, body: Uint8Array): Asked[] {
  return parseBody(body).slots.flatMap((shown, thread): Asked[] => {
    const slot = { period, thread }
    if (shown.kind !== 'block') return [{ question: { kind: 'slot-empty', slot }, slot }]
    const { id, operations, header } = shown.record
    const endorsedBlock = header.parents[thread] ?? new Uint8Array(33)
    const ofEndorsements = header.endorsements.map(({ publicKey, index }): Asked => {
      const hash = computeEndorsementHash(publicKey, { slot, index, endorsedBlock })
      return { question: { kind: 'endorsement', id: formatEndorsementId(concatBytes(Uint8Array.of(0), hash)) }, slot }
    })
    const ofOperations = operations.map((operation): Asked => {
      return { question: { kind: 'operation', id: formatOperationId(operation.id) }, slot }
    })
    return [
      { question: { kind: 'block', id: formatBlockId(id) }, slot },
      ...ofOperations,
      ...ofEndorsements.slice(0, 1),
    ]
  })
}

function buildProof(source: ProofSource, question: Question, slot: Slot) {
  if (question.kind === 'operation') return buildOperationProof(source, slot, question.id)
  if (question.kind === 'endorsement') return buildEndorsementProof(source, slot, question.id)
  return question.kind === 'slot-empty' ? buildMissProof(source, slot) : buildBlockProof(source, slot)
}
