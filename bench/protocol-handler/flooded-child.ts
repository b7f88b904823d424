import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { CHUNK_SIZE_BYTES, toHex } from '../../core/index.ts'
import { SHARE, STRANGER_SHARE, WORK } from '../../daemon/peers/shares.ts'
import { systemClock } from '../../daemon/system-clock.ts'
import {
  Bindings,
  ConnectionRates,
  capabilitiesCodec,
  GossipRates,
  PeerLimits,
  PeerScores,
  RefusedPeers,
  WorkQueue,
} from '../../protocol-handler/index.ts'
import { PeerNode } from '../../protocol-handler/peer-node.ts'
import { createAuditService } from '../../storage-worker/peers/audit-service.ts'
import { createBlockService } from '../../storage-worker/peers/block-service.ts'
import { createChunkService } from '../../storage-worker/peers/chunk-service.ts'
import { BENCH_IDENTITY, FULL_PERIOD, makePeriods, openBenchStore } from '../storage-worker/bench-archive.ts'

/*
 * The process that is flooded: a PeerNode with the bounds of a sidecar, over a store in the folder that is its first
 * argument. The second is the PeerId that a registry knows; empty: there is no registry. `measure` begins a measurement,
 * the next one ends it and tells it. Ends when its parent lets go of it.
 */

export interface FloodedReady {
  readonly address: string
  /** Of whole chunks, 64 hex digits each. */
  readonly chunkIds: readonly string[]
  readonly periods: number
}

export interface Measured {
  /** Of one core. */
  readonly cpu: number
  /** Of the event loop. */
  readonly p99Ms: number
  readonly maxMs: number
  readonly bans: number
}

const PERIODS = 4

const [folder, registered = ''] = process.argv.slice(2)
if (folder === undefined) throw new Error('where to?')
const store = await openBenchStore(join(folder, 'data'))
const periods = makePeriods(PERIODS, FULL_PERIOD)
for (const period of periods) await store.chunks.writePeriod(period)

const isRegistered = (peer: string): boolean => peer === registered
const isStranger = (peer: string): boolean => registered !== '' && !isRegistered(peer)
const scores = new PeerScores(systemClock)
const queue = new WorkQueue(WORK, systemClock)
let bans = 0
const node = await PeerNode.start(
  {
    identity: BENCH_IDENTITY,
    seed: new Uint8Array(32).fill(1),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    maxConnections: 128,
    mdns: false,
  },
  {
    scores,
    connections: new ConnectionRates(systemClock),
    refused: new RefusedPeers(systemClock),
    rates: new GossipRates((author) => !isRegistered(author), systemClock),
    limits: new PeerLimits((peer) => (isStranger(peer) ? STRANGER_SHARE : SHARE), systemClock),
    queue,
    isStranger,
    onOffence: (_peer, _offence, ban) => {
      if (ban) bans++
    },
    onRefused: () => undefined,
    onFailure: (error) => console.error(error),
  },
)
await node.serve('chunk', createChunkService(store.chunks))
await node.serve('audit', createAuditService(store.chunks))
await node.serve('block', createBlockService(store.chunks))
const bindings = new Bindings(BENCH_IDENTITY.network, () => false)
node.onGossip('capabilities', (bytes, author) => {
  bindings.take(capabilitiesCodec.decode(bytes), author)
})

const delay = monitorEventLoopDelay({ resolution: 5 })
let begun: { readonly atMs: number; readonly cpu: NodeJS.CpuUsage } | undefined
process.on('message', () => {
  if (!begun) {
    bans = 0
    delay.reset()
    delay.enable()
    begun = { atMs: performance.now(), cpu: process.cpuUsage() }
    return
  }
  const { user, system } = process.cpuUsage(begun.cpu)
  const measured: Measured = {
    cpu: (user + system) / 1_000 / (performance.now() - begun.atMs),
    p99Ms: delay.percentile(99) / 1e6,
    maxMs: delay.max / 1e6,
    bans,
  }
  delay.disable()
  begun = undefined
  process.send?.(measured)
})
const ready: FloodedReady = {
  address: node.addresses[0] ?? '',
  chunkIds: periods
    .flatMap(({ manifest }) => manifest.chunks)
    .filter(({ byteLength }) => byteLength === CHUNK_SIZE_BYTES)
    .map(({ chunkId }) => toHex(chunkId)),
  periods: PERIODS,
}
process.send?.(ready)
process.once('disconnect', async () => {
  await queue.stop()
  await node.stop()
  await store.close()
})
