import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { type ArchivedPeriod, buildOperationProof, type Slot, verifyProof } from '../../core/index.ts'
import { bundleForBrowsers } from '../../scripts/browser-bundles.ts'
import { openPage, startChromium } from '../../test/browser/chromium.ts'
import { servePage } from '../../test/browser/page-server.ts'
import { listRecordedSlots, recordedSource } from '../../test/browser/recorded-source.ts'
import { RECORDINGS } from '../../test/devnet/fixture.ts'
import { readRecordedPeriods } from '../../test/recorded-periods.ts'
import { makePeriod } from '../../test/storage-worker/synthetic-period.ts'
import type { BenchRow } from '../bench-row.ts'
import { BENCH_IDENTITY, median } from '../storage-worker/bench-archive.ts'

/*
 * Question: how long does a reader of the explorer wait for the proof of one operation to be verified, and how much does he load for it?
 * Input: operations of a real node, each with its proof as the JSON text that a gateway sends; and of full periods, 32 blocks of 300 kB, the
 * last operation of each: of few large operations, and of many small ones, where a proof shows nearly all of BODY. Baseline: Node on the
 * same texts in the same run. Above 50 ms a list of ten operations is felt.
 */

const ROUNDS = 100
const GOAL_MS = 50
const GOAL_BYTES = 60_000

interface Asked {
  readonly id: string
  readonly text: string
}

export async function run(): Promise<BenchRow[]> {
  const scripts = await bundleForBrowsers()
  const served = await servePage(scripts)
  const browser = await startChromium()
  try {
    const { periods } = await readRecordedPeriods(RECORDINGS.push, BENCH_IDENTITY.chunkSizeBytes)
    const full = { identity: BENCH_IDENTITY, blocks: 32, isSigned: true }
    const inputs = {
      'of a real node': await proveOperations(periods, ROUNDS),
      'of a full period of large operations': await proveOperations(
        [makePeriod(1, { ...full, operations: 30, operationBytes: 10_000 })],
        1,
      ),
      'of a full period of small operations': await proveOperations(
        [makePeriod(1, { ...full, operations: 1000, operationBytes: 200 })],
        1,
      ),
    }
    const rows: BenchRow[] = []
    for (const [name, asked] of Object.entries(inputs)) {
      const page = await openPage(browser, served.url)
      const [first = Number.NaN, ...times] = await verifyInPage(page, `${served.url}browser/verify.js`, asked)
      await page.close()
      rows.push(compare(name, { first, times, node: verifyHere(asked), asked }))
    }
    return [...rows, weigh(scripts)]
  } finally {
    await browser.close()
    served.close()
  }
}

/** The last operations, newest first. */
async function proveOperations(periods: readonly ArchivedPeriod[], count: number): Promise<Asked[]> {
  const source = recordedSource(periods)
  const places = listRecordedSlots(periods)
    .flatMap(({ slot, operationIds }) => operationIds.map((id): [Slot, string] => [slot, id]))
    .slice(-count)
    .reverse()
  return Promise.all(
    places.map(async ([slot, id]) => ({ id, text: JSON.stringify(await buildOperationProof(source, slot, id)) })),
  )
}

/** In ms; the first is that of a page that was just loaded. */
function verifyInPage(page: Page, url: string, asked: readonly Asked[]): Promise<number[]> {
  return page.evaluate(
    async ({ url, asked, rounds }) => {
      const { verifyProof } = (await import(url)) as typeof import('../../core/verify.ts')
      const times: number[] = []
      for (let i = 0; i <= rounds; i++) {
        const { id, text } = asked[i % asked.length] ?? { id: '', text: '' }
        const start = performance.now()
        verifyProof(text, { kind: 'operation', id })
        times.push(performance.now() - start)
      }
      return times
    },
    { url, asked, rounds: ROUNDS },
  )
}

function verifyHere(asked: readonly Asked[]): number[] {
  const times: number[] = []
  for (let i = 0; i <= ROUNDS; i++) {
    const { id, text } = asked[i % asked.length] ?? { id: '', text: '' }
    const start = performance.now()
    verifyProof(text, { kind: 'operation', id })
    if (i > 0) times.push(performance.now() - start)
  }
  return times
}

function compare(
  name: string,
  measured: {
    readonly first: number
    readonly times: readonly number[]
    readonly node: readonly number[]
    readonly asked: readonly Asked[]
  },
): BenchRow {
  const { first, times, node, asked } = measured
  const middle = median(times)
  const length = median(asked.map(({ text }) => text.length))
  return {
    question: `verifying an operation ${name} in Chromium, proof of ${(length / 1000).toFixed(0)} kB`,
    measured: `median ${middle.toFixed(1)} ms, p95 ${findP95(times).toFixed(1)}, the first ${first.toFixed(0)}`,
    baseline: `Node: median ${median(node).toFixed(1)} ms, p95 ${findP95(node).toFixed(1)}`,
    ratio: middle / median(node),
    goal: `median < ${GOAL_MS} ms`,
    holds: middle < GOAL_MS,
  }
}

function weigh(scripts: ReadonlyMap<string, Uint8Array>): BenchRow {
  const bytes = gzipSync(scripts.get('browser/verify.js') ?? '', { level: 9 }).length
  return {
    question: 'the verifier as one file, compressed',
    measured: `${bytes} bytes`,
    baseline: `${GOAL_BYTES} bytes`,
    ratio: bytes / GOAL_BYTES,
    goal: '<= 1',
    holds: bytes <= GOAL_BYTES,
  }
}

function findP95(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.ceil(times.length * 0.95) - 1] ?? Number.NaN
}
