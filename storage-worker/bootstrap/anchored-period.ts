import type { BackgroundCpuWork } from '../../archiver/cpu-pool.ts'
import {
  type ArchivedPeriod,
  CHUNK_SIZE_BYTES,
  computeHashSlot,
  computePeriodRoot,
  concatBytes,
  equalBytes,
  isArchiveError,
  type Manifest,
  type PeriodPart,
  type PeriodSummary,
  type SplitBody,
  type StoreIdentity,
  toHex,
  type VerifiedChunk,
  withLastLength,
} from '../../core/index.ts'
import type { PeerClient } from '../peers/peer-client.ts'
import { checkManifest } from '../period-part.ts'
import { computeSealsBytes, splitOwnBody, verifySeals } from '../sealed-body.ts'
import { assemblePeriod, attestNothing } from './assemble-period.ts'
import { makeEmptyPeriod, makeGenesisPeriod } from './made-period.ts'
import type { PacedPeers } from './paced-peers.ts'

/** What is to be held of a period: all of it, or a part. */
export type AnchoredPeriod =
  | { readonly whole: ArchivedPeriod }
  | {
      readonly part: PeriodPart
      readonly summary: Pick<PeriodSummary, 'period' | 'bodyBytes'>
      readonly absent: number
    }

/**
 * `absent`: nobody gives something that is to be held; `length`: the manifest says another length of the last chunk than its id;
 * `conflict`: what was anchored is nothing that an archive can hold.
 */
export type AnchoredFailure = 'absent' | 'length' | 'conflict'

export interface AnchoredPeriodOptions {
  readonly identity: StoreIdentity
  readonly isWanted: (hashSlot: number) => boolean
  /** What nobody gives is left out. */
  readonly mayLack: boolean
}

const VERDICTS = { true: 'right', forged: 'wrong', unreadable: 'unfit' } as const

/**
 * Fetches what is to be held of periods whose root is proven: every chunk is bound by it, so nobody need be believed. SEALS
 * come where all of BODY does, with every signature verified; to a chunk 0 alone they are fetched later (`ChunkPuller`).
 */
export class AnchoredPeriodSource {
  private readonly options: AnchoredPeriodOptions
  private readonly client: PeerClient
  private readonly asked: PacedPeers
  private readonly cpu: BackgroundCpuWork

  constructor(
    options: AnchoredPeriodOptions,
    modules: { readonly client: PeerClient; readonly asked: PacedPeers; readonly cpu: BackgroundCpuWork },
  ) {
    this.options = options
    this.client = modules.client
    this.asked = modules.asked
    this.cpu = modules.cpu
  }

  /**
   * @param proven.manifest - of the proven root, with the lengths of this archive for all chunks but the last
   * @param proven.isAddedUp - the lengths of all chunks of its era add up to the total that was anchored
   */
  async fetch(
    proven: { readonly manifest: Manifest; readonly isAddedUp: boolean },
    signal: AbortSignal,
  ): Promise<AnchoredPeriod | AnchoredFailure> {
    const { manifest: said } = proven
    const { isWanted, mayLack } = this.options
    const wanted = [...said.chunks.keys()].filter((index) => isWanted(this.hashSlotAt(said, index)))
    const made = this.make(said)
    if (made) return wanted.length === said.chunks.length ? { whole: made } : this.cutPart(made, wanted)
    const chunks = await this.fetchChunks(said, wanted, signal)
    if (!chunks) return 'conflict'
    const length = await this.findLength(said, chunks, signal)
    if (length === undefined && !proven.isAddedUp) return 'absent'
    const manifest = length === undefined ? said : withLastLength(said, length)
    // Who did not see the chunks may have believed lengths that add up: what is shown is true, and nobody is to blame.
    if (manifest !== said && !proven.isAddedUp) return 'length'
    if (!this.isCut(manifest)) return 'conflict'
    if (chunks.size < wanted.length && !mayLack) return 'absent'
    const parts = [...manifest.chunks.keys()].flatMap((index) => chunks.get(index)?.bytes ?? [])
    const isWhole = parts.length === manifest.chunks.length
    const body = isWhole ? splitOwnBody(concatBytes(...parts), manifest) : undefined
    if (isWhole && !body) return 'conflict'
    const seals = body && (await this.fetchSeals(manifest, body, signal))
    if (body && !seals && !mayLack) return 'absent'
    if (body && seals) return { whole: assemblePeriod(manifest, body, { chunks: parts, seals }) }
    return {
      part: {
        manifest,
        // Nobody says it, and a part of BODY does not either: it is counted when all of it comes.
        operations: 0,
        chunks,
        ...(chunks.has(0) && { executionResults: attestNothing(manifest) }),
      },
      summary: { period: manifest.period, bodyBytes: parts.reduce((sum, { length }) => sum + length, 0) },
      absent: wanted.length - chunks.size + (body ? 1 : 0),
    }
  }

