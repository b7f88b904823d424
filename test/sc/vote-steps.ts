import { type AnchoredWorld, anchorArgs, type Era } from './anchored-world.ts'
import { keyOf } from './registry-records.ts'
import { ANYONE, type CallResult, call, MAS, refuse, type User } from './registry-world.ts'

export const PLACEMENT_ROOT = new Uint8Array(32).fill(7)

/** Anchoring by these nodes, in this order. */
export function vote(world: AnchoredWorld, era: Era, signers: readonly User[]): CallResult {
  return call(world, ANYONE, 'anchorEra', anchorArgs(world, era, PLACEMENT_ROOT, signers), MAS)
}

export function refuseVote(world: AnchoredWorld, era: Era, signers: readonly User[], code: string): void {
  refuse(world, ANYONE, 'anchorEra', code, anchorArgs(world, era, PLACEMENT_ROOT, signers), MAS)
}

/** Keys of open votes, without those of their pages. */
export function listVotes(world: AnchoredWorld): string[] {
  return listVoteKeys(world).filter((key) => key.split('_').length === 3)
}

/** Keys of votes and pages. */
export function listVoteKeys({ engine, contract }: AnchoredWorld): string[] {
  return engine.ledger.keys(contract, keyOf('vote_')).map((key) => Buffer.from(key).toString())
}
