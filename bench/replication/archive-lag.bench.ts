import { setTimeout as sleep } from 'node:timers/promises'
import { concatBytes, fromHex, isArchiveError } from '../../core/index.ts'
import { systemClock } from '../../daemon/system-clock.ts'
import { chunkRequestCodec } from '../../protocol-handler/index.ts'
import { formatProtocolId } from '../../protocol-handler/network-name.ts'
import { PeerClient } from '../../storage-worker/peers/peer-client.ts'
import { Attacker, prefixed } from '../../test/protocol-handler/attacker.ts'
import type { BenchRow } from '../bench-row.ts'
import { ask, endChildren, hear, startChild } from '../children.ts'
import { openBenchPeer } from '../protocol-handler/bench-peer.ts'
import { BENCH_IDENTITY, median, withFolder } from '../storage-worker/bench-archive.ts'
import type { FollowOrder, LagReady } from './lag-child.ts'

/*
 * Question: does a slow peer, or a slow disk beneath what peers are served, delay following the chain? Input: a process that
 * archives MASSA_STORAGE_BENCH_LAG_PERIODS (default 60) periods of a made chain (sparse blocks), one each 250 ms; another
 * fetches chunks of 1 MiB from it meanwhile, two at a time. Measured: p95 of the time from the last block of a period until
 * it is on disk; with 8 peers more who each ask for 1,000 chunks on four streams and read none; with 500 ms for every read of a
 * chunk. Baseline: the same without, in turns.
 *
 * Equal within noise: by a quarter, or as far as the rounds of the baseline lie apart, but no more than by half.
 */

const PERIODS = Number(process.env.MASSA_STORAGE_BENCH_LAG_PERIODS ?? 60)
const PACE_MS = 250
const ROUNDS = 3
const SLOW_PEERS = 8
const STREAMS = 4
const REQUESTS = 250
const DISK_DELAY_MS = 500
const IN_FLIGHT = 2
const BUSY_MS = 50
const LEAST_NOISE = 1.25
const MOST_NOISE = 1.5

export async function run(): Promise<BenchRow[]> {
  return await withFolder(async (folder) => {
    const child = startChild(new URL('./lag-child.ts', import.meta.url), [folder, String(PERIODS), String(PACE_MS)])
    const ready = await hear<LagReady>(child)
    const fetching = await startFetching(ready)
    const follow = (diskDelayMs: number) => ask<number[]>(child, { diskDelayMs } satisfies FollowOrder)
    try {
      const lags: Record<'plain' | 'peer' | 'disk', number[]> = { plain: [], peer: [], disk: [] }
      // For the compilers.
      await follow(0)
      for (let round = 0; round < ROUNDS; round++) {
        lags.plain.push(p95(await follow(0)))
        const stop = await startSlowPeers(ready, round)
        lags.peer.push(p95(await follow(0)))
        await stop()
        lags.disk.push(p95(await follow(DISK_DELAY_MS)))
      }
      const noise = Math.min(MOST_NOISE, Math.max(LEAST_NOISE, Math.max(...lags.plain) / Math.min(...lags.plain)))
      const row = (what: 'peer' | 'disk', name: string): BenchRow => {
        const ratio = median(lags[what]) / median(lags.plain)
        return {
          question: `archive lag of ${PERIODS} periods with ${name}`,
          measured: `p95 ${median(lags[what]).toFixed(0)} ms`,
          baseline: `p95 ${median(lags.plain).toFixed(0)} ms without (${list(lags.plain)})`,
          ratio,
          goal: `<= ${noise.toFixed(2)}`,
          holds: ratio <= noise,
        }
      }
      return [
        row('peer', `${SLOW_PEERS} peers that ask and do not read`),
        row('disk', `a disk that takes ${DISK_DELAY_MS} ms for each chunk a peer gets`),
      ]
    } finally {
      await fetching.stop()
      await endChildren([child])
    }
  })
}

/** A peer that takes what it asks for. */
async function startFetching({ address, chunkIds }: LagReady): Promise<{ stop(): Promise<void> }> {
  const node = await openBenchPeer('fetches')
  const client = new PeerClient(node, () => {}, { clock: systemClock })
  const peer = await node.dial(address)
  let isOver = false
  const work = async (): Promise<void> => {
    for (let i = 0; !isOver; i++) {
      try {
        const { status } = await client.fetchChunk(peer, fromHex(chunkIds[i % chunkIds.length] ?? ''))
        if (status !== 'ok') await sleep(BUSY_MS)
      } catch (error) {
        if (!isArchiveError(error)) throw error
        await sleep(BUSY_MS)
      }
    }
  }
  const running = Array.from({ length: IN_FLIGHT }, work)
  return {
    async stop() {
      isOver = true
      await Promise.all(running)
      await node.stop()
    },
  }
}

/** Peers that ask on all their streams, and take nothing. */
async function startSlowPeers({ address, chunkIds }: LagReady, round: number): Promise<() => Promise<void>> {
  const protocol = formatProtocolId(BENCH_IDENTITY, 'chunk')
  for (let i = 0; i < SLOW_PEERS; i++) {
    const peer = await Attacker.connect(`slow ${round} ${i}`, address)
    for (let n = 0; n < STREAMS; n++) {
      const stream = await peer.open(protocol)
      stream.pause()
      const requests = Array.from({ length: REQUESTS }, (_, request) => {
        const chunkId = fromHex(chunkIds[request % chunkIds.length] ?? '')
        return prefixed(chunkRequestCodec.encode({ wanted: 'chunk', chunkId }))
      })
      stream.send(concatBytes(...requests))
    }
  }
  return () => Attacker.stopAll()
}

function p95(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? Number.NaN
}

function list(values: readonly number[]): string {
  return values.map((value) => value.toFixed(0)).join(', ')
}
