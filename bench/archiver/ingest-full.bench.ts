import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { BenchRow } from '../bench-row.ts'
import { CpuPool } from '../built.ts'
import { median, withFolder } from '../storage-worker/bench-archive.ts'
import { BareVerification } from './bare-verification.ts'
import { listSignatures, makeBenchBlocks } from './bench-blocks.ts'
import { FULL_CHAIN, ingest } from './ingest.ts'
import { LongestTurn } from './longest-turn.ts'

/*
 * Question: does archiving keep up with a chain whose blocks are full, and does the process keep answering meanwhile?
 * Input: 2 periods of 32 blocks with 2,170 transfers each, 300 kB of operations a block. Baselines: what the chain can
 * make at most (2 blocks of 300 kB a second), and bare Ed25519 of the same signatures by node:crypto on as many
 * threads, in turns with ours. Below twice the chain a pause is never caught up. Beside the longest time without an
 * answer stands the CPU time of the longest turn: on a machine that has other work the first is also what that takes.
 */

const THREADS = availableParallelism()
const PERIODS = 2
const ROUNDS = 3
const BLOCK_BYTES = 300_000
const CHAIN_BYTES_PER_SECOND = 2 * BLOCK_BYTES
const DELAY_RESOLUTION_MS = 2

export async function run(): Promise<BenchRow[]> {
  const blocks = await makeBenchBlocks({ ...FULL_CHAIN, periods: PERIODS })
  const signatures = blocks.flatMap(listSignatures)
  const bare = new BareVerification(signatures, THREADS)
  const cpu = new CpuPool({ threads: THREADS })
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })
  const ours: number[] = []
  const baseline: number[] = []
  const longest: number[] = []
  const turn = new LongestTurn()
  const turns: number[] = []
  await withFolder(async (folder) => {
    for (let round = 0; round < ROUNDS; round++) {
      delay.reset()
      delay.enable()
      turn.start()
      const { seconds } = await ingest(blocks, { cpu, dataDir: join(folder, `${round}`) })
      delay.disable()
      turns.push(turn.stop())
      longest.push(delay.max / 1e6)
      ours.push(seconds)
      baseline.push(await bare.run())
    }
  })
  turn.close()
  await cpu.close()
  await bare.close()
  const bytesPerSecond = (blocks.length * BLOCK_BYTES) / median(ours)
  const ofChain = bytesPerSecond / CHAIN_BYTES_PER_SECOND
  const ofBare = median(baseline) / median(ours)
  const delayMs = Math.max(...longest)
  const measured = `${(bytesPerSecond / 1e6).toFixed(2)} MB/s of operations`
  return [
    {
      question: `ingest of full periods, ${THREADS} threads`,
      measured,
      baseline: `${CHAIN_BYTES_PER_SECOND / 1e6} MB/s, the most that the chain makes`,
      ratio: ofChain,
      goal: '>= 2',
      holds: ofChain >= 2,
    },
    {
      question: `ingest of full periods, ${(signatures.length / blocks.length).toFixed(0)} signatures a block, ${THREADS} threads`,
      measured,
      baseline: `${((bytesPerSecond * median(ours)) / median(baseline) / 1e6).toFixed(2)} MB/s bare Ed25519`,
      ratio: ofBare,
      goal: '>= 0.7',
      holds: ofBare >= 0.7,
    },
    {
      question: 'longest time without an answer of the event loop while full periods are archived',
      measured: `${listMs(longest)}; CPU time of the longest turn ${listMs(turns)}`,
      baseline: '100 ms',
      ratio: delayMs / 100,
      goal: '<= 1',
      holds: delayMs <= 100,
    },
  ]
}

function listMs(rounds: readonly number[]): string {
  return `${Math.max(...rounds).toFixed(0)} ms (in ${rounds.length} rounds: ${rounds.map((ms) => ms.toFixed(0)).join(', ')})`
}
