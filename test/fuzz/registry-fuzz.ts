import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { least } from '../reference/registry-model/extremes.ts'
import { readContractCode } from './registry/contract-code.ts'
import { formatCoverage, mergeCoverage, type PlainCoverage, toPlainCoverage } from './registry/coverage.ts'
import { type Coverage, runSeed } from './registry/run-sequence.ts'
import { describeFailure, shrink } from './registry/shrink.ts'

/*
 * Random call sequences on the shipped wasm and on the model, by seed, on several processes:
 *   --from 1 --count 10000 --workers 2
 * A run that was stopped goes on with `--from` as its last line of progress says.
 */

const REPORT_EVERY_MS = 10_000
/** Seeds a worker is given at a time: what is behind the last line of progress is done. */
const BATCH = 20

interface Batch {
  readonly from: string
  readonly count: number
}

interface BatchReport {
  readonly steps: number
  readonly calls: number
  readonly failures: readonly string[]
  readonly coverage: PlainCoverage
}

if (process.argv[2] === 'worker') serve()
else await direct()

/** Runs the batches that the parent sends. */
function serve(): void {
  process.on('message', ({ from, count }: Batch) => {
    const coverage: Coverage = new Map()
    const failures: string[] = []
    let steps = 0
    let calls = 0
    for (let seed = BigInt(from); seed < BigInt(from) + BigInt(count); seed++) {
      const run = runSeed(seed, coverage)
      steps += run.steps
      calls += run.calls
      if (run.failure) failures.push(describeFailure(seed, shrink(run.failure)))
    }
    process.send?.({ steps, calls, failures, coverage: toPlainCoverage(coverage) } satisfies BatchReport)
  })
  process.on('disconnect', () => process.exit(0))
}

/** Hands out the seeds, adds up what comes back, fails when anything failed. */
async function direct(): Promise<void> {
  const { values } = parseArgs({
    options: {
      from: { type: 'string', default: '1' },
      count: { type: 'string', default: '10000' },
      workers: { type: 'string', default: '2' },
    },
  })
  console.log(`contract sha256 ${createHash('sha256').update(readContractCode()).digest('hex')}`)
  const from = BigInt(values.from)
  const end = from + BigInt(values.count)
  const coverage: Coverage = new Map()
  const unfinished = new Set<bigint>()
  let next = from
  let sequences = 0
  let steps = 0
  let calls = 0
  let failed = 0
  const startMs = performance.now()
  const report = () => {
    const seconds = (performance.now() - startMs) / 1000
    const resume = least(next, ...unfinished)
    const rates = `${(sequences / seconds).toFixed(1)} sequences/s, ${(calls / seconds).toFixed(0)} calls/s`
    console.log(
      `${sequences} sequences, ${calls} calls in ${steps} steps, ${failed} failed; ${rates}; go on with --from ${resume}`,
    )
  }
  const timer = setInterval(report, REPORT_EVERY_MS)
  const runWorker = async (): Promise<void> => {
    const worker = fork(fileURLToPath(import.meta.url), ['worker'])
    try {
      while (next < end) {
        const first = next
        const count = Number(end - first < BigInt(BATCH) ? end - first : BigInt(BATCH))
        next += BigInt(count)
        unfinished.add(first)
        const done = await new Promise<BatchReport>((resolve, reject) => {
          worker.once('message', resolve)
          worker.once('exit', (code) => reject(new Error(`a worker ended with ${code} at seed ${first}`)))
          worker.send({ from: String(first), count } satisfies Batch)
        })
        worker.removeAllListeners('exit')
        unfinished.delete(first)
        sequences += count
        steps += done.steps
        calls += done.calls
        failed += done.failures.length
        for (const failure of done.failures) console.log(`${failure}\nagain with --from <the seed> --count 1`)
        mergeCoverage(coverage, done.coverage)
      }
    } finally {
      worker.disconnect()
    }
  }
  await Promise.all(Array.from({ length: Number(values.workers) }, runWorker))
  clearInterval(timer)
  report()
  console.log(formatCoverage(coverage))
  if (failed > 0) process.exitCode = 1
}
