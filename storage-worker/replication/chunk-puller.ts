import type { BackgroundCpuWork } from '../../archiver/cpu-pool.ts'
import { isBug, isStoreFailure, StoreWatch } from '../../archiver/store-watch.ts'
import {
  type ArchiveError,
  type ChunkStore,
  type Clock,
  computeBodyBytes,
  computeHashSlot,
  concatBytes,
  ERA_PERIODS,
  type Holding,
  type Manifest,
  type ManifestChunk,
  type Period,
  type SplitBody,
  type VerifiedChunk,
  withLastLength,
} from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import { fetchTrueSeals } from '../peers/fetch-true-seals.ts'
import type { PeerClient } from '../peers/peer-client.ts'
import { splitOwnBody } from '../sealed-body.ts'
import { ByteBudget } from './byte-budget.ts'
import type { PeriodSpan } from './claimant.ts'
import type { Work } from './peer-choice.ts'
import { PeerSearch } from './peer-search.ts'

/** Asked for and not yet on disk: as much as two peers send at a time. */
const MAX_BYTES_IN_FLIGHT = 16 * 1_048_576
/** Of small chunks no more than so many batches: each that waits for its turn looks again when a request ends. */
const MAX_BATCHES_IN_FLIGHT = 64
/** Written at once. */
const MAX_BATCH_BYTES = 4 * 1_048_576
const NOTHING: BatchResult = { pulled: 0, pulledBytes: 0, bytes: 0, unsealed: undefined }

export interface WantedChunk {
  readonly period: Period
  readonly index: number
}

export interface PullResult {
  /** Chunks that are on disk now. */
  readonly pulled: number
  /** Of these and of SEALS that came with them. */
  readonly bytes: number
  /** Chunks that nobody gave, or that could not be written, and each chunk 0 that is there while its SEALS did not come. */
  readonly failed: number
  /** Of these, but for those of damaged periods. */
  readonly failedBytes: number
}

/** Who may have a chunk. */
export interface ChunkSources {
  /** Of `HolderClaims`: addresses of nodes that say they hold the chunks of this hash slot in this era. */
  listClaimants(hashSlot: number, era: number, periods: PeriodSpan): readonly string[]
  /** Of `HolderClaims`: PeerId text while connected. */
  peerOf(address: string): string | undefined
  /** Connected peers, each with the periods [firstPeriod, endPeriod) that it says it has something of. */
  listPeers(): readonly { readonly peer: string; readonly firstPeriod: Period; readonly endPeriod: Period }[]
}

export interface ChunkPullerModules {
  readonly store: Pick<ChunkStore, 'readManifest' | 'readHolding' | 'readChunk' | 'writePart'>
  readonly client: Pick<PeerClient, 'fetchChunk' | 'fetchSeals'>
  readonly sources: ChunkSources
  /** A peer gave forged SEALS, or those of another BODY. */
  readonly onWrong: (peer: string) => void
  readonly cpu: BackgroundCpuWork
  readonly clock: Clock
  /** A whole number from 0 to below `maxExclusive`. */
  readonly random: (maxExclusive: number) => number
  readonly log: Logger
}

/** Chunks of one period that are written together. */
interface Batch {
  readonly manifest: Manifest
  readonly operations: number
  /** Empty: SEALS alone. */
  readonly wanted: readonly { readonly index: number; readonly chunk: ManifestChunk }[]
  /** With `wanted` all of BODY is here: SEALS can be verified at once. */
  readonly completes: boolean
  readonly sizeBytes: number
  /** Of memory, while it is in work. */
  readonly memoryBytes: number
  /** How many say that they hold the chunk that fewest do. */
  readonly claimants: number
}

interface BatchResult {
  readonly pulled: number
  readonly pulledBytes: number
  /** With SEALS. */
  readonly bytes: number
  /** Chunk 0 is there and its SEALS are not: they were looked for in vain, or were not yet. */
  readonly unsealed: 'failed' | 'later' | undefined
}

