import { isBug, isStoreFailure, StoreWatch } from '../../archiver/store-watch.ts'
import {
  type ArchiveError,
  type ChunkStore,
  type Clock,
  computeHashSlot,
  ERA_PERIODS,
  type Holding,
  isArchiveError,
  type Manifest,
  type ManifestChunk,
  type Period,
} from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { PeerClient } from '../peers/peer-client.ts'
import type { Work } from './asked-peers.ts'
import { ByteBudget } from './byte-budget.ts'
import { mayBeSeals } from './may-be-seals.ts'
import { type Found, PeerSearch } from './peer-search.ts'

/** Asked for and not yet on disk: as much as two peers send at a time. */
const MAX_BYTES_IN_FLIGHT = 16 * 1_048_576
/** Written at once: the store hashes it again in one go, and everything else waits so long. */
const MAX_BATCH_BYTES = 4 * 1_048_576
/** Peers whose SEALS may turn out wrong, one after the other. */
const MAX_WRONG_SEALS = 8
const NOTHING = { pulled: 0, pulledBytes: 0, bytes: 0 }

export interface WantedChunk {
  readonly period: Period
  readonly index: number
}

export interface PullResult {
  /** Chunks that are on disk now. */
  readonly pulled: number
  /** Of these and of SEALS that came with them. */
  readonly bytes: number
  /** Chunks that nobody gave, or that could not be written; and each chunk 0 of which SEALS alone lack and did not come. */
  readonly failed: number
  /** Of these, but for those of damaged periods. */
  readonly failedBytes: number
}

/** Who may have a chunk. */
export interface ChunkSources {
  /** Of `HolderClaims`: addresses of nodes that say they hold the chunks of this hash slot in this era. */
  listClaimants(hashSlot: number, era: number): readonly string[]
  /** Of `HolderClaims`: PeerId text while connected. */
  peerOf(address: string): string | undefined
  /** Connected peers, each with the periods [firstPeriod, endPeriod) that it says it has something of. */
  listPeers(): readonly { readonly peer: string; readonly firstPeriod: Period; readonly endPeriod: Period }[]
}

export interface ChunkPullerModules {
  readonly store: Pick<ChunkStore, 'readManifest' | 'readHolding' | 'readChunk' | 'writePart'>
  readonly client: Pick<PeerClient, 'fetchChunk' | 'fetchSeals'>
  readonly sources: ChunkSources
  /** A peer gave SEALS of another BODY. */
  readonly onWrong: (peer: string) => void
  readonly clock: Clock
  /** A whole number from 0 to below `maxExclusive`. */
  readonly random: (maxExclusive: number) => number
  readonly log: Logger
}

/** Chunks of one period that are written together. */
interface Batch {
  readonly manifest: Manifest
  readonly operations: number
  readonly wanted: readonly { readonly index: number; readonly chunk: ManifestChunk }[]
  readonly wantsSeals: boolean
  readonly sizeBytes: number
  /** How many say that they hold the chunk that fewest do. */
  readonly claimants: number
}

/** Where a batch is looked for. */
interface Sources extends Work {
  readonly peers: readonly string[]
}

