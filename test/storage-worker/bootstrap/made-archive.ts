import { createHash } from 'node:crypto'
import { type Archiver, type ArchiverStatus, encodePeriod, verifyFilledBlock } from '../../../archiver/index.ts'
import type { DecidedSlot } from '../../../archiver/period-encoder.ts'
import { type SealedRecord, type VerifiedRecord, verifyRecord } from '../../../archiver/verify-record.ts'
import {
  type ArchivedPeriod,
  ArchiveError,
  CHUNK_SIZE_BYTES,
  type ChunkStore,
  computeEraRoot,
  computePeriodRoot,
  type EraAnchor,
  type Manifest,
  type Period,
  type StoreIdentity,
  THREAD_COUNT,
} from '../../../core/index.ts'
import { encodeFilledBlock, type MadeBlock, type MadeChain } from '../../../devnet/index.ts'
import type { Frame, Offence, StreamService } from '../../../protocol-handler/index.ts'
import { Bootstrap, type BootstrapModules, type BootstrapOptions } from '../../../storage-worker/bootstrap/bootstrap.ts'
import { HoleFiller } from '../../../storage-worker/bootstrap/hole-filler.ts'
import { makeGenesisPeriod } from '../../../storage-worker/bootstrap/made-period.ts'
import { type AskLimits, PacedPeers, type PeerArchive } from '../../../storage-worker/bootstrap/paced-peers.ts'
import { LevelChunkStore } from '../../../storage-worker/index.ts'
import { createAuditService } from '../../../storage-worker/peers/audit-service.ts'
import { createBlockService } from '../../../storage-worker/peers/block-service.ts'
import { createChunkService } from '../../../storage-worker/peers/chunk-service.ts'
import { createManifestService } from '../../../storage-worker/peers/manifest-service.ts'
import { PeerClient, type Requester } from '../../../storage-worker/peers/peer-client.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { describeArchive } from '../../archiver/archiver-holder.ts'
import { inlineCpu } from '../../archiver/inline-cpu.ts'
import { NETWORK } from '../../archiver/made-chain.ts'
import { AutoClock, StillClock } from '../../clocks.ts'
import { joinFrame } from '../../join-frame.ts'
import { openMemoryLevel } from '../temp-store.ts'

export const IDENTITY: StoreIdentity = { network: NETWORK, chunkSizeBytes: CHUNK_SIZE_BYTES }

export function decidedBlock(block: MadeBlock): DecidedSlot & { kind: 'block' } {
  const { record, seals, operationCount } = verifyFilledBlock(encodeFilledBlock(block), NETWORK.chainId, block.id)
  return { kind: 'block', record, seals, operationCount }
}

export type Change = (slot: DecidedSlot, thread: number) => DecidedSlot

/** A period of a chain as an archiver would write it, or as a liar would. */
export function archivedOf(
  chain: MadeChain,
  period: Period,
  change: Change = (slot) => slot,
  identity = IDENTITY,
): ArchivedPeriod {
  if (period === 0) return makeGenesisPeriod(identity, 0)
  const slots = Array.from({ length: THREAD_COUNT }, (_, thread) => {
    const block = chain.blockAt(period, thread)
    return change(block ? decidedBlock(block) : { kind: 'miss' }, thread)
  })
  return encodePeriod({ network: NETWORK, period, slots, executionResults: new Uint8Array(1) }, identity.chunkSizeBytes)
}

export async function openStore(periods: Iterable<ArchivedPeriod> = [], identity = IDENTITY): Promise<LevelChunkStore> {
  const [bodies, index] = await Promise.all([openMemoryLevel('bodies'), openMemoryLevel('index')])
  const store = new LevelChunkStore(identity, { bodies, index })
  await store.recover()
  for (const period of periods) await store.writePeriod(period)
  return store
}

