import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { BenchRow } from '../bench-row.ts'
import { CpuPool } from '../built.ts'
import { median, withFolder } from '../storage-worker/bench-archive.ts'
import { BareVerification } from './bare-verification.ts'
import { listSignatures, makeBenchBlocks } from './bench-blocks.ts'
import { ingest, SPARSE_CHAIN } from './ingest.ts'

/*
 * Question: how much does archiving cost beside the signatures, when blocks are as most of mainnet's are: 16
 * endorsements and few operations? Input: 40 periods of a made chain with one operation a block. Baseline: bare
 * Ed25519 of the same signatures by node:crypto on as many threads, in turns with ours. Below 0.7 a catch-up after a
 * pause takes half as long again as it must; below 200 blocks/s it is slow, whatever the reason.
 */

const THREADS = availableParallelism()
const ROUNDS = 5
/** For the compilers, which are at work in the first eight (0.5, 0.3, ... 0.05 ms a block): a sidecar runs for months. */
const WARM_UP_ROUNDS = 8

export async function run(): Promise<BenchRow[]> {
  const blocks = await makeBenchBlocks({ ...SPARSE_CHAIN, periods: 40 })
  const signatures = blocks.flatMap(listSignatures)
  const bare = new BareVerification(signatures, THREADS)
  const cpu = new CpuPool({ threads: THREADS })
  const ours: number[] = []
  const baseline: number[] = []
  await withFolder(async (folder) => {
    for (let round = 0; round < WARM_UP_ROUNDS; round++)
      await ingest(blocks, { cpu, dataDir: join(folder, `${round}`) })
    // Native code: once is enough.
    await bare.run()
    for (let round = WARM_UP_ROUNDS; round < WARM_UP_ROUNDS + ROUNDS; round++) {
      const { seconds } = await ingest(blocks, { cpu, dataDir: join(folder, `${round}`) })
      const bareSeconds = await bare.run()
      ours.push(blocks.length / seconds)
      baseline.push(blocks.length / bareSeconds)
    }
  })
  await cpu.close()
  await bare.close()
  const rate = median(ours)
  const bareRate = median(baseline)
  const perBlock = (signatures.length / blocks.length).toFixed(0)
  return [
    {
      question: `ingest of sparse blocks, ${perBlock} signatures each, ${THREADS} threads`,
      measured: `${rate.toFixed(0)} blocks/s`,
      baseline: `${bareRate.toFixed(0)} blocks/s bare Ed25519`,
      ratio: rate / bareRate,
      goal: '>= 0.7',
      holds: rate / bareRate >= 0.7,
    },
    {
      question: `ingest of sparse blocks, ${perBlock} signatures each, against the least that is wanted`,
      measured: `${rate.toFixed(0)} blocks/s`,
      baseline: '200 blocks/s',
      ratio: rate / 200,
      goal: '>= 1',
      holds: rate >= 200,
    },
  ]
}