/** Where a batch is looked for. */
interface Sources extends Work {
  readonly peers: readonly string[]
}

/**
 * Fetches chunks of visible periods from other sidecars: by the manifest that stands here, so that what is not authentic
 * never comes to the disk. SEALS come with chunk 0, once every one of their signatures has been verified. That takes all of
 * BODY: what this node does not hold of it is fetched for that alone, and not written.
 *
 * Those that fewest peers hold come first. What cannot be had now is left for another time.
 */
export class ChunkPuller {
  private readonly modules: ChunkPullerModules
  private readonly search: PeerSearch
  private readonly budget = new ByteBudget(MAX_BYTES_IN_FLIGHT)
  private readonly watch: StoreWatch
  private readonly stopping = new AbortController()
  private readonly underWay = new Set<Promise<unknown>>()

  constructor(modules: ChunkPullerModules) {
    const { clock, random, log } = modules
    this.modules = modules
    this.search = new PeerSearch({
      clock,
      random,
      onFailure: (peer, error) => log.debug({ peerId: peer, err: error }, 'peer did not give a chunk'),
    })
    this.watch = new StoreWatch(
      { failed: 'chunks of other sidecars cannot be stored', again: 'chunks of other sidecars can be stored again' },
      log,
    )
  }

  /** Why nothing is stored at the moment although peers have it, if so. */
  get failing(): ArchiveError | undefined {
    return this.watch.failing
  }

  /** Ends pulls; what is fetched by then and not yet being written is let go. */
  async stop(): Promise<void> {
    this.stopping.abort()
    await Promise.allSettled(this.underWay)
  }

  /**
   * Fetches and writes what is wanted and not held; periods that are not visible here are passed over, and so are those
   * of which something is damaged: that is for scrub and verify.
   *
   * A store that has no room, or cannot be written, ends the pull. @throws a bug
   */
  pull(wanted: readonly WantedChunk[]): Promise<PullResult> {
    const pull = this.run(wanted)
    this.underWay.add(pull)
    const forget = (): boolean => this.underWay.delete(pull)
    pull.then(forget, forget)
    return pull
  }

