import { PERIOD_MS } from '../../core/index.ts'
import { simulate } from '../../test/sim/simulation.ts'
import type { BenchRow } from '../bench-row.ts'

/*
 * Question: how many gossip messages does a whole network publish? Input: simulations of 5 and of 30 nodes, without rogues:
 * the rooms of the sidecar as they are, in virtual time; with joins, crashes and partitions as the seed has them, so more
 * than a quiet network does. MASSA_STORAGE_BENCH_SEEDS (default 3) of each. Counted: every announcement and introduction
 * when it is published; who passes it on publishes no other.
 *
 * Baseline: one message for each chunk and each of three holders, in periods of ten chunks of 1 MiB and in those of one
 * of 90 kB. What 1,000 nodes publish is computed in docs/SCALE.md.
 */

const SEEDS = Number(process.env.MASSA_STORAGE_BENCH_SEEDS ?? 3)
/** Three in ten seeds have no rogues. */
const MAX_SEED = 1_000
const HOLDERS = 3
const FULL_CHUNKS = 10
const GOAL_PER_SECOND = 2

export async function run(): Promise<BenchRow[]> {
  const quiet: { readonly seed: number; readonly perSecond: number }[] = []
  for (let seed = 1; quiet.length < SEEDS && seed <= MAX_SEED; seed++) {
    const { rogues, gossip, virtualMs } = await simulate({ seed, nodes: 5 })
    if (rogues.length === 0) quiet.push({ seed, perSecond: (gossip * 1_000) / virtualMs })
  }
  const many: number[] = []
  for (const { seed } of quiet) {
    const { gossip, virtualMs } = await simulate({ seed, nodes: 30 })
    many.push((gossip * 1_000) / virtualMs)
  }
  return [
    tell(
      5,
      quiet.map(({ perSecond }) => perSecond),
    ),
    tell(30, many),
  ]
}

function tell(nodes: number, rates: readonly number[]): BenchRow {
  const perSecond = Math.max(...rates)
  const each = (chunks: number): number => (chunks * HOLDERS * 1_000) / PERIOD_MS
  return {
    question: `gossip messages of a whole network of ${nodes} nodes, ${rates.length} simulations`,
    measured: `${perSecond.toFixed(2)} /s at most, ${Math.min(...rates).toFixed(2)} at least`,
    baseline: `${each(FULL_CHUNKS).toFixed(2)} /s one for each chunk of a full chain and holder, ${each(1).toFixed(2)} of a quiet one`,
    ratio: perSecond / each(FULL_CHUNKS),
    goal: `<= ${GOAL_PER_SECOND} /s`,
    holds: perSecond <= GOAL_PER_SECOND,
  }
}
