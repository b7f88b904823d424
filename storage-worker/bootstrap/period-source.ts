import type { BackgroundCpuWork } from '../../archiver/cpu-pool.ts'
import type { VerifiedRecord } from '../../archiver/verify-record.ts'
import {
  type ArchivedPeriod,
  CHUNK_SIZE_BYTES,
  computePeriodRoot,
  concatBytes,
  equalBytes,
  isArchiveError,
  MAX_HEADER_VERSION,
  type Manifest,
  type SplitBody,
  type StoreIdentity,
  THREAD_COUNT,
  toHex,
} from '../../core/index.ts'
import type { PeerClient } from '../peers/peer-client.ts'
import { checkManifest } from '../period-part.ts'
import { computeSealsBytes, joinSeals, splitOwnBody } from '../sealed-body.ts'
import { assemblePeriod } from './assemble-period.ts'
import { makeEmptyPeriod } from './made-period.ts'
import type { SourcedManifest } from './manifest-source.ts'
import type { PacedPeers } from './paced-peers.ts'
import { linksOf, type PeriodHeads, type PeriodLinks, readHeads } from './period-links.ts'

/** A period as its headers say it is; nothing else of it was verified yet. */
export interface UnsealedPeriod {
  readonly links: PeriodLinks
  /** @throws what is no ArchiveError: a bug */
  readonly seal: (signal: AbortSignal) => Promise<VerifiedPeriod | PeriodFailure>
}

export interface VerifiedPeriod {
  readonly archived: ArchivedPeriod
  readonly links: PeriodLinks
}

/**
 * Why a period is not there: `absent`: nobody gives all of it; `wrong`: its manifest is none of a period; `unbound`: it
 * holds an operation whose bytes its id does not bind, or a block newer than this release.
 */
export type PeriodFailure = 'absent' | 'wrong' | 'unbound'

/**
 * Fetches periods whole, and checks all that can be checked of a period by itself. SEALS come last: to verify them takes
 * as long as all the rest together many times over, and anybody can sign blocks of his own.
 */
export class PeriodSource {
  private readonly identity: StoreIdentity
  private readonly client: PeerClient
  private readonly asked: PacedPeers
  private readonly cpu: BackgroundCpuWork

  constructor(
    identity: StoreIdentity,
    modules: { readonly client: PeerClient; readonly asked: PacedPeers; readonly cpu: BackgroundCpuWork },
  ) {
    this.identity = identity
    this.client = modules.client
    this.asked = modules.asked
    this.cpu = modules.cpu
  }

  /** All but SEALS. @throws what is no ArchiveError: a bug */
  async fetchBody(sourced: SourcedManifest, signal: AbortSignal): Promise<UnsealedPeriod | PeriodFailure> {
    const { manifest } = sourced
    if (manifest.bitmap === 0) return this.compareEmpty(manifest)
    if (!this.isCut(manifest)) return 'wrong'
    const chunks = await this.fetchChunks(manifest, signal)
    if (typeof chunks === 'string') return chunks
    const body = splitOwnBody(concatBytes(...chunks), manifest)
    if (!body || body.slots.some(({ kind }) => kind === 'void')) return 'wrong'
    const heads = tryReadHeads(body)
    if (!heads) return 'wrong'
    // What its id is made of is not known here.
    if (heads.some((head) => head && head.header.currentVersion > MAX_HEADER_VERSION)) return 'unbound'
    const links = linksOf(heads)
    return {
      links,
      seal: async (signal) => {
        const sealed = await this.fetchSeals(sourced, body, signal)
        if (typeof sealed === 'string') return sealed
        const { seals, records } = sealed
        if (!records.every(({ isBound }) => isBound)) return 'unbound'
        return { archived: assemblePeriod(manifest, body, { chunks, seals }), links }
      },
    }
  }

  /** Nothing has to be fetched of it: all of it is known. */
  private compareEmpty(manifest: Manifest): UnsealedPeriod | PeriodFailure {
    const archived = makeEmptyPeriod(this.identity, manifest.period)
    if (!equalBytes(computePeriodRoot(manifest), archived.summary.root)) return 'wrong'
    const links = Array.from({ length: THREAD_COUNT }, () => undefined)
    return { links, seal: async () => ({ archived, links }) }
  }

  private isCut(manifest: Manifest): boolean {
    try {
      checkManifest(manifest, this.identity)
      return true
    } catch (error) {
      if (isArchiveError(error)) return false
      throw error
    }
  }

  private async fetchChunks(manifest: Manifest, signal: AbortSignal): Promise<readonly Uint8Array[] | PeriodFailure> {
    const answers = await Promise.all(
      manifest.chunks.map(({ chunkId }) =>
        this.asked.ask(
          {
            name: toHex(chunkId),
            period: manifest.period,
            send: (peer) => this.client.fetchChunk(peer, chunkId),
            sizeOf: ({ bytes }) => bytes.length,
          },
          signal,
        ),
      ),
    )
    const chunks = answers.flatMap((answer) => (answer ? [answer.value.bytes] : []))
    if (chunks.length < answers.length) return 'absent'
    // Its id binds the length of a chunk: who gave the manifest lied, not who gave the chunk.
    return chunks.every((chunk, i) => chunk.length === manifest.chunks[i]?.byteLength) ? chunks : 'wrong'
  }

  /** The first SEALS of which every signature verifies. */
  private async fetchSeals(
    { manifest, peer: source }: SourcedManifest,
    body: SplitBody,
    signal: AbortSignal,
  ): Promise<{ seals: Uint8Array; records: readonly VerifiedRecord[] } | PeriodFailure> {
    const chunkId = manifest.chunks[0]?.chunkId ?? new Uint8Array()
    let records: readonly VerifiedRecord[] | undefined
    let isBroken = false
    const answer = await this.asked.ask(
      {
        // Of this BODY: what begins with the same chunk may be another.
        name: `seals ${toHex(computePeriodRoot(manifest))}`,
        period: manifest.period,
        send: (peer) => this.client.fetchSeals(peer, chunkId, computeSealsBytes(body)),
        sizeOf: (seals) => seals?.length ?? CHUNK_SIZE_BYTES,
        judge: async (seals, peer) => {
          // Chunk 0 may be that of a true period, and others that the manifest names not: then true SEALS do not fit.
          const unfit = manifest.chunks.length === 1 || peer === source ? 'wrong' : 'unfit'
          const sealed = seals && joinSeals(seals, body)
          if (!sealed) return unfit
          try {
            records = await this.cpu.verifyRecords(sealed, this.identity.network)
          } catch (error) {
            if (!isArchiveError(error)) throw error
            // No SEALS can be those of a BODY that is none.
            isBroken = true
            return 'right'
          }
          return records.every(({ isSealed }) => isSealed) ? 'right' : unfit
        },
      },
      signal,
    )
    if (isBroken) return 'wrong'
    return answer?.value && records ? { seals: answer.value, records } : 'absent'
  }
}

/** Undefined where a block is none. */
function tryReadHeads({ slots }: SplitBody): PeriodHeads | undefined {
  try {
    return readHeads(slots)
  } catch (error) {
    if (isArchiveError(error)) return undefined
    throw error
  }
}
