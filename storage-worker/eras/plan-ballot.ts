/** A node whose signature of a statement is here. */
export interface Voter {
  readonly address: string
  /** Its place in the registry. */
  readonly index: bigint
  /** What its signature counts, nanoMAS. */
  readonly vote: bigint
}

/** Where the vote on a statement stands in the registry. All in nanoMAS. */
export interface VoteState {
  /** Votes that anchor it. */
  readonly quorum: bigint
  /** Votes counted so far. */
  readonly tally: bigint
  /** Places in the registry of those that are counted. */
  readonly counted: ReadonlySet<bigint>
}

/** Signatures of one call of `anchorEra`. */
export interface Ballot {
  /** Ascending by place, as the registry wants them. */
  readonly voters: readonly Voter[]
  /** They anchor the era. */
  readonly isQuorum: boolean
  /** They do, or what is here does with further calls. */
  readonly reachesQuorum: boolean
}

/**
 * The next call: the fewest signatures that make the quorum, of those that are not counted yet; the largest votes of them
 * where these are too many for one call, or not enough.
 *
 * @returns undefined when nothing that is here would be counted
 */
export function planBallot(
  voters: readonly Voter[],
  { quorum, tally, counted }: VoteState,
  maxSignatures: number,
): Ballot | undefined {
  const fresh = voters.filter(({ index, vote }) => vote > 0n && !counted.has(index))
  fresh.sort((a, b) => Number(b.vote > a.vote) - Number(b.vote < a.vote) || Number(a.index - b.index))
  let sum = tally
  let needed = 0
  while (sum < quorum && needed < fresh.length) sum += fresh[needed++]?.vote ?? 0n
  const picked = fresh.slice(0, Math.min(needed, maxSignatures))
  if (picked.length === 0) return undefined
  const reachesQuorum = sum >= quorum
  const isQuorum = reachesQuorum && needed <= maxSignatures
  return { voters: picked.sort((a, b) => Number(a.index - b.index)), isQuorum, reachesQuorum }
}