/** Era 0 as a registry would have it anchored. */
export function anchorOf(manifests: readonly Manifest[]): EraAnchor {
  const totalBytes = manifests.reduce(
    (sum, { chunks }) => sum + chunks.reduce((all, { byteLength }) => all + BigInt(byteLength), 0n),
    0n,
  )
  const totalChunks = BigInt(manifests.reduce((sum, { chunks }) => sum + chunks.length, 0))
  const totals = { network: NETWORK, era: 0, totalBytes, totalChunks }
  const root = computeEraRoot(totals, manifests.map(computePeriodRoot))
  return { era: 0, root, placementRoot: new Uint8Array(32), totalBytes, totalChunks, anchoredPeriod: 140n }
}

/** Everything of each period, hashed. */
export async function describeBriefly(store: ChunkStore): Promise<Map<Period, string>> {
  const described = await describeArchive(store)
  return new Map(Array.from(described, ([period, text]) => [period, createHash('sha256').update(text).digest('hex')]))
}

type Answer = (request: unknown) => Promise<Uint8Array[]>

/** Peers by name, each a store that is asked through the services of a sidecar; each may answer otherwise. */
export class FakePeers implements Requester {
  readonly stores = new Map<string, ChunkStore>()
  readonly asked: { readonly peer: string; readonly name: string }[] = []
  /** Most that were in flight to one peer. */
  mostInFlight = 0
  answer: (peer: string, name: string, honest: Answer, request: unknown) => Promise<Uint8Array[]> = (
    _peer,
    _name,
    honest,
    request,
  ) => honest(request)
  private readonly inFlight = new Map<string, number>()

  countOf(peer: string, name?: string): number {
    return this.asked.filter((one) => one.peer === peer && (name === undefined || one.name === name)).length
  }

  async request(peer: string, name: string, { bytes }: { bytes: Uint8Array }): Promise<Uint8Array[]> {
    this.asked.push({ peer, name })
    const store = this.stores.get(peer)
    if (!store) throw new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'injected')
    const services: Record<string, StreamService<unknown, Frame>> = {
      chunk: createChunkService(store) as StreamService<unknown, Frame>,
      manifest: createManifestService(store) as StreamService<unknown>,
      block: createBlockService(store) as StreamService<unknown>,
      audit: createAuditService(store) as StreamService<unknown>,
    }
    const service = services[name]
    if (!service) throw new Error(`nobody serves ${name}`)
    const now = (this.inFlight.get(peer) ?? 0) + 1
    this.inFlight.set(peer, now)
    this.mostInFlight = Math.max(this.mostInFlight, now)
    try {
      const honest: Answer = async (request) => (await service.answer(request, 'asker')).map(joinFrame)
      return await this.answer(peer, name, honest, service.request.decode(bytes))
    } finally {
      this.inFlight.set(peer, (this.inFlight.get(peer) ?? 1) - 1)
    }
  }
}

export interface Joiner {
  readonly store: LevelChunkStore
  readonly peers: FakePeers
  readonly clock: AutoClock
  readonly offences: { readonly peer: string; readonly offence: Offence }[]
  /** In the order in which they were written. */
  readonly written: Period[]
  readonly logged: Record<string, unknown>[]
  readonly asked: PacedPeers
  readonly bootstrap: Bootstrap
}

export interface JoinerOptions extends Partial<BootstrapOptions> {
  readonly store: LevelChunkStore
  readonly peers: ReadonlyMap<string, ChunkStore>
  readonly modules?: Partial<BootstrapModules>
  readonly limits?: AskLimits
  readonly says?: Partial<PeerArchive>
}

const verified = new Map<string, VerifiedRecord>()

/** The same blocks again and again: most of the time of these tests would go into their signatures. */
export function verifyOnce(sealed: SealedRecord): VerifiedRecord {
  const { slot, record, seals } = sealed
  const key = [
    slot.period,
    slot.thread,
    Buffer.from(record).toString('latin1'),
    Buffer.from(seals).toString('latin1'),
  ].join()
  const known = verified.get(key) ?? verifyRecord(sealed, NETWORK)
  verified.set(key, known)
  return known
}

