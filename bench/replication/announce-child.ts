import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Clock, type Period, toHex } from '../../core/index.ts'
import { REGISTERED_SHARE, WORK } from '../../daemon/peers/shares.ts'
import { systemClock } from '../../daemon/system-clock.ts'
import { createChunkService } from '../../storage-worker/peers/chunk-service.ts'
import { PeerClient } from '../../storage-worker/peers/peer-client.ts'
import { AnnouncementBoard } from '../../storage-worker/replication/announcement-board.ts'
import { Announcer } from '../../storage-worker/replication/announcer.ts'
import { ChunkPuller } from '../../storage-worker/replication/chunk-puller.ts'
import { HaveMap } from '../../storage-worker/replication/have-map.ts'
import { createHaveService } from '../../storage-worker/replication/have-service.ts'
import { HolderClaims } from '../../storage-worker/replication/holder-claims.ts'
import { OwnHoldings } from '../../storage-worker/replication/own-holdings.ts'
import { Patrol } from '../../storage-worker/replication/patrol.ts'
import { createLogger } from '../../telemetry/index.ts'
import { addressOf, seedOf } from '../../test/storage-worker/replication/made-nodes.ts'
import { makePeriod } from '../../test/storage-worker/synthetic-period.ts'
import { CpuPool } from '../built.ts'
import { openBenchPeer } from '../protocol-handler/bench-peer.ts'
import { BENCH_IDENTITY, openBenchStore, QUIET_PERIOD } from '../storage-worker/bench-archive.ts'

/*
 * One of the nodes: all that announces, hears, and fetches what lacks, over a store on disk. Arguments: its folder and its
 * position. Does what its parent says, and ends when that lets go of it.
 */

export interface AnnounceReady {
  readonly peer: string
  /** 76 hex digits. */
  readonly peerId: string
  /** Massa address. */
  readonly name: string
  readonly address: string
}

export type AnnounceOrder =
  | { readonly do: 'connect'; readonly nodes: readonly AnnounceReady[] }
  | { readonly do: 'write'; readonly period: Period; readonly isHeld: boolean }
  | { readonly do: 'announce' | 'await'; readonly period: Period }

const ALL = Array.from({ length: 16_384 }, (_, hashSlot) => hashSlot)
const POLL_MS = 2
const LAST_PERIOD = 1_000_000
/** A node announces a period in 16 s: here one after the other in less. */
const SPEED = 16
const fastClock: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() * SPEED }

const [folder = '', position = ''] = process.argv.slice(2)
const seed = seedOf(`announcer ${position}`)
const ownAddress = addressOf(seed)
const store = await openBenchStore(join(folder, position))
const node = await openBenchPeer(`announcer ${position}`, { share: REGISTERED_SHARE, work: WORK })
const log = createLogger({ level: 'error', format: 'json', destination: { write: (line) => console.error(line) } })
const holdings = new OwnHoldings(store.chunks, systemClock)
const client = new PeerClient(
  node,
  (peer, offence) => {
    throw new Error(`${peer}: ${offence}`)
  },
  { clock: systemClock },
)
let nodes: readonly AnnounceReady[] = []
let newest: Period = 0

