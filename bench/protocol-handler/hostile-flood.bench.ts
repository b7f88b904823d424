import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { fromHex, isArchiveError } from '../../core/index.ts'
import { systemClock } from '../../daemon/system-clock.ts'
import { PeerClient } from '../../storage-worker/peers/peer-client.ts'
import type { BenchRow } from '../bench-row.ts'
import { withFolder } from '../storage-worker/bench-archive.ts'
import { openBenchPeer } from './bench-peer.ts'
import type { FloodedReady, Measured } from './flooded-child.ts'

/*
 * Question: what do 50 hostile peers cost a node, and what does an honest peer get of it meanwhile? Input: attackers in one
 * other process, as fast as it can: audits, chunks, blocks, rubbish, validly signed gossip of their own and of friends;
 * whoever is cut off comes back under another name. MASSA_STORAGE_BENCH_FLOOD_S (default 10) seconds of it, without a
 * registry and with one in which the honest peer is. The honest peer fetches chunks of 1 MiB, two at a time; its baseline is
 * what it gets before the flood.
 *
 * Less than one core, and a loop that turns: who follows the chain misses no period of 16 seconds.
 */

const FLOOD_MS = Number(process.env.MASSA_STORAGE_BENCH_FLOOD_S ?? 10) * 1_000
const QUIET_MS = 3_000
const ATTACKERS = 50
const IN_FLIGHT = 2
const GOAL_CORES = 1
const GOAL_LAG_MS = 1_000

export async function run(): Promise<BenchRow[]> {
  return [...(await measure('no registry')), ...(await measure('registry'))]
}

async function measure(name: 'no registry' | 'registry'): Promise<BenchRow[]> {
  return await withFolder(async (folder) => {
    const honest = await openBenchPeer('honest')
    const flooded = start('flooded-child', [folder, name === 'registry' ? honest.peer : ''])
    const ready = (await tell(flooded)) as FloodedReady
    const client = new PeerClient(honest, () => {}, { clock: systemClock })
    const peer = await honest.dial(ready.address)
    const fetch = (durationMs: number) => fetchFor(durationMs, client, peer, ready.chunkIds)
    flooded.send('measure')
    const before = await fetch(QUIET_MS)
    const quiet = (await ask(flooded, 'measure')) as Measured
    const attackers = start('attackers-child', [JSON.stringify(ready), String(ATTACKERS)])
    await tell(attackers)
    flooded.send('measure')
    const during = await fetch(FLOOD_MS)
    const flood = (await ask(flooded, 'measure')) as Measured
    const spent = Number(await ask(attackers, 'end'))
    flooded.disconnect()
    await Promise.all([honest.stop(), once(flooded, 'exit')])
    const where = `${ATTACKERS} hostile peers, ${name}`
    return [
      {
        question: `${where}: processor of the node, ${flood.bans} banned in ${FLOOD_MS / 1_000} s`,
        measured: `${flood.cpu.toFixed(2)} cores`,
        baseline: `${spent.toFixed(2)} cores of the attackers; ${quiet.cpu.toFixed(2)} of the node before`,
        ratio: flood.cpu / GOAL_CORES,
        goal: `< ${GOAL_CORES} core`,
        holds: flood.cpu < GOAL_CORES,
      },
      {
        question: `${where}: longest turn of its event loop`,
        measured: `${flood.maxMs.toFixed(0)} ms, p99 ${flood.p99Ms.toFixed(0)} ms`,
        baseline: `${quiet.maxMs.toFixed(0)} ms, p99 ${quiet.p99Ms.toFixed(0)} ms before`,
        ratio: flood.maxMs / quiet.maxMs,
        goal: `< ${GOAL_LAG_MS} ms`,
        holds: flood.maxMs < GOAL_LAG_MS,
      },
      {
        question: `${where}: chunks of 1 MiB that an honest peer gets`,
        measured: `${during.chunksPerSecond.toFixed(1)} /s, ${during.busy} times busy, ${during.failures} failures`,
        baseline: `${before.chunksPerSecond.toFixed(1)} /s before`,
        ratio: during.chunksPerSecond / before.chunksPerSecond,
        goal: '> 0',
        holds: during.chunksPerSecond > 0,
      },
    ]
  })
}

async function fetchFor(durationMs: number, client: PeerClient, peer: string, chunkIds: readonly string[]) {
  const untilMs = performance.now() + durationMs
  const counts = { chunks: 0, busy: 0, failures: 0 }
  const one = async (): Promise<void> => {
    for (let i = 0; performance.now() < untilMs; i++) {
      try {
        const { status } = await client.fetchChunk(peer, fromHex(chunkIds[i % chunkIds.length] ?? ''))
        if (status === 'ok') counts.chunks++
        else counts.busy++
        if (status !== 'ok') await setTimeout(50)
      } catch (error) {
        if (!isArchiveError(error)) throw error
        counts.failures++
        await setTimeout(50)
      }
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, one))
  return { ...counts, chunksPerSecond: (counts.chunks * 1_000) / durationMs }
}

function start(file: 'flooded-child' | 'attackers-child', words: readonly string[]): ChildProcess {
  return fork(fileURLToPath(new URL(`./${file}.ts`, import.meta.url)), [...words])
}

async function tell(child: ChildProcess): Promise<unknown> {
  const [message] = await once(child, 'message')
  return message
}

async function ask(child: ChildProcess, question: string): Promise<unknown> {
  const answer = tell(child)
  child.send(question)
  return await answer
}