  private async run(wanted: readonly WantedChunk[]): Promise<PullResult> {
    const { batches, unread } = await this.plan(wanted)
    const total = { pulled: 0, bytes: 0, failed: unread, failedBytes: 0 }
    const ending = new AbortController()
    const signal = AbortSignal.any([this.stopping.signal, ending.signal])
    const ended = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined)))
    const bugs: unknown[] = []
    const unsealed: Batch[] = []
    const pullOne = async (batch: Batch): Promise<void> => {
      const isSealsAlone = batch.wanted.length === 0
      let result: BatchResult = isSealsAlone ? { ...NOTHING, unsealed: 'failed' } : NOTHING
      try {
        if (!signal.aborted) result = await this.pullBatch(batch, { signal, ended })
      } catch (error) {
        if (isBug(error)) bugs.push(error)
        else if (isStoreFailure(error) && error.kind === 'transient') this.watch.onError(error)
        else return this.onDamage(batch.manifest.period, error)
        ending.abort()
      } finally {
        total.pulled += result.pulled
        total.bytes += result.bytes
        total.failed += batch.wanted.length - result.pulled + Number(result.unsealed === 'failed')
        total.failedBytes += batch.sizeBytes - result.pulledBytes
        if (result.unsealed === 'later') unsealed.push(sealsOf(batch.manifest, batch.operations))
      }
    }
    const pullAll = async (some: readonly Batch[]): Promise<void> => {
      const running: Promise<void>[] = []
      for (const batch of some) {
        const leastBytes = MAX_BYTES_IN_FLIGHT / MAX_BATCHES_IN_FLIGHT
        const giveBack = await this.budget.take(Math.max(batch.memoryBytes, leastBytes))
        running.push(pullOne(batch).finally(giveBack))
      }
      await Promise.all(running)
    }
    await pullAll(batches.filter(({ wanted: chunks }) => chunks.length > 0))
    // Behind the chunks: what came of BODY need not be fetched twice.
    await pullAll([...batches.filter(({ wanted: chunks }) => chunks.length === 0), ...unsealed])
    if (bugs.length > 0) throw bugs[0]
    return total
  }

  /** What is missing of `wanted`, in batches; those first that fewest say they hold. `unread`: chunks of damaged periods. */
  private async plan(wanted: readonly WantedChunk[]): Promise<{ readonly batches: Batch[]; readonly unread: number }> {
    const { store } = this.modules
    const byPeriod = new Map<Period, Set<number>>()
    for (const { period, index } of wanted) {
      const indexes = byPeriod.get(period)
      if (indexes) indexes.add(index)
      else byPeriod.set(period, new Set([index]))
    }
    const batches: Batch[] = []
    let unread = 0
    for (const [period, indexes] of byPeriod) {
      if (this.stopping.signal.aborted) break
      try {
        const manifest = await store.readManifest(period)
        const holding = manifest && (await store.readHolding(period))
        if (holding) batches.push(...this.cutBatches(manifest, holding, indexes))
      } catch (error) {
        if (isBug(error)) throw error
        unread += indexes.size
        this.onDamage(period, error)
      }
    }
    return { batches: batches.sort((a, b) => a.claimants - b.claimants), unread }
  }

  private cutBatches(manifest: Manifest, holding: Holding, indexes: ReadonlySet<number>): Batch[] {
    const { operations, hasSeals, missingChunks } = holding
    const batches: Batch[] = []
    let wanted: { index: number; chunk: ManifestChunk; claimants: number }[] = []
    let sizeBytes = 0
    const cut = (): void => {
      const claimants = Math.min(...wanted.map((each) => each.claimants))
      const completes = wanted[0]?.index === 0 && !hasSeals && wanted.length === missingChunks.length
      const memoryBytes = completes ? computeBodyBytes(manifest) : sizeBytes
      if (wanted.length > 0) {
        batches.push({ manifest, operations, wanted, completes, sizeBytes, memoryBytes, claimants })
      }
      wanted = []
      sizeBytes = 0
    }
    for (const index of missingChunks) {
      const chunk = indexes.has(index) ? manifest.chunks[index] : undefined
      if (!chunk) continue
      if (sizeBytes + chunk.byteLength > MAX_BATCH_BYTES) cut()
      wanted.push({ index, chunk, claimants: this.listClaimants(manifest, chunk).length })
      sizeBytes += chunk.byteLength
    }
    cut()
    if (indexes.has(0) && lacksSealsAlone(holding)) batches.push(sealsOf(manifest, operations))
    return batches
  }

  private async pullBatch(batch: Batch, work: Work): Promise<BatchResult> {
    const { store, sources } = this.modules
    const { manifest, operations, wanted } = batch
    const { period } = manifest
    const peers = sources.listPeers().filter((peer) => peer.firstPeriod <= period && period < peer.endPeriod)
    const place = { peers: peers.map(({ peer }) => peer), ...work }
    const chunks = new Map<number, VerifiedChunk>()
    await Promise.all(
      wanted.map(async ({ index, chunk }) => {
        const found = await this.fetchChunk(manifest, chunk, place)
        if (found) chunks.set(index, found)
      }),
    )
    const isSealsAlone = wanted.length === 0
    const isTime = isSealsAlone || (batch.completes && chunks.size === wanted.length)
    const seals = isTime ? await this.findSeals(manifest, chunks, place) : undefined
    if (place.signal.aborted || (chunks.size === 0 && !seals)) {
      return isSealsAlone ? { ...NOTHING, unsealed: 'failed' } : NOTHING
    }
    // Deleted meanwhile, it would come back with nothing but this.
    if (!(await store.readManifest(period))) return NOTHING
    // So would SEALS of a chunk 0 that went.
    if (isSealsAlone && (await store.readHolding(period))?.missingChunks[0] === 0) return NOTHING
    await store.writePart({ manifest, operations, chunks, ...(seals && { seals }) })
    this.watch.onSuccess()
    const pulledBytes = Array.from(chunks.values()).reduce((sum, { bytes }) => sum + bytes.length, 0)
    const isUnsealed = chunks.has(0) && !seals && (await store.readHolding(period))?.hasSeals === false
    return {
      pulled: chunks.size,
      pulledBytes,
      bytes: pulledBytes + (seals?.length ?? 0),
      unsealed: isUnsealed ? (isTime ? 'failed' : 'later') : undefined,
    }
  }

  private async fetchChunk(
    manifest: Manifest,
    chunk: ManifestChunk,
    place: Sources,
  ): Promise<VerifiedChunk | undefined> {
    const listClaimants = (): readonly string[] => this.listPeersOf(manifest, chunk)
    const found = await this.search.find({ ...place, listClaimants }, (peer) =>
      this.modules.client.fetchChunk(peer, chunk.chunkId),
    )
    return found.status === 'ok' ? found.value : undefined
  }

  /** The first of which every signature verifies. @param fetched - chunks that are not written yet */
  private async findSeals(
    manifest: Manifest,
    fetched: ReadonlyMap<number, VerifiedChunk>,
    place: Sources,
  ): Promise<Uint8Array | undefined> {
    const [first] = manifest.chunks
    const body = await this.gatherBody(manifest, fetched, place)
    if (!first || !body) return undefined
    const listClaimants = (): readonly string[] => this.listPeersOf(manifest, first)
    const found = await this.search.find({ ...place, listClaimants }, (peer) =>
      fetchTrueSeals(peer, { chunkId: first.chunkId, body }, this.modules),
    )
    return found.status === 'ok' ? found.value : undefined
  }

  /** All of it, from where it can be had; undefined when a chunk cannot. */
  private async gatherBody(
    manifest: Manifest,
    fetched: ReadonlyMap<number, VerifiedChunk>,
    place: Sources,
  ): Promise<SplitBody | undefined> {
    const { period } = manifest
    const found = await Promise.all(
      manifest.chunks.map(
        async (chunk, index) =>
          fetched.get(index)?.bytes ??
          (await this.modules.store.readChunk(period, index)) ??
          (await this.fetchChunk(manifest, chunk, place))?.bytes,
      ),
    )
    const chunks = found.flatMap((chunk) => chunk ?? [])
    if (chunks.length < found.length) return undefined
    // As long as its id says: nobody may have shown that when the manifest was taken.
    return splitOwnBody(concatBytes(...chunks), withLastLength(manifest, chunks.at(-1)?.length ?? 0))
  }

  private listClaimants({ period }: Manifest, { chunkId }: ManifestChunk): readonly string[] {
    const periods = { first: period, last: period }
    return this.modules.sources.listClaimants(computeHashSlot(chunkId), Math.floor(period / ERA_PERIODS), periods)
  }

  /** PeerIds of those claimants that are connected. */
  private listPeersOf(manifest: Manifest, chunk: ManifestChunk): readonly string[] {
    return this.listClaimants(manifest, chunk).flatMap((address) => this.modules.sources.peerOf(address) ?? [])
  }

  /** The scrub says it loudly: here it only keeps more from being fetched. */
  private onDamage(period: Period, error: unknown): void {
    this.modules.log.debug({ period, err: error }, 'nothing is fetched for a damaged period')
  }
}

function lacksSealsAlone({ hasSeals, missingChunks }: Holding): boolean {
  return !hasSeals && missingChunks[0] !== 0
}

/** SEALS of a period whose chunk 0 is held. */
function sealsOf(manifest: Manifest, operations: number): Batch {
  const memoryBytes = computeBodyBytes(manifest)
  return { manifest, operations, wanted: [], completes: false, sizeBytes: 0, memoryBytes, claimants: 0 }
}
