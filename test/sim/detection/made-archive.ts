import { createHash } from 'node:crypto'
import { type DrawChunk, type DrawEra, ERA_PERIODS, type Manifest, type PeriodSummary } from '../../../core/index.ts'
import { AUDIT_MARGIN_PERIODS } from '../../../storage-worker/replication/auditor.ts'
import { TEST_IDENTITY } from '../../storage-worker/synthetic-period.ts'
import type { SimRandom } from '../sim-random.ts'

const ERAS = 160
/** The periods between have nothing. */
const PERIOD_STEP = 4
export const ARCHIVE_CHUNKS = (ERAS * ERA_PERIODS) / PERIOD_STEP
const LEAST_CHUNK_BYTES = 60_000
const MOST_CHUNK_BYTES = 120_000

/** An archive of one chunk in every fourth period: all that its own drawing reads of one, and the chunks by era. */
export class MadeArchive {
  readonly eras: readonly DrawEra[]
  private readonly chunksOf = new Map<number, readonly DrawChunk[]>()
  private readonly summariesOf = new Map<number, readonly PeriodSummary[]>()
  private readonly manifests = new Map<number, Manifest>()
  /** By period. */
  readonly chunks: readonly DrawChunk[]

  constructor(random: SimRandom) {
    for (let era = 0; era < ERAS; era++) {
      const chunks = Array.from({ length: ERA_PERIODS / PERIOD_STEP }, (_, i): DrawChunk => {
        const period = era * ERA_PERIODS + i * PERIOD_STEP
        const chunkId = createHash('sha256').update(`chunk ${period}`).digest()
        return { period, index: 0, byteLength: random.between(LEAST_CHUNK_BYTES, MOST_CHUNK_BYTES), chunkId }
      })
      this.chunksOf.set(era, chunks)
      this.summariesOf.set(era, chunks.map(summarise))
      for (const { period, byteLength, chunkId } of chunks) {
        const manifest = { network: TEST_IDENTITY.network, period, bitmap: 1, chunks: [{ byteLength, chunkId }] }
        this.manifests.set(period, manifest)
      }
    }
    this.chunks = [...this.chunksOf.values()].flat()
    this.eras = Array.from(this.chunksOf, ([era, chunks]) => ({
      era,
      totalBytes: chunks.reduce((sum, { byteLength }) => sum + BigInt(byteLength), 0n),
    }))
  }

  listChunks(era: number): readonly DrawChunk[] {
    return this.chunksOf.get(era) ?? []
  }

  /** Younger periods, which are not asked for, have nothing. */
  async readRange() {
    return { first: 0, last: ERAS * ERA_PERIODS - 1 + AUDIT_MARGIN_PERIODS }
  }

  async *listSummaries({ from, to }: { from: number; to: number }): AsyncGenerator<PeriodSummary> {
    for (let era = Math.floor(from / ERA_PERIODS); era <= Math.floor(to / ERA_PERIODS); era++) {
      yield* this.summariesOf.get(era) ?? []
    }
  }

  async readManifest(period: number) {
    return this.manifests.get(period)
  }
}

function summarise({ period, byteLength }: DrawChunk): PeriodSummary {
  return { period, root: new Uint8Array(32), bodyBytes: byteLength, blocks: 1, operations: 0, chunks: 1 }
}