/**
 * Fetches chunks of visible periods from other sidecars: by the manifest that stands here, so that what is not authentic
 * never comes to the disk. SEALS come with chunk 0.
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
    const pullOne = async (batch: Batch): Promise<void> => {
      let result = NOTHING
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
        const isSealsAlone = batch.wanted.length === 0
        total.failed += isSealsAlone ? Number(result.bytes === 0) : batch.wanted.length - result.pulled
        total.failedBytes += batch.sizeBytes - result.pulledBytes
      }
    }
    const running: Promise<void>[] = []
    for (const batch of batches) {
      const giveBack = await this.budget.take(batch.sizeBytes)
      running.push(pullOne(batch).finally(giveBack))
    }
    await Promise.all(running)
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
    const { operations, hasSeals } = holding
    const batches: Batch[] = []
    let wanted: { index: number; chunk: ManifestChunk; claimants: number }[] = []
    let sizeBytes = 0
    const cut = (): void => {
      const claimants = Math.min(...wanted.map((each) => each.claimants))
      const wantsSeals = wanted[0]?.index === 0 && !hasSeals
      if (wanted.length > 0) batches.push({ manifest, operations, wanted, wantsSeals, sizeBytes, claimants })
      wanted = []
      sizeBytes = 0
    }
    for (const index of holding.missingChunks) {
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

  private async pullBatch(batch: Batch, work: Work): Promise<typeof NOTHING> {
    const { store, client, sources } = this.modules
    const { manifest, wanted } = batch
    const { period } = manifest
    const peers = sources.listPeers().filter((peer) => peer.firstPeriod <= period && period < peer.endPeriod)
    const place = { peers: peers.map(({ peer }) => peer), ...work }
    const chunks = new Map<number, Uint8Array>()
    await Promise.all(
      wanted.map(async ({ index, chunk }) => {
        const listClaimants = (): readonly string[] => this.listPeersOf(manifest, chunk)
        const found = await this.search.find({ ...place, listClaimants }, (peer) =>
          client.fetchChunk(peer, chunk.chunkId),
        )
        if (found.status === 'ok') chunks.set(index, found.value)
      }),
    )
    const written = await this.writeBatch(batch, chunks, place)
    const holding = written.pulled > 0 ? await store.readHolding(period) : undefined
    if (!holding || batch.wantsSeals || !lacksSealsAlone(holding)) return written
    // Those that came before BODY was whole were of another one, and are gone.
    const { bytes } = await this.writeBatch(sealsOf(manifest, batch.operations), new Map(), place)
    return { ...written, bytes: written.bytes + bytes }
  }

  /** With SEALS, if they are wanted: again until there are some that fit. */
  private async writeBatch(batch: Batch, chunks: Map<number, Uint8Array>, place: Sources): Promise<typeof NOTHING> {
    const { store, onWrong } = this.modules
    const { manifest, operations, wantsSeals } = batch
    for (let tries = 0; tries < MAX_WRONG_SEALS; tries++) {
      const isHead = chunks.has(0) || batch.wanted.length === 0
      const found = wantsSeals && isHead ? await this.findSeals(manifest, chunks.get(0), place) : undefined
      // A period with chunk 0 looks as if it had SEALS, too: without them it comes only when nobody has them any more.
      if (found?.status === 'unknown') chunks.delete(0)
      const seals = found?.status === 'ok' ? found : undefined
      if (place.signal.aborted || (chunks.size === 0 && !seals)) return NOTHING
      // Deleted meanwhile, it would come back with nothing but this.
      if (!(await store.readManifest(manifest.period))) return NOTHING
      try {
        await store.writePart({ manifest, operations, chunks, ...(seals && { seals: seals.value }) })
        this.watch.onSuccess()
        const pulledBytes = Array.from(chunks.values()).reduce((sum, { length }) => sum + length, 0)
        return { pulled: chunks.size, pulledBytes, bytes: pulledBytes + (seals?.value.length ?? 0) }
      } catch (error) {
        // The chunks have the ids of the manifest: it is SEALS that do not fit.
        if (!seals || !isArchiveError(error, 'STORE_PART_INVALID')) throw error
        onWrong(seals.peer)
        this.search.rest(seals.peer)
      }
    }
    return NOTHING
  }

  private async findSeals(
    manifest: Manifest,
    fetched: Uint8Array | undefined,
    place: Sources,
  ): Promise<Found<Uint8Array>> {
    const { store, client, onWrong } = this.modules
    const [first] = manifest.chunks
    const head = fetched ?? (await store.readChunk(manifest.period, 0))
    if (!first || !head) return { status: 'unknown' }
    const listClaimants = (): readonly string[] => this.listPeersOf(manifest, first)
    return this.search.find({ ...place, listClaimants }, async (peer) => {
      const answer = await client.fetchSeals(peer, first.chunkId)
      if (answer.status !== 'ok' || mayBeSeals(answer.value, head, manifest)) return answer
      onWrong(peer)
      return { status: 'refused' }
    })
  }

  private listClaimants({ period }: Manifest, { chunkId }: ManifestChunk): readonly string[] {
    return this.modules.sources.listClaimants(computeHashSlot(chunkId), Math.floor(period / ERA_PERIODS))
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
  return { manifest, operations, wanted: [], wantsSeals: true, sizeBytes: 0, claimants: 0 }
}
