import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { computeHashSlot, type Period } from '../../core/index.ts'
import { REGISTERED_SHARE, WORK } from '../../daemon/peers/shares.ts'
import { systemClock } from '../../daemon/system-clock.ts'
import { createChunkService } from '../../storage-worker/peers/chunk-service.ts'
import { PeerClient } from '../../storage-worker/peers/peer-client.ts'
import { ChunkPuller } from '../../storage-worker/replication/chunk-puller.ts'
import { OwnHoldings } from '../../storage-worker/replication/own-holdings.ts'
import { Patrol } from '../../storage-worker/replication/patrol.ts'
import { createLogger } from '../../telemetry/index.ts'
import { CpuPool } from '../built.ts'
import { openBenchPeer } from '../protocol-handler/bench-peer.ts'
import { openBenchStore } from '../storage-worker/bench-archive.ts'
import { BareArchive } from './bare-archive.ts'

/*
 * One of those that are left: a store, PeerNode with the limits of a sidecar, ChunkPuller and Patrol; and beside it bare
 * libp2p and bare classic-level. Arguments: its folder, its position, how many there are. Does what its parent says, and
 * ends when that lets go of it.
 */

export interface NodeReady {
  readonly peer: string
  readonly address: string
  readonly bareAddress: string
}

/** What this node is to fetch. */
export interface Lost {
  readonly chunks: number
  /** With their SEALS. */
  readonly bytes: number
}

export type Order =
  | { readonly do: 'connect'; readonly nodes: readonly NodeReady[] }
  | { readonly do: 'drop' }
  | { readonly do: 'repair' }
  | { readonly do: 'prepareBare'; readonly chunkBytes: number }
  | { readonly do: 'bare'; readonly chunks: number; readonly chunkBytes: number }

const POLL_MS = 20

const [folder = '', positionText = '', countText = ''] = process.argv.slice(2)
const position = Number(positionText)
const count = Number(countText)

const store = await openBenchStore(join(folder, 'data'))
const node = await openBenchPeer(`node ${position}`, { share: REGISTERED_SHARE, work: WORK })
await node.serve('chunk', createChunkService(store.chunks))
const bare = await BareArchive.open(join(folder, 'bare'))

const cpu = new CpuPool({ threads: availableParallelism() })

let nodes: readonly NodeReady[] = []
const holdings = new OwnHoldings(store.chunks, systemClock)
const log = createLogger({ level: 'error', format: 'json', destination: { write: (line) => console.error(line) } })
const own = Array.from({ length: 16_384 }, (_, hashSlot) => hashSlot).filter((slot) => slot % count === position)

/** Of what the dead node held two others have copies, and one of the rest takes its place. */
const claimantsOf = (hashSlot: number) => [1, 2].map((step) => String((hashSlot + step) % count))

async function connect(all: readonly NodeReady[]): Promise<void> {
  nodes = all
  const others = all.filter((_, i) => i !== position)
  await bare.connect(others.map(({ bareAddress }) => bareAddress))
  for (const { address } of all.slice(position + 1)) await node.dial(address)
  while (node.peers.length < others.length) await sleep(POLL_MS)
}

/** Lets go of what it is to take over. */
async function drop(): Promise<Lost> {
  const periods: Period[] = []
  for await (const { period } of store.chunks.listSummaries({ from: 0, to: 1_000_000 })) periods.push(period)
  const lost = { chunks: 0, bytes: 0 }
  for (const period of periods) {
    const manifest = await store.chunks.readManifest(period)
    const chunks = [...(manifest?.chunks ?? []).entries()].filter(
      ([, { chunkId }]) => computeHashSlot(chunkId) % count === position,
    )
    if (chunks.some(([index]) => index === 0)) lost.bytes += (await store.chunks.readSeals(period))?.length ?? 0
    await store.chunks.dropChunks(
      period,
      chunks.map(([index]) => index),
    )
    lost.chunks += chunks.length
    lost.bytes += chunks.reduce((sum, [, { byteLength }]) => sum + byteLength, 0)
    holdings.note(period)
  }
  return lost
}

/** As the sidecar does it, until nothing is missing. */
async function repair(): Promise<void> {
  const listPeers = () =>
    nodes.flatMap(({ peer }, i) => (i === position ? [] : [{ peer, firstPeriod: 0, endPeriod: 1_000_000 }]))
  const puller = new ChunkPuller({
    store: store.chunks,
    client: new PeerClient(node, fail, { clock: systemClock, identify: (chunk) => cpu.identifyChunk(chunk) }),
    sources: { listClaimants: claimantsOf, peerOf: (address) => nodes[Number(address)]?.peer, listPeers },
    onWrong: (peer) => fail(peer, 'SEALS'),
    cpu,
    clock: systemClock,
    random: (maxExclusive) => Math.floor(Math.random() * maxExclusive),
    log,
  })
  const duty = {
    of: (slot: number) => (slot % count === position ? 'assigned' : undefined),
    listSlots: () => own,
  } as const
  const patrol = new Patrol({
    store: store.chunks,
    duty,
    holdings,
    puller,
    clock: systemClock,
    log,
    onPulled: () => {},
  })
  const running = patrol.start()
  for (;;) {
    const { isKnown, missingChunks } = patrol.report()
    if (isKnown && missingChunks === 0) break
    await sleep(POLL_MS)
  }
  await puller.stop()
  await Promise.all([patrol.stop(), running])
}

function fail(peer: string, offence: string): never {
  throw new Error(`${peer}: ${offence}`)
}

async function obey(order: Order): Promise<unknown> {
  if (order.do === 'connect') return await connect(order.nodes)
  if (order.do === 'drop') return await drop()
  if (order.do === 'repair') return await repair()
  if (order.do === 'prepareBare') return await bare.prepare(order.chunkBytes)
  return await bare.pull(order.chunks, order.chunkBytes)
}

process.on('message', async (order: Order) => {
  process.send?.((await obey(order)) ?? {})
})
process.once('disconnect', async () => {
  await Promise.all([node.stop(), bare.stop()])
  await Promise.all([store.close(), cpu.close()])
})
const ready: NodeReady = { peer: node.peer, address: node.addresses[0] ?? '', bareAddress: bare.address }
process.send?.(ready)
