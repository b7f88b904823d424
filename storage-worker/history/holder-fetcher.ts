import { isBug } from '../../archiver/store-watch.ts'
import {
  ArchiveError,
  CHUNK_SIZE_BYTES,
  type Clock,
  computeHashSlot,
  isArchiveError,
  type Manifest,
  type Period,
  toHex,
  withLastLength,
} from '../../core/index.ts'
import { ChunkCache } from '../../protocol-handler/chunk-cache.ts'
import { fetchTrueSeals, type TrueSealsModules } from '../peers/fetch-true-seals.ts'
import type { Fetched, PeerClient } from '../peers/peer-client.ts'
import { ByteBudget } from '../replication/byte-budget.ts'
import type { Work } from '../replication/peer-choice.ts'
import { PeerSearch } from '../replication/peer-search.ts'
import { splitOwnBody } from '../sealed-body.ts'

/**
 * Of what was fetched lately. In memory: what the disk holds is for the placement to say, and would have to be counted and
 * let go of again; who reads the same again does so within minutes.
 */
const CACHE_BYTES = 32 * 1024 * 1024
/** Asked for and not yet here; who wants more waits for its turn, within its deadline. */
const MAX_BYTES_IN_FLIGHT = 16 * 1024 * 1024
/** Of chunks that are known by their ids alone: anybody can make up ids that nobody has, and each has peers dialled and asked. */
const MAX_UNKNOWN_BYTES = 2 * CHUNK_SIZE_BYTES
/** For all of one chunk, with the wait for its turn: whoever reads waits for it. */
export const FETCH_MS = 25_000
/** For one holder: a chunk in that time is a slow line of 1 Mbit/s; three silent ones leave time for a fourth. */
const HOLDER_MS = 8_000
/** Somebody waits, and it may be the only holder that had a bad moment: not the minutes and hours of repair. */
const RESTS = { firstMs: 10_000, mostMs: 300_000 }
/** What nobody gave is not asked for again for so long, or each reader of it would cost the peers a search. */
const AWAY_MS = 10_000
const MAX_AWAY = 1_000

/** Whom chunks are asked of: PeerIds, connected at the moment. */
export interface HolderSources {
  /** Those that say they hold this hash slot in the era of this period, and those that are to, by the placement. */
  listHolders(hashSlot: number, period: Period | undefined): readonly string[]
  /** Connects, as long as `use` takes, to those that are to hold it and are not connected, and gives it those that answer. */
  withDialled<T>(hashSlot: number, use: (peers: readonly string[]) => Promise<T>): Promise<T>
  /** Those that say they have something of this period; all where it is not known. */
  listPeers(period: Period | undefined): readonly string[]
}

export interface HolderFetcherModules extends TrueSealsModules {
  readonly client: Pick<PeerClient, 'fetchChunk' | 'fetchSeals'>
  readonly sources: HolderSources
  readonly clock: Clock
  /** A whole number from 0 to below `maxExclusive`. */
  readonly random: (maxExclusive: number) => number
  /** Where something came from that was asked for, and what it measures. */
  readonly onRead: (from: 'holders' | 'cache' | 'nobody', bytes: number) => void
  /** A peer that cannot be reached, or answers wrongly. */
  readonly onFailure: (peer: string, error: unknown) => void
}

/** What is looked for. */
interface Wanted {
  readonly chunkId: Uint8Array
  /** Undefined: it is known by its id alone. */
  readonly period: Period | undefined
  /** In words, for who is told that nobody gives it. */
  readonly what: string
}

/** How those ended that were asked, by PeerId. */
type Asked = Map<string, string>

/**
 * Reads what this disk does not hold from its holders: those that are connected, then those that can be reached, then anybody
 * who may have it. What is given is verified, so nobody need be believed; who gives something else pays for it and
 * is passed over, as is who fails. However many ask for the same at once, it is fetched once.
 *
 * Nothing is written: what this disk is to hold comes by repair.
 */