const onFailure = (error: unknown): void => log.debug({ err: error }, 'not done')
const claims = new HolderClaims(
  { network: BENCH_IDENTITY.network, ownAddress, livenessMs: 60_000 },
  {
    client,
    ports: {
      listPeers: () => nodes.map(({ peer, name }) => ({ peer, address: name })),
      listBanned: () => [],
      isNode: (address) => nodes.some(({ name }) => name === address),
      firstPeriodOf: () => 0,
      keepsForEver: () => true,
      isTooSmall: () => false,
      readOwnFirst: async () => (await holdings.readRange())?.first,
    },
    clock: systemClock,
    onFailure,
  },
)
const haveMap = new HaveMap(
  { seed, network: BENCH_IDENTITY.network },
  { holdings, listSlots: () => ALL, clock: systemClock, onFailure },
)
const cpu = new CpuPool({ threads: availableParallelism() })
const puller = new ChunkPuller({
  store: store.chunks,
  client,
  sources: {
    listClaimants: (hashSlot, era, periods) => claims.listClaimants(hashSlot, era, periods),
    peerOf: (address) => claims.peerOf(address),
    listPeers: () =>
      nodes.flatMap(({ peer, name }) =>
        name === ownAddress ? [] : [{ peer, firstPeriod: 0, endPeriod: LAST_PERIOD }],
      ),
  },
  onWrong: onFailure,
  cpu,
  clock: systemClock,
  random: (maxExclusive) => Math.floor(Math.random() * maxExclusive),
  log,
})
const patrol = new Patrol({
  store: store.chunks,
  duty: { of: () => 'assigned', listSlots: () => ALL },
  holdings,
  puller,
  clock: systemClock,
  log,
  onPulled: () => {},
})
const board = new AnnouncementBoard({
  network: node,
  store: store.chunks,
  holdings,
  claims,
  ports: {
    addressOf: (peerId) => nodes.find((each) => each.peerId === toHex(peerId))?.name,
    isNode: (address) => nodes.some(({ name }) => name === address),
    countNodes: () => nodes.length,
    newestPeriod: () => newest,
    onAnnounced: (firstPeriod, lastPeriod) => patrol.hear(firstPeriod, lastPeriod),
    onExcess: () => {},
  },
  clock: fastClock,
  log,
  onResult: () => {},
})
const announcer = new Announcer({
  store: store.chunks,
  holdings,
  network: node,
  ownPlace: () => ({ nodes: nodes.length, position: Number(position), slots: ALL }),
  clock: fastClock,
  onAnnounced: () => {},
  onFailure,
})
await node.serve('chunk', createChunkService(store.chunks))
await node.serve('have', createHaveService(haveMap))

async function connect(all: readonly AnnounceReady[]): Promise<void> {
  nodes = all
  for (const { address } of all.slice(Number(position) + 1)) await node.dial(address)
  while (node.peers.length < all.length - 1 || node.subscribersOf('announce').length < all.length - 1) {
    await sleep(POLL_MS)
  }
}

async function write(period: Period, isHeld: boolean): Promise<void> {
  const made = makePeriod(period, { ...QUIET_PERIOD, isSigned: true })
  await store.chunks.writePeriod(made)
  if (!isHeld) await store.chunks.dropChunks(period, [...made.chunks.keys()])
  holdings.note(period)
  newest = period
}

/** @returns when it was told, ms since 1970 */
async function announce(period: Period): Promise<number> {
  while (announcer.announcedTo !== period) {
    const atMs = Date.now()
    await announcer.look()
    if (announcer.announcedTo === period) return atMs
    await sleep(POLL_MS)
  }
  throw new Error(`period ${period} was announced before`)
}

/** @returns when all of it was held, ms since 1970 */
async function waitFor(period: Period): Promise<number> {
  for (;;) {
    const holding = await store.chunks.readHolding(period)
    if (!holding || holding.missingChunks.length === 0) return Date.now()
    await sleep(POLL_MS)
  }
}

async function obey(order: AnnounceOrder): Promise<unknown> {
  if (order.do === 'connect') return await connect(order.nodes)
  if (order.do === 'write') return await write(order.period, order.isHeld)
  return order.do === 'announce' ? await announce(order.period) : await waitFor(order.period)
}

const running = [board.start(), claims.start(), haveMap.start(), patrol.start()]
process.on('message', async (order: AnnounceOrder) => {
  process.send?.((await obey(order)) ?? {})
})
process.once('disconnect', async () => {
  await puller.stop()
  await Promise.all([board.stop(), claims.stop(), haveMap.stop(), patrol.stop(), ...running])
  await cpu.close()
  await node.stop()
  await store.close()
})
const ready: AnnounceReady = {
  peer: node.peer,
  peerId: toHex(node.peerId),
  name: ownAddress,
  address: node.addresses[0] ?? '',
}
process.send?.(ready)
