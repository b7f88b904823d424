import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { attestExecutions } from '../../archiver/attestation.ts'
import { encodeExecution, type SlotExecution } from '../../archiver/execution-results.ts'
import {
  type BlockRecord,
  computeAddress,
  concatBytes,
  formatAddress,
  formatBlockId,
  formatOperationId,
  parseBody,
} from '../../core/index.ts'
import { HistorySync } from '../../storage-worker/history/history-sync.ts'
import { openHistory } from '../../storage-worker/index.ts'
import { makePeriod, noise } from '../../test/storage-worker/synthetic-period.ts'
import type { BenchRow } from '../bench-row.ts'
import { endChildren, hear, startChild } from '../children.ts'
import { BENCH_IDENTITY, median, openBenchStore, QUIET_PERIOD, withFolder } from '../storage-worker/bench-archive.ts'
import { measureRequests } from './http-load.ts'

/*
 * Question: how many answers a second does the gateway give? Input: random ones of 27,000 blocks: of ten requests four are for operations,
 * two for blocks, two for slots, one for a period and one for a page of an address; of paths that are asked again and again, and of paths
 * that each are asked once. Baseline: bare fastify that answers with constants of the same sizes. One process each, asked by another one
 * over 16 connections that stay open.
 */

const PERIODS = 1_000
/** Asked again and again. */
const REPEATED = 5_000
/** Asked once; more than are answered in a round. */
const NEW_PER_ROUND = 15_000
const ROUNDS = 5
/** The archiver's, who attests what executing did. */
const SEED = noise('archiver', 32)
const LOAD = { connections: 16, seconds: 3 } as const

export async function run(): Promise<BenchRow[]> {
  return withFolder(async (folder) => {
    const dataDir = join(folder, 'data')
    const paths = await makeArchive(dataDir)
    const children: ChildProcess[] = []
    try {
      const start = async (words: readonly string[]) => {
        const child = startChild(new URL('./gateway-child.ts', import.meta.url), words)
        children.push(child)
        return hear<number>(child)
      }
      const ours = await start([dataDir])
      const bare = await start([])
      const repeated = paths.slice(0, REPEATED)
      const sizes = await measureSizes(ours, repeated)
      const constants = sizes.map((bytes) => `/${bytes}`)
      const rates = { bare: [] as number[], repeated: [] as number[], asked: [] as number[] }
      for (let round = 0; round < ROUNDS; round++) {
        const start = REPEATED + round * NEW_PER_ROUND
        rates.asked.push(await measureRequests(ours, paths.slice(start, start + NEW_PER_ROUND), LOAD))
        await measureSizes(ours, repeated)
        rates.repeated.push(await measureRequests(ours, repeated, LOAD))
        rates.bare.push(await measureRequests(bare, constants, LOAD))
      }
      const bareRate = median(rates.bare)
      return Object.entries({
        [`${REPEATED} asked again and again`]: rates.repeated,
        'each asked once': rates.asked,
      }).map(([name, own]) => ({
        question: `requests a second, mixed reads of ${PERIODS} quiet periods, ${name}, median of ${median(sizes)} bytes`,
        measured: `${median(own).toFixed(0)}/s`,
        baseline: `bare fastify with constants of the same sizes: ${bareRate.toFixed(0)}/s`,
        ratio: median(own) / bareRate,
        goal: '>= 0.4',
        holds: median(own) / bareRate >= 0.4,
      }))
    } finally {
      await endChildren(children)
    }
  })
}

/** Returns what is asked for. */
export async function makeArchive(dataDir: string): Promise<string[]> {
  const store = await openBenchStore(dataDir)
  const blocks: string[] = []
  const operations: string[] = []
  const addresses = new Set<string>()
  for (let period = 1; period <= PERIODS; period++) {
    const made = makePeriod(period, QUIET_PERIOD)
    const executions = new Map<number, Uint8Array>()
    for (const [thread, slot] of parseBody(concatBytes(...made.chunks)).slots.entries()) {
      if (slot.kind !== 'block') continue
      executions.set(thread, encodeExecution(succeed(slot.record)))
      blocks.push(formatBlockId(slot.record.id))
      for (const { id, publicKey } of slot.record.operations) {
        operations.push(formatOperationId(id))
        addresses.add(formatAddress(computeAddress(publicKey)))
      }
    }
    const executionResults = attestExecutions(executions, { network: BENCH_IDENTITY.network, period }, SEED)
    await store.chunks.writePeriod({ ...made, executionResults })
  }
  const { index } = await openHistory(dataDir, BENCH_IDENTITY)
  await new HistorySync({ store: store.chunks, index }).compare()
  await index.close()
  await store.close()
  const count = REPEATED + ROUNDS * NEW_PER_ROUND
  const random = noise('requests', 4 * count)
  const view = new DataView(random.buffer, random.byteOffset)
  return Array.from({ length: count }, (_, i) => {
    const n = view.getUint32(4 * i)
    const pick = (all: readonly string[]) => all[n % all.length]
    const kind = i % 10
    if (kind < 4) return `/v1/operations/${pick(operations)}`
    if (kind < 6) return `/v1/blocks/${pick(blocks)}`
    if (kind < 8) return `/v1/slots/${1 + (n % PERIODS)}/${n % 32}`
    if (kind < 9) return `/v1/periods/${1 + (n % PERIODS)}`
    return `/v1/addresses/${pick([...addresses])}/operations?to=${1 + (n % PERIODS)}`
  })
}

function succeed({ operations }: BlockRecord): SlotExecution {
  const outcomes = operations.map(({ id }) => ({ operationId: formatOperationId(id), outcome: 'success' as const }))
  return { source: 'stream', complete: true, trailHash: '', outcomes, events: [] }
}

/** @throws Error for an answer that is not 200 */
async function measureSizes(port: number, paths: readonly string[]): Promise<number[]> {
  const sizes: number[] = []
  for (const path of paths) {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`)
    const { length } = new Uint8Array(await answer.arrayBuffer())
    if (answer.status !== 200) throw new Error(`${answer.status} for ${path}`)
    sizes.push(length)
  }
  return sizes
}