export class HolderFetcher {
  private readonly modules: HolderFetcherModules
  private readonly peers: PeerSearch
  private readonly cache = new ChunkCache<{ readonly data: Uint8Array }>(CACHE_BYTES)
  private readonly budget = new ByteBudget(MAX_BYTES_IN_FLIGHT)
  private readonly unknownBudget = new ByteBudget(MAX_UNKNOWN_BYTES)
  private readonly underWay = new Map<string, Promise<Uint8Array>>()
  /** What nobody gave, the oldest first. */
  private readonly away = new Map<string, { readonly error: unknown; readonly untilMs: number }>()
  private readonly stopping = new AbortController()

  constructor(modules: HolderFetcherModules) {
    this.modules = modules
    this.peers = new PeerSearch(modules, RESTS)
  }

  /** Ends what is under way. */
  async stop(): Promise<void> {
    this.stopping.abort()
    await Promise.allSettled(this.underWay.values())
  }

  /** A chunk of a period. @throws ArchiveError STORE_CHUNK_AWAY with who was asked */
  async fetchChunk({ period, chunks }: Manifest, index: number): Promise<Uint8Array> {
    const what = `chunk ${index} of period ${period}`
    const chunkId = chunks[index]?.chunkId
    if (!chunkId) throw new ArchiveError('STORE_CHUNK_AWAY', `there is no ${what}`, { period, index })
    return this.fetchOne({ chunkId, period, what })
  }

  /** The chunk of this id, of whatever period. @throws ArchiveError STORE_CHUNK_AWAY with who was asked */
  async fetchById(chunkId: Uint8Array): Promise<Uint8Array> {
    return this.fetchOne({ chunkId, period: undefined, what: `chunk ${toHex(chunkId)}` })
  }

  /**
   * SEALS of a period, each of their signatures verified.
   *
   * @param readBody - all of it: what signatures sign stands there
   * @returns undefined where nobody gives true ones
   * @throws ArchiveError of `readBody`
   */
  async fetchSeals(manifest: Manifest, readBody: () => Promise<Uint8Array>): Promise<Uint8Array | undefined> {
    const { period } = manifest
    const [first] = manifest.chunks
    if (!first) return undefined
    const { chunkId } = first
    const wanted = { chunkId, period, what: `SEALS of period ${period}` }
    try {
      return await this.share(`seals ${toHex(chunkId)}`, async () => {
        const bytes = await readBody()
        // The last chunk is as long as its id says.
        const lastBytes = bytes.length - (manifest.chunks.length - 1) * first.byteLength
        const body = splitOwnBody(bytes, withLastLength(manifest, lastBytes))
        if (!body) throw away(wanted, new Map())
        return this.search(wanted, (peer) => fetchTrueSeals(peer, { chunkId, body }, this.modules))
      })
    } catch (error) {
      if (isArchiveError(error, 'STORE_CHUNK_AWAY')) return undefined
      throw error
    }
  }

  private fetchOne(wanted: Wanted): Promise<Uint8Array> {
    const { client } = this.modules
    return this.share(toHex(wanted.chunkId), () =>
      this.search(wanted, async (peer) => {
        const answer = await client.fetchChunk(peer, wanted.chunkId, HOLDER_MS)
        return answer.status === 'ok' ? { status: 'ok', value: answer.value.bytes } : answer
      }),
    )
  }

  /** Of many that ask for the same at once the first one fetches. */
  private share(name: string, fetch: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const cached = this.cache.get(name)
    if (cached) {
      this.modules.onRead('cache', cached.data.length)
      return Promise.resolve(cached.data)
    }
    const known = this.away.get(name)
    if (known && known.untilMs > this.modules.clock.monotonicMs()) return Promise.reject(known.error)
    const underWay = this.underWay.get(name)
    if (underWay) return underWay
    const work = this.keep(name, fetch).finally(() => this.underWay.delete(name))
    this.underWay.set(name, work)
    return work
  }

