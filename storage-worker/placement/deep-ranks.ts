import { computeScores, type FullRanking, HASH_SLOTS, rankAll } from '../../core/index.ts'
import { runInSlices } from './run-in-slices.ts'

/** 1,000 nodes in 1,048 hash slots: as many as are asked for together have to be ranked once. */
const CACHE_BYTES = 8 * 1024 * 1024

export interface WeightedNode {
  readonly address: string
  readonly placementGb: bigint
}

/**
 * The ranking of a hash slot farther down than a table keeps it. It costs about 2 ms for each node, and is kept for the hash
 * slots beside until another one is asked for.
 */
export class DeepRanks {
  private readonly nodes: readonly WeightedNode[]
  /** Hash slots that are ranked together. */
  private readonly rows: number
  private readonly cacheBytes: number
  private cached: FullRanking | undefined
  private last: Promise<unknown> = Promise.resolve()

  /** @param nodes - by address bytes; here they are numbers */
  constructor(nodes: readonly WeightedNode[], cacheBytes: number = CACHE_BYTES) {
    this.nodes = nodes
    this.cacheBytes = cacheBytes
    this.rows = Math.max(1, Math.floor(cacheBytes / (8 * nodes.length)))
  }

  /**
   * The first `count` of those that qualify, in order of rank; all there are when fewer.
   *
   * @throws what `signal` was aborted with
   */
  async listFirst(
    hashSlot: number,
    count: number,
    options: { readonly qualifies: (number: number) => boolean; readonly signal?: AbortSignal | undefined },
  ): Promise<number[]> {
    const { qualifies, signal } = options
    // One after the other: each has megabytes of its own, and the next often finds what the one before it computed.
    const turn = this.last.then(() => this.rank(hashSlot, signal))
    this.last = turn.catch(() => undefined)
    return (await turn).listFirst(hashSlot, count, qualifies)
  }

  private async rank(hashSlot: number, signal: AbortSignal | undefined): Promise<FullRanking> {
    signal?.throwIfAborted()
    if (this.cached?.has(hashSlot)) return this.cached
    // The memory of the one before goes first.
    this.cached = undefined
    const room = new Float64Array(HASH_SLOTS)
    const scores = this.nodes.map(
      ({ address, placementGb }) =>
        () =>
          computeScores(address, placementGb, room),
    )
    const steps = rankAll(scores, hashSlot - (hashSlot % this.rows), this.cacheBytes)
    this.cached = await runInSlices(steps, { signal })
    return this.cached
  }
}