/** A sidecar that is about to fetch what came before its archive. */
export function makeJoiner({ store, peers: stores, modules, limits, says, ...options }: JoinerOptions): Joiner {
  const peers = new FakePeers()
  for (const [name, peerStore] of stores) peers.stores.set(name, peerStore)
  const clock = new AutoClock()
  const offences: Joiner['offences'] = []
  const written: Period[] = []
  const logged: Record<string, unknown>[] = []
  const asked = new PacedPeers(
    {
      listPeers: () => [...peers.stores.keys()].map((peer) => ({ peer, firstPeriod: 0, endPeriod: 1_000, ...says })),
      onWrong: (peer) => offences.push({ peer, offence: 'reject' }),
      onFailure: () => undefined,
      clock,
    },
    limits,
  )
  const bootstrap = new Bootstrap(
    { retentionPeriods: 0, restartPeriods: [], ...options },
    {
      store,
      client: new PeerClient(peers, (peer, offence) => offences.push({ peer, offence }), { clock }),
      asked,
      cpu: {
        verifyBlock: inlineCpu.verifyBlock,
        verifyRecords: async (records) => records.map(verifyOnce),
      },
      finalPeriod: () => undefined,
      hasRoom: async () => true,
      onWritten: async (period) => void written.push(period),
      clock,
      log: createLogger({
        level: 'debug',
        format: 'json',
        destination: { write: (line) => logged.push(JSON.parse(line) as Record<string, unknown>) },
      }),
      ...modules,
    },
  )
  return { store, peers, clock, offences, written, logged, asked, bootstrap }
}

export interface HeldFiller {
  readonly peers: FakePeers
  readonly clock: StillClock
  /** Peers that paid for what they gave. */
  readonly offences: string[]
  readonly logged: Record<string, unknown>[]
  /** Whether there is room to spare. */
  readonly room: { isThere: boolean }
  readonly filler: HoleFiller
}

/** Of an archiver that is held, what a filler of holes needs. */
export interface FilledArchive {
  readonly store: ChunkStore
  readonly archiver: Pick<Archiver, 'attest' | 'onFilled'> & { status(): Pick<ArchiverStatus, 'holes'> }
}

/** Fills the holes of an archiver from peers that have all up to `endPeriod`. */
export function makeHoleFiller(
  holder: FilledArchive,
  options: {
    readonly endPeriod: Period
    /** Of each peer; 0 where it is left out. */
    readonly firstPeriods?: ReadonlyMap<string, Period>
    readonly anchor?: EraAnchor
  },
): HeldFiller {
  const peers = new FakePeers()
  const clock = new StillClock()
  const offences: string[] = []
  const logged: Record<string, unknown>[] = []
  const room = { isThere: true }
  const { endPeriod, firstPeriods, anchor } = options
  const asked = new PacedPeers({
    listPeers: () =>
      [...peers.stores.keys()].map((peer) => ({ peer, firstPeriod: firstPeriods?.get(peer) ?? 0, endPeriod })),
    onWrong: (peer) => offences.push(peer),
    onFailure: () => undefined,
    clock,
  })
  const filler = new HoleFiller(
    { restartPeriods: [] },
    {
      store: holder.store,
      client: new PeerClient(peers, (peer) => offences.push(peer), { clock }),
      asked,
      cpu: { verifyBlock: inlineCpu.verifyBlock, verifyRecords: async (records) => records.map(verifyOnce) },
      findAnchored: async (era) => (era === anchor?.era ? anchor : undefined),
      listHoles: () => holder.archiver.status().holes,
      attest: (period) => holder.archiver.attest(period),
      hasRoom: async () => room.isThere,
      onWritten: (period) => holder.archiver.onFilled(period),
      clock,
      log: createLogger({
        level: 'info',
        format: 'json',
        destination: { write: (line) => logged.push(JSON.parse(line)) },
      }),
    },
  )
  return { peers, clock, offences, logged, room, filler }
}
