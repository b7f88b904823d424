import { loadConfig } from '../../../config/index.ts'
import { CHUNK_SIZE_BYTES, HASH_SLOTS, type HolderTable } from '../../../core/index.ts'
import { computeAnnouncedPeriods } from '../../../storage-worker/replication/announcer.ts'
import {
  computeAnnouncements,
  computeDailyBytes,
  type DailyBytes,
  type Mesh,
  measureIntroductions,
  readMesh,
  type Talk,
} from './gossip-scale.ts'
import { tabulate } from './made-nodes.ts'

export const CHUNKS = 100_000_000
export const CHUNKS_PER_SLOT = CHUNKS / HASH_SLOTS
/** 32 blocks without operations (facts: massa-node 3.1). */
export const QUIET_PERIOD_BYTES = 89_000
/** The most operations that 32 blocks take. */
export const FULL_PERIOD_BYTES = 32 * 300_000
export const CHUNK_KINDS = [
  { name: 'quiet chain, 89 kB', bytes: QUIET_PERIOD_BYTES, perPeriod: 1 },
  {
    name: 'full chain, 1 MiB',
    bytes: CHUNK_SIZE_BYTES,
    perPeriod: Math.ceil(FULL_PERIOD_BYTES / CHUNK_SIZE_BYTES),
  },
] as const
export const LINKS_MBIT = [100, 1_000] as const
/** Of a link; the rest is for following the chain and for readers. */
export const FREE_SHARE = 0.5
/** What the mixed networks offer, GB, one node after the other. */
const MIXED_GB = [1_000n, 2_000n, 4_000n, 8_000n] as const
export const MIXED_NAME = `of ${MIXED_GB.join(', ')} GB`

export function mixedGb(number: number): bigint {
  return MIXED_GB[number % MIXED_GB.length] ?? 0n
}

/** What is known of networks of several sizes. */
export interface ScaleWorld {
  /** How many nodes each has. */
  readonly sizes: readonly number[]
  /** Of nodes that are all alike. */
  readonly tableOf: (nodes: number) => HolderTable
  readonly mesh: Mesh
  readonly repairDelayS: number
  /** By place in `sizes`. */
  readonly gossip: readonly Gossip[]
}

/** What all nodes say by themselves. */
export interface Gossip {
  readonly talks: readonly Talk[]
  readonly perSecond: number
  /** By place in `talks`. */
  readonly daily: readonly DailyBytes[]
}

export async function makeWorld(sizes: readonly number[]): Promise<ScaleWorld> {
  const { p2p } = loadConfig({ env: {}, flags: {}, cwd: '/dev/null' }).config
  const mesh = await readMesh(p2p.maxConnections)
  const tables = new Map<number, HolderTable>()
  const gossip: Gossip[] = []
  for (const nodes of sizes) {
    const talks = [await measureIntroductions(nodes), announce(nodes)]
    gossip.push({
      talks,
      perSecond: talks.reduce((sum, { perSecond }) => sum + perSecond, 0),
      daily: talks.map((talk) => computeDailyBytes(nodes, mesh, talk)),
    })
  }
  const tableOf = (nodes: number): HolderTable => {
    const table = tables.get(nodes) ?? tabulate({ nodes })
    tables.set(nodes, table)
    return table
  }
  return { sizes, tableOf, mesh, repairDelayS: p2p.repairDelaySeconds, gossip }
}

export function announce(nodes: number, incompleteSlots: readonly number[] = []): Talk {
  return computeAnnouncements(nodes, computeAnnouncedPeriods(nodes), incompleteSlots)
}

/** Hours in which so much goes over the free part of a link. */
export function hoursFor(bytes: number, mbit: number): number {
  return (bytes * 8) / (mbit * 1e6 * FREE_SHARE) / 3_600
}
