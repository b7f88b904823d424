import { cp, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { type EraAnchor, fromHex, type Period } from '../../core/index.ts'
import { REGISTERED_ASK_LIMITS } from '../../daemon/peers/shares.ts'
import { systemClock } from '../../daemon/system-clock.ts'
import { Bootstrap } from '../../storage-worker/bootstrap/bootstrap.ts'
import { PacedPeers } from '../../storage-worker/bootstrap/paced-peers.ts'
import { PeerClient } from '../../storage-worker/peers/peer-client.ts'
import { createLogger } from '../../telemetry/index.ts'
import { CpuPool } from '../built.ts'
import { openBenchPeer } from '../protocol-handler/bench-peer.ts'
import { openBenchStore } from '../storage-worker/bench-archive.ts'
import { BareArchive } from './bare-archive.ts'
import type { PeerReady } from './bootstrap-peer-child.ts'

/*
 * The one that joins: its archive has only the newest periods, and Bootstrap fetches what came before; or bare libp2p fetches
 * as many bytes into bare classic-level. Argument: its folder, where `new` is that archive. Does what its parent says, and
 * ends when that lets go of it.
 */

export type JoinOrder =
  | { readonly do: 'connect'; readonly peers: readonly PeerReady[] }
  /** Of each anchored era what the registry says; none: everything is linked. */
  | { readonly do: 'join'; readonly wantedFrom: Period; readonly last: Period; readonly anchors: readonly SentAnchor[] }
  | { readonly do: 'bare'; readonly chunks: number; readonly chunkBytes: number }

/** An anchor as it is sent from process to process. */
export interface SentAnchor {
  readonly era: number
  readonly rootHex: string
  readonly totalBytes: number
  readonly totalChunks: number
}

/** Of the fetching alone. */
export interface Joined {
  readonly seconds: number
}

const [folder = ''] = process.argv.slice(2)
const node = await openBenchPeer('joiner')
const bare = await BareArchive.open(join(folder, 'bare'))
const cpu = new CpuPool({ threads: availableParallelism() })
const log = createLogger({ level: 'error', format: 'json', destination: { write: (line) => console.error(line) } })
let rounds = 0

/** As the sidecar does it, into an archive of its own that is deleted then. */
async function joinFrom({ wantedFrom, last, anchors }: JoinOrder & { readonly do: 'join' }): Promise<Joined> {
  const own = join(folder, `joined ${rounds++}`)
  await cp(join(folder, 'new'), own, { recursive: true })
  const store = await openBenchStore(own)
  const bootstrap = new Bootstrap(
    { retentionPeriods: last - wantedFrom + 1, restartPeriods: [] },
    {
      store: store.chunks,
      client: new PeerClient(node, fail, { clock: systemClock, identify: (chunk) => cpu.identifyChunk(chunk) }),
      asked: new PacedPeers(
        {
          listPeers: () => node.peers.map((peer) => ({ peer, firstPeriod: 0, endPeriod: last + 1 })),
          onWrong: (peer) => fail(peer, 'something wrong'),
          onFailure: (error) => {
            throw error
          },
          clock: systemClock,
        },
        REGISTERED_ASK_LIMITS,
      ),
      cpu,
      findAnchored: async (era) => anchors.filter((anchor) => anchor.era === era).map(readAnchor)[0],
      finalPeriod: () => undefined,
      hasRoom: async () => true,
      onWritten: async () => {},
      clock: systemClock,
      log,
    },
  )
  const startedMs = performance.now()
  await bootstrap.look()
  const seconds = (performance.now() - startedMs) / 1_000
  const { state, waitsFor, absentChunks } = bootstrap.status() ?? {}
  if (state !== 'done' || absentChunks !== 0) throw new Error(`bootstrap is ${state}, waits for ${waitsFor}`)
  await store.close()
  await rm(own, { recursive: true })
  return { seconds }
}

function readAnchor({ era, rootHex, totalBytes, totalChunks }: SentAnchor): EraAnchor {
  return {
    era,
    root: fromHex(rootHex),
    placementRoot: new Uint8Array(32),
    totalBytes: BigInt(totalBytes),
    totalChunks: BigInt(totalChunks),
    anchoredPeriod: 0n,
  }
}

function fail(peer: string, offence: string): never {
  throw new Error(`${peer}: ${offence}`)
}

async function pullBare(chunks: number, chunkBytes: number): Promise<Joined> {
  const startedMs = performance.now()
  await bare.pull(chunks, chunkBytes)
  return { seconds: (performance.now() - startedMs) / 1_000 }
}

async function obey(order: JoinOrder): Promise<unknown> {
  if (order.do === 'join') return await joinFrom(order)
  if (order.do === 'bare') return await pullBare(order.chunks, order.chunkBytes)
  for (const { address } of order.peers) await node.dial(address)
  await bare.connect(order.peers.map(({ bareAddress }) => bareAddress))
  return {}
}

process.on('message', async (order: JoinOrder) => {
  process.send?.(await obey(order))
})
process.once('disconnect', async () => {
  await Promise.all([node.stop(), bare.stop()])
  await cpu.close()
})
process.send?.({})
