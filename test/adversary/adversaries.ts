import type { Adversary } from './adversary.ts'
import { answersLate } from './behaviours/answers-late.ts'
import { colludingChallenger } from './behaviours/colluding-challenger.ts'
import { deletesAfterProving } from './behaviours/deletes-after-proving.ts'
import { fetchesWhenAsked } from './behaviours/fetches-when-asked.ts'
import { floodingChallenger } from './behaviours/flooding-challenger.ts'
import { forgesSignatures } from './behaviours/forges-signatures.ts'
import { frontRunsDistribution } from './behaviours/front-runs-distribution.ts'
import { garbageForOthers } from './behaviours/garbage-for-others.ts'
import { keepsHalf } from './behaviours/keeps-half.ts'
import { keepsOnlyHashes } from './behaviours/keeps-only-hashes.ts'
import { leavesWithAnOpenChallenge } from './behaviours/leaves-with-an-open-challenge.ts'
import { manyIdentities } from './behaviours/many-identities.ts'
import { nonsenseChallenger } from './behaviours/nonsense-challenger.ts'
import { onlyChallenger } from './behaviours/only-challenger.ts'
import { passesOnceAndLeaves } from './behaviours/passes-once-and-leaves.ts'
import { registersMuch } from './behaviours/registers-much.ts'
import { shrinksBeforeAnEra } from './behaviours/shrinks-before-an-era.ts'

/** In the order of the page. */
export const ADVERSARIES: readonly Adversary[] = [
  keepsOnlyHashes,
  keepsHalf,
  deletesAfterProving,
  fetchesWhenAsked,
  answersLate,
  forgesSignatures,
  manyIdentities,
  registersMuch,
  shrinksBeforeAnEra,
  passesOnceAndLeaves,
  leavesWithAnOpenChallenge,
  garbageForOthers,
  frontRunsDistribution,
  nonsenseChallenger,
  floodingChallenger,
  colludingChallenger,
  onlyChallenger,
]