  private isCut(manifest: Manifest): boolean {
    try {
      checkManifest(manifest, this.options.identity)
      return true
    } catch (error) {
      if (isArchiveError(error)) return false
      throw error
    }
  }

  /** What can be computed need not be fetched. */
  private make(manifest: Manifest): ArchivedPeriod | undefined {
    const { identity } = this.options
    const { period, bitmap } = manifest
    const candidates = bitmap === 0 ? [makeEmptyPeriod] : period === 0 ? [makeGenesisPeriod] : []
    const root = computePeriodRoot(manifest)
    return candidates.map((make) => make(identity, period)).find((made) => equalBytes(made.summary.root, root))
  }

  private cutPart(made: ArchivedPeriod, wanted: readonly number[]): AnchoredPeriod {
    const chunks = new Map<number, Uint8Array>()
    for (const index of wanted) chunks.set(index, made.chunks[index] ?? new Uint8Array())
    const bodyBytes = Array.from(chunks.values()).reduce((sum, { length }) => sum + length, 0)
    const head = chunks.has(0) ? { seals: made.seals, executionResults: made.executionResults } : {}
    const { operations, period } = made.summary
    return {
      part: { manifest: made.manifest, operations, chunks, ...head },
      summary: { period, bodyBytes },
      absent: 0,
    }
  }

  private hashSlotAt(manifest: Manifest, index: number): number {
    return computeHashSlot(manifest.chunks[index]?.chunkId ?? new Uint8Array(32))
  }

  /** Undefined when one before the last is not as long as this archive cuts: its id proves that. */
  private async fetchChunks(
    manifest: Manifest,
    wanted: readonly number[],
    signal: AbortSignal,
  ): Promise<Map<number, VerifiedChunk> | undefined> {
    const chunks = new Map<number, VerifiedChunk>()
    let areTrue = true
    await Promise.all(
      wanted.map(async (index) => {
        const entry = manifest.chunks[index]
        const chunk = entry && (await this.fetchChunk(manifest, entry.chunkId, signal))
        if (!chunk) return
        chunks.set(index, chunk)
        if (index < manifest.chunks.length - 1 && chunk.bytes.length !== entry.byteLength) areTrue = false
      }),
    )
    return areTrue ? chunks : undefined
  }

  private async fetchChunk({ period }: Manifest, chunkId: Uint8Array, signal: AbortSignal) {
    const answer = await this.asked.ask(
      {
        name: toHex(chunkId),
        period,
        send: (peer) => this.client.fetchChunk(peer, chunkId),
        sizeOf: ({ bytes }) => bytes.length,
      },
      signal,
    )
    return answer?.value
  }

  /** Of the last chunk, as its id proves it: the root does not bind it. Undefined when nobody shows it. */
  private async findLength(
    { period, chunks }: Manifest,
    fetched: ReadonlyMap<number, VerifiedChunk>,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    const last = chunks.at(-1)
    const chunk = fetched.get(chunks.length - 1)
    if (!last || chunk) return chunk?.bytes.length
    const answer = await this.asked.ask(
      {
        name: `length ${toHex(last.chunkId)}`,
        period,
        send: (peer) => this.client.fetchChunkLength(peer, last.chunkId),
        sizeOf: () => 1_024,
      },
      signal,
    )
    return answer?.value
  }

  /** The first SEALS of which every signature verifies: they stand under no root. */
  private async fetchSeals(manifest: Manifest, body: SplitBody, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const [first] = manifest.chunks
    if (!first) return undefined
    const answer = await this.asked.ask(
      {
        name: `seals ${toHex(first.chunkId)}`,
        period: manifest.period,
        send: (peer) => this.client.fetchSeals(peer, first.chunkId, computeSealsBytes(body)),
        sizeOf: (seals) => seals?.length ?? CHUNK_SIZE_BYTES,
        judge: async (seals) => (seals ? VERDICTS[await verifySeals(seals, body, this.cpu)] : 'wrong'),
      },
      signal,
    )
    return answer?.value
  }
}
