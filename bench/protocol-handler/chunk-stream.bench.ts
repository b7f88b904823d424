import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { computeChunkId, fromHex } from '../../core/index.ts'
import { systemClock } from '../../daemon/system-clock.ts'
import { PeerClient } from '../../storage-worker/peers/peer-client.ts'
import type { BenchRow } from '../bench-row.ts'
import { CpuPool } from '../built.ts'
import { median, withFolder } from '../storage-worker/bench-archive.ts'
import { BareAsker } from './bare-peers.ts'
import { openBenchPeer } from './bench-peer.ts'
import { startDelay } from './delay-proxy.ts'
import type { ServerReady } from './serve-chunks-child.ts'

/*
 * Question: what do our layers cost over libp2p, when one process pulls chunks from another? Input: chunks of 1 MiB from
 * full periods, MASSA_STORAGE_BENCH_MB (default 300) of them, twelve requests at a time; over loopback, and through a TCP
 * proxy that holds everything for 25 ms in each direction. Measured: PeerNode, chunk service, PeerClient, which checks
 * each chunk as it comes; the service over memory, and over a store on disk, which checks each chunk as it is read.
 *
 * Baselines: the same bytes from memory, by bare libp2p (TCP, Noise, Yamux, as they come) over as many streams that are
 * kept and with as many requests in flight; and the same with the leaf tree of each chunk that comes ("checked").
 *
 * The asker hashes in a thread beside the streams, as a sidecar does: its main thread takes all of its time for libp2p. The two
 * processes and that thread share the processors, so on two of them the first is the most that can be asked for.
 */

const TOTAL_CHUNKS = Math.round(Number(process.env.MASSA_STORAGE_BENCH_MB ?? 300))
const ROUNDS = 3
const IN_FLIGHT = 12
const ONE_WAY_MS = 25
const GOAL = 0.8

type Pull = (chunkId: Uint8Array) => Promise<void>

export async function run(): Promise<BenchRow[]> {
  return await withFolder(async (folder) => {
    const child = fork(fileURLToPath(new URL('./serve-chunks-child.ts', import.meta.url)), [folder])
    const [ready] = (await once(child, 'message')) as [ServerReady]
    try {
      return [...(await measure('loopback', ready, 0)), ...(await measure('50 ms there and back', ready, ONE_WAY_MS))]
    } finally {
      await end(child)
    }
  })
}

async function measure(where: string, ready: ServerReady, oneWayMs: number): Promise<BenchRow[]> {
  const chunkIds = ready.chunkIds.map(fromHex)
  const addresses = [ready.memoryAddress, ready.diskAddress, ready.bareAddress]
  const ways = await Promise.all(addresses.map((address) => startDelay(address, oneWayMs)))
  const [memory = '', disk = '', bare = ''] = ways.map(({ address }) => address)
  const node = await openBenchPeer('asker')
  const cpu = new CpuPool({ threads: availableParallelism() })
  const client = new PeerClient(node, () => {}, { clock: systemClock, identify: (chunk) => cpu.identifyChunk(chunk) })
  const pullFrom = (peer: string): Pull => {
    return async (chunkId) => {
      const { status } = await client.fetchChunk(peer, chunkId)
      if (status !== 'ok') throw new Error(`a chunk is ${status}`)
    }
  }
  const asker = await BareAsker.connect(bare)
  const pulls: Record<'memory' | 'checked' | 'bare' | 'disk', Pull> = {
    memory: pullFrom(await node.dial(memory)),
    checked: async () => {
      computeChunkId(await asker.ask())
    },
    bare: async () => {
      await asker.ask()
    },
    disk: pullFrom(await node.dial(disk)),
  }
  const rates: Record<keyof typeof pulls, number[]> = { memory: [], checked: [], bare: [], disk: [] }
  for (const pull of Object.values(pulls)) await pullAll(pull, chunkIds, 3 * IN_FLIGHT)
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, pull] of Object.entries(pulls)) {
      rates[name as keyof typeof pulls].push(await pullAll(pull, chunkIds, TOTAL_CHUNKS))
    }
  }
  await Promise.all([node.stop(), asker.stop(), cpu.close()])
  await Promise.all(ways.map((way) => way.stop()))
  const row = (ours: 'memory' | 'disk', against: 'checked' | 'bare', goal: number | undefined): BenchRow => {
    // Of neighbours in time: a machine has better and worse minutes.
    const ratio = median(rates[ours].map((rate, round) => rate / (rates[against][round] ?? 0)))
    return {
      question: `${TOTAL_CHUNKS} chunks of 1 MiB from the ${ours} of one process to another, ${where}`,
      measured: `${median(rates[ours]).toFixed(0)} MiB/s`,
      baseline: `${median(rates[against]).toFixed(0)} MiB/s libp2p from memory${against === 'checked' ? ', checked' : ''}`,
      ratio,
      goal: goal === undefined ? '-' : `>= ${goal}`,
      holds: ratio >= (goal ?? 0),
    }
  }
  return [row('memory', 'checked', GOAL), row('memory', 'bare', GOAL), row('disk', 'checked', undefined)]
}

/** @returns MiB a second */
async function pullAll(pull: Pull, chunkIds: readonly Uint8Array[], count: number): Promise<number> {
  const startedMs = performance.now()
  let next = 0
  const work = async (): Promise<void> => {
    while (next < count) await pull(chunkIds[next++ % chunkIds.length] ?? new Uint8Array())
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, work))
  return (count * 1_000) / (performance.now() - startedMs)
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.disconnect()
  await ended
}
