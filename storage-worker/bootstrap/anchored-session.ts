import { setMaxListeners } from 'node:events'
import type { BackgroundCpuWork } from '../../archiver/cpu-pool.ts'
import {
  type ChunkStore,
  computeBodyBytes,
  computeEraRoot,
  computePeriodRoot,
  ERA_PERIODS,
  type EraAnchor,
  equalBytes,
  type Manifest,
  type Period,
  type StoreIdentity,
  toHex,
} from '../../core/index.ts'
import type { PeerClient } from '../peers/peer-client.ts'
import {
  type AnchoredFailure,
  type AnchoredPeriod,
  type AnchoredPeriodOptions,
  AnchoredPeriodSource,
} from './anchored-period.ts'
import { SESSION_BOUNDS, type SessionBounds } from './backfill-session.ts'
import { ManifestSource, type SourcedManifest } from './manifest-source.ts'
import type { Answer, PacedPeers } from './paced-peers.ts'

/**
 * `roots`: nobody gives period roots that make the anchored root, or manifests of them; `conflict`: what is archived here,
 * or can be, is not what was anchored; `length`: somebody lied about the length of a last chunk.
 */
export type AnchoredEnd = 'done' | 'more' | 'roots' | 'stopped' | AnchoredFailure

export interface AnchoredSessionModules {
  readonly store: Pick<ChunkStore, 'readManifest'>
  readonly client: PeerClient
  readonly asked: PacedPeers
  readonly cpu: BackgroundCpuWork
  /** Writes what is to be held; the next period below comes when it is written. False: no more for now. */
  readonly write: (fetched: AnchoredPeriod) => Promise<boolean>
}

interface UnderWay {
  readonly bodyBytes: number
  readonly result: Promise<AnchoredPeriod | AnchoredFailure>
}

/**
 * What is to be held of one anchored era, below the first archived period, downward.
 *
 * 128 period roots that make the anchored root are the true ones, whoever gave them; each binds a manifest, and that its
 * chunks. So nothing of BODY has to be verified beside hashes, and nothing linked.
 */
export class AnchoredSession {
  private readonly options: AnchoredPeriodOptions & { readonly anchored: EraAnchor }
  private readonly modules: AnchoredSessionModules
  private readonly bounds: SessionBounds
  private readonly first: Period
  private readonly to: Period
  private readonly eraStart: Period
  private readonly periods: AnchoredPeriodSource
  private readonly underWay: UnderWay[] = []
  private readonly ending = new AbortController()
  private readonly manifests: Manifest[] = []
  private readonly sources = new Set<string>()
  private bytesAhead = 0

  /**
   * @param options.anchored - the era of the period before `first`
   * @param options.first - the first period that is archived
   * @param options.to - the last period that is wanted
   */
  constructor(
    options: AnchoredPeriodOptions & {
      readonly anchored: EraAnchor
      readonly first: Period
      readonly to: Period
      readonly bounds?: SessionBounds
    },
    modules: AnchoredSessionModules,
  ) {
    this.options = options
    this.modules = modules
    this.bounds = options.bounds ?? SESSION_BOUNDS
    this.first = options.first
    this.to = options.to
    this.eraStart = options.anchored.era * ERA_PERIODS
    this.periods = new AnchoredPeriodSource(options, modules)
    // Every question under way listens to it.
    setMaxListeners(0, this.ending.signal)
  }

  /** @throws what `write` throws */
  async run(stopping: AbortSignal): Promise<AnchoredEnd> {
    const onStop = (): void => this.ending.abort()
    stopping.addEventListener('abort', onStop, { once: true })
    if (stopping.aborted) onStop()
    try {
      const end = await this.goDown()
      return this.ending.signal.aborted ? 'stopped' : end
    } finally {
      stopping.removeEventListener('abort', onStop)
      this.ending.abort()
      await Promise.allSettled(this.underWay.map(({ result }) => result))
    }
  }

  private async goDown(): Promise<AnchoredEnd> {
    const roots = await this.findRoots()
    if (!roots) return 'roots'
    const own = await this.readOwn(roots.value)
    if (!own) return 'conflict'
    if (!(await this.takeManifests(roots))) return 'roots'
    const isAddedUp = this.isAddedUp([...own, ...this.manifests])
    const last = Math.max(this.to, this.eraStart)
    while (!this.ending.signal.aborted) {
      this.startMore(last, isAddedUp)
      const next = this.underWay.shift()
      if (!next) return last === this.to ? 'done' : 'more'
      const result = await next.result
      this.bytesAhead -= next.bodyBytes
      if (this.ending.signal.aborted) break
      if (typeof result === 'string') return this.give(result)
      if (!(await this.modules.write(result))) this.ending.abort()
    }
    return 'stopped'
  }