  private async keep(name: string, fetch: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const { onRead, clock } = this.modules
    this.away.delete(name)
    try {
      const data = await fetch()
      this.cache.put(name, { data })
      onRead('holders', data.length)
      return data
    } catch (error) {
      if (isArchiveError(error, 'STORE_CHUNK_AWAY') && !this.stopping.signal.aborted) {
        onRead('nobody', 0)
        this.away.set(name, { error, untilMs: clock.monotonicMs() + AWAY_MS })
        const [oldest] = this.away.keys()
        if (this.away.size > MAX_AWAY && oldest !== undefined) this.away.delete(oldest)
      }
      throw error
    }
  }

  /** @throws ArchiveError STORE_CHUNK_AWAY */
  private async search(wanted: Wanted, ask: (peer: string) => Promise<Fetched<Uint8Array>>): Promise<Uint8Array> {
    const { clock } = this.modules
    const over = new AbortController()
    const late = new AbortController()
    void clock.sleep(FETCH_MS, over.signal).then(() => late.abort())
    const signal = AbortSignal.any([this.stopping.signal, late.signal])
    const ended = new Promise<undefined>((resolve) => {
      if (signal.aborted) resolve(undefined)
      signal.addEventListener('abort', () => resolve(undefined), { once: true })
    })
    const asked: Asked = new Map()
    const budget = wanted.period === undefined ? this.unknownBudget : this.budget
    const turn = budget.take(CHUNK_SIZE_BYTES)
    try {
      if (!(await Promise.race([turn, ended]))) throw away(wanted, asked)
      const found = await Promise.race([this.searchAll(wanted, noting(asked, ask), { signal, ended }, asked), ended])
      if (!found) throw away(wanted, asked)
      return found
    } finally {
      over.abort()
      void turn.then((giveBack) => giveBack())
    }
  }

  private async searchAll(
    { chunkId, period }: Wanted,
    ask: (peer: string) => Promise<Fetched<Uint8Array>>,
    work: Work,
    asked: Asked,
  ): Promise<Uint8Array | undefined> {
    const { sources } = this.modules
    const hashSlot = computeHashSlot(chunkId)
    const among = async (list: () => readonly string[]): Promise<Uint8Array | undefined> => {
      const before = new Set(asked.keys())
      const listClaimants = (): string[] => list().filter((peer) => !before.has(peer))
      const found = await this.peers.find({ ...work, listClaimants, peers: [] }, ask)
      return found.status === 'ok' ? found.value : undefined
    }
    return (
      (await among(() => sources.listHolders(hashSlot, period))) ??
      (await sources.withDialled(hashSlot, (peers) => among(() => peers))) ??
      (await among(() => sources.listPeers(period)))
    )
  }
}

/** Keeps how each peer ended that was asked. */
function noting(
  asked: Asked,
  ask: (peer: string) => Promise<Fetched<Uint8Array>>,
): (peer: string) => Promise<Fetched<Uint8Array>> {
  return async (peer) => {
    asked.set(peer, 'was asked last')
    try {
      const answer = await ask(peer)
      asked.set(peer, STATUS_TEXTS[answer.status])
      return answer
    } catch (error) {
      if (!isBug(error)) asked.set(peer, isUnreachable(error) ? 'did not answer' : 'gave something else')
      throw error
    }
  }
}

const STATUS_TEXTS = { ok: 'gave it', notHeld: 'lacks it', busy: 'is busy', refused: 'refused' } as const

function isUnreachable(error: unknown): boolean {
  return isArchiveError(error, 'PROTOCOL_PEER_UNREACHABLE')
}

function away({ what, period }: Wanted, asked: Asked): ArchiveError {
  const ends = Array.from(asked, ([peer, end]) => `${peer} ${end}`).join(', ')
  const nobody = 'who may hold it is not connected, or failed a moment ago'
  const how = ends === '' ? nobody : `asked ${asked.size}: ${ends}`
  const message = `${what} is not on this disk, and nobody gives it: ${how}`
  return new ArchiveError('STORE_CHUNK_AWAY', message, { period, asked: ends })
}
