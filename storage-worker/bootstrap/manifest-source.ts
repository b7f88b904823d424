import {
  computePeriodRoot,
  equalBytes,
  type Manifest,
  type Network,
  type Period,
  type StoreIdentity,
  THREAD_COUNT,
} from '../../core/index.ts'
import { MAX_PERIODS_PER_REQUEST } from '../../protocol-handler/index.ts'
import type { PeerClient } from '../peers/peer-client.ts'
import type { PacedPeers } from './paced-peers.ts'

/** 32 blocks of 300,000 bytes of operations with their ids and headers are 17 MB; what is larger is no period. */
const MAX_BODY_BYTES = THREAD_COUNT * 600_000
/** Of one request: 128 periods of full length; private networks with small chunks ask for fewer periods at a time. */
const MAX_CHUNKS_PER_REQUEST = 4_096
/** The next ones are asked for while so many are left. */
const AHEAD = 32
/** Of a manifest in memory. */
const BYTES_PER_CHUNK = 36

export interface SourcedManifest {
  readonly manifest: Manifest
  /** Who gave it. */
  readonly peer: string
}

export interface ManifestSourceOptions {
  readonly identity: StoreIdentity
  readonly lead: string
  readonly from: Period
  /** The last period, not above `from`. */
  readonly to: Period
  /** Root of each period; absent: not known. */
  readonly rootOf?: (period: Period) => Uint8Array | undefined
}

/**
 * Manifests downward from a period, many at once: from one peer as long as it has them, else from others. Unless their
 * roots are known they are not verified: they say which chunks to fetch.
 */
export class ManifestSource {
  private readonly network: Network
  private readonly maxChunks: number
  private readonly lead: string
  private readonly to: Period
  private readonly rootOf: ((period: Period) => Uint8Array | undefined) | undefined
  private readonly client: PeerClient
  private readonly asked: PacedPeers
  private next: Period
  private fetched: SourcedManifest[] = []
  private coming: Promise<SourcedManifest[]> | undefined

  constructor(options: ManifestSourceOptions, modules: { readonly client: PeerClient; readonly asked: PacedPeers }) {
    const { identity, lead, from, to } = options
    this.network = identity.network
    this.maxChunks = Math.ceil(MAX_BODY_BYTES / identity.chunkSizeBytes)
    this.lead = lead
    this.next = from
    this.to = to
    this.rootOf = options.rootOf
    this.client = modules.client
    this.asked = modules.asked
  }

  /** The next one below. @returns undefined when nobody has it, or when it is past the last */
  async take(signal: AbortSignal): Promise<SourcedManifest | undefined> {
    if (this.fetched.length <= AHEAD) this.coming ??= this.fetchBelow(signal)
    if (this.fetched.length === 0) {
      this.fetched = (await this.coming) ?? []
      this.coming = undefined
    }
    const taken = this.fetched.shift()
    if (taken) this.next--
    return taken
  }

  private fetchBelow(signal: AbortSignal): Promise<SourcedManifest[]> | undefined {
    const last = this.next - this.fetched.length
    if (last < this.to) return undefined
    const coming = this.fetch(last, signal)
    // It is awaited when those before it are taken; until then a failure is not unhandled.
    coming.catch(() => undefined)
    return coming
  }

  /** From a period downward without a gap. */
  private async fetch(last: Period, signal: AbortSignal): Promise<SourcedManifest[]> {
    const { maxChunks, network, client } = this
    const most = Math.min(MAX_PERIODS_PER_REQUEST, Math.max(1, Math.floor(MAX_CHUNKS_PER_REQUEST / maxChunks)))
    const firstPeriod = Math.max(this.to, last - most + 1)
    const range = { firstPeriod, periodCount: last - firstPeriod + 1, maxChunks }
    const answer = await this.asked.ask(
      {
        name: `manifest ${last}`,
        period: last,
        prefer: this.lead,
        send: async (peer) => {
          const answer = await client.fetchManifests(peer, range, network)
          return answer.status === 'ok' && !answer.value.at(-1) ? { status: 'notHeld' } : answer
        },
        judge: async (manifests) => (manifests.every((one) => this.isOfRoot(one)) ? 'right' : 'wrong'),
        sizeOf: (manifests) => manifests.reduce((sum, one) => sum + BYTES_PER_CHUNK * (one?.chunks.length ?? 0), 0),
      },
      signal,
    )
    const found: SourcedManifest[] = []
    for (const manifest of answer?.value.toReversed() ?? []) {
      if (!manifest || !answer) break
      found.push({ manifest, peer: answer.peer })
    }
    return found
  }

  private isOfRoot(manifest: Manifest | undefined): boolean {
    if (!manifest || !this.rootOf) return true
    const root = this.rootOf(manifest.period)
    return root !== undefined && equalBytes(computePeriodRoot(manifest), root)
  }
}