  /** All 128, from the first peer whose roots make the anchored one. */
  private async findRoots(): Promise<Answer<readonly Uint8Array[]> | undefined> {
    const { anchored, identity } = this.options
    const { client, asked } = this.modules
    const others: string[] = []
    const answer = await asked.ask(
      {
        name: `roots ${toHex(anchored.root)}`,
        period: this.eraStart,
        send: (peer) => client.fetchRoots(peer, this.eraStart, ERA_PERIODS),
        sizeOf: (roots) => roots.reduce((sum, { length }) => sum + length, 0),
        judge: async (roots, peer) => {
          const root = computeEraRoot({ ...anchored, network: identity.network }, roots)
          if (equalBytes(root, anchored.root)) return 'right'
          others.push(peer)
          return 'unfit'
        },
      },
      this.ending.signal,
    )
    // Before it is seen that there are true ones the record might be wrong, and not the peers.
    if (answer) for (const peer of others) asked.distrust(peer)
    return answer
  }

  /** Manifests of the periods of the era that are archived here; undefined when one has another root. */
  private async readOwn(roots: readonly Uint8Array[]): Promise<Manifest[] | undefined> {
    const own: Manifest[] = []
    for (let period = this.first; period < this.eraStart + ERA_PERIODS; period++) {
      const manifest = await this.modules.store.readManifest(period)
      if (!manifest) continue
      if (!equalBytes(computePeriodRoot(manifest), roots[period - this.eraStart] ?? new Uint8Array())) return undefined
      own.push(manifest)
    }
    return own
  }

  /** Of all periods of the era below the archive, since its totals are of all. */
  private async takeManifests({ peer, value: roots }: Answer<readonly Uint8Array[]>): Promise<boolean> {
    const { identity } = this.options
    const rootOf = (period: Period) => roots[period - this.eraStart]
    const range = { from: this.first - 1, to: this.eraStart }
    const source = new ManifestSource({ identity, lead: peer, ...range, rootOf }, this.modules)
    while (this.manifests.length < this.first - this.eraStart) {
      const sourced: SourcedManifest | undefined = await source.take(this.ending.signal)
      if (!sourced) return false
      this.manifests.push(cutAs(identity, sourced.manifest))
      this.sources.add(sourced.peer)
    }
    return true
  }

  /** Roots bind how many chunks there are, but not how long the last one is. */
  private isAddedUp(manifests: readonly Manifest[]): boolean {
    const bytes = manifests.reduce((sum, manifest) => sum + computeBodyBytes(manifest), 0)
    return manifests.length === ERA_PERIODS && BigInt(bytes) === this.options.anchored.totalBytes
  }

  /** Fetches ahead, as far as the bounds allow. */
  private startMore(last: Period, isAddedUp: boolean): void {
    const { periodsAhead, bytesAhead } = this.bounds
    while (this.underWay.length < periodsAhead && this.bytesAhead < bytesAhead) {
      const [manifest] = this.manifests
      if (!manifest || manifest.period < last) return
      this.manifests.shift()
      const bodyBytes = computeBodyBytes(manifest)
      const result = this.periods.fetch({ manifest, isAddedUp }, this.ending.signal)
      // It is awaited in its turn; until then a failure is not unhandled.
      result.catch(() => undefined)
      this.underWay.push({ bodyBytes, result })
      this.bytesAhead += bodyBytes
    }
  }

  /** Of several that gave manifests one lied: then nobody is blamed. */
  private give(failure: AnchoredFailure): AnchoredFailure {
    const [only, other] = [...this.sources]
    if (failure === 'length' && only !== undefined && other === undefined) this.modules.asked.distrust(only)
    return failure
  }
}

/** A root binds no lengths: those of all chunks but the last are the same throughout an archive, whoever says others. */
export function cutAs({ chunkSizeBytes }: StoreIdentity, manifest: Manifest): Manifest {
  const last = manifest.chunks.length - 1
  const chunks = manifest.chunks.map(({ chunkId, byteLength }, i) => {
    return { chunkId, byteLength: i < last ? chunkSizeBytes : Math.min(byteLength, chunkSizeBytes) }
  })
  return { ...manifest, chunks }
}
