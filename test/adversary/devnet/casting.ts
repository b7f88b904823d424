import type { Adversary } from '../adversary.ts'
import { answersLate } from '../behaviours/answers-late.ts'
import { colludingChallenger } from '../behaviours/colluding-challenger.ts'
import { deletesAfterProving } from '../behaviours/deletes-after-proving.ts'
import { fetchesWhenAsked } from '../behaviours/fetches-when-asked.ts'
import { floodingChallenger } from '../behaviours/flooding-challenger.ts'
import { forgesSignatures } from '../behaviours/forges-signatures.ts'
import { frontRunsDistribution } from '../behaviours/front-runs-distribution.ts'
import { garbageForOthers } from '../behaviours/garbage-for-others.ts'
import { keepsHalf } from '../behaviours/keeps-half.ts'
import { keepsOnlyHashes } from '../behaviours/keeps-only-hashes.ts'
import { leavesWithAnOpenChallenge } from '../behaviours/leaves-with-an-open-challenge.ts'
import { manyIdentities } from '../behaviours/many-identities.ts'
import { nonsenseChallenger } from '../behaviours/nonsense-challenger.ts'
import { passesOnceAndLeaves } from '../behaviours/passes-once-and-leaves.ts'
import { registersMuch } from '../behaviours/registers-much.ts'
import { shrinksBeforeAnEra } from '../behaviours/shrinks-before-an-era.ts'

/** An adversary that sidecars of a devnet play. */
export interface Role {
  /** As it is played on the model. */
  readonly adversary: Adversary
  /** Of `test/adversary/sidecars`, one for each of its sidecars; undefined: the honest one. */
  readonly programs: readonly (string | undefined)[]
  /** What the honest node that it is after is called, where it is after one. */
  readonly victim?: string
  /** Its victim is killed in the middle of each era, and started again at once. */
  readonly hasVictimKilled?: boolean
  /** It is after all others: in a network with more than honest ones nobody could tell what came of whom. */
  readonly isAlone?: boolean
}

/** In the order of the page. */
export const ROLES: readonly Role[] = [
  { adversary: keepsOnlyHashes, programs: ['keeps-only-hashes'] },
  { adversary: keepsHalf, programs: ['keeps-half'] },
  { adversary: deletesAfterProving, programs: ['deletes-after-proving'] },
  { adversary: fetchesWhenAsked, programs: ['fetches-when-asked'] },
  { adversary: answersLate, programs: ['answers-late'] },
  { adversary: forgesSignatures, programs: ['forges-signatures'] },
  { adversary: registersMuch, programs: ['registers-much'] },
  { adversary: passesOnceAndLeaves, programs: ['passes-once-and-leaves'] },
  { adversary: leavesWithAnOpenChallenge, programs: ['leaves-with-an-open-challenge'] },
  { adversary: garbageForOthers, programs: ['garbage-for-others'] },
  { adversary: frontRunsDistribution, programs: ['front-runs-distribution'] },
  { adversary: manyIdentities, programs: [undefined, 'answers-from-one-disk', 'answers-from-one-disk'] },
  { adversary: shrinksBeforeAnEra, programs: ['shrinks-before-an-era'] },
  { adversary: floodingChallenger, programs: ['floods'], victim: 'flooded' },
  {
    adversary: colludingChallenger,
    programs: ['colludes'],
    victim: 'which the colluding one is after',
    hasVictimKilled: true,
  },
  { adversary: nonsenseChallenger, programs: ['issues-nonsense'], victim: 'challenged with nonsense', isAlone: true },
]

/** Those that share a network. @param together - so many at most */
export function groupRoles(roles: readonly Role[], together: number): Role[][] {
  const social = roles.filter(({ isAlone }) => !isAlone)
  const groups: Role[][] = []
  for (let at = 0; at < social.length; at += together) groups.push(social.slice(at, at + together))
  return [...groups, ...roles.filter(({ isAlone }) => isAlone).map((role) => [role])]
}
