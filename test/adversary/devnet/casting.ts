import type { Adversary } from '../adversary.ts'
import { answersLate } from '../behaviours/answers-late.ts'
import { deletesAfterProving } from '../behaviours/deletes-after-proving.ts'
import { fetchesWhenAsked } from '../behaviours/fetches-when-asked.ts'
import { forgesSignatures } from '../behaviours/forges-signatures.ts'
import { frontRunsDistribution } from '../behaviours/front-runs-distribution.ts'
import { garbageForOthers } from '../behaviours/garbage-for-others.ts'
import { keepsHalf } from '../behaviours/keeps-half.ts'
import { keepsOnlyHashes } from '../behaviours/keeps-only-hashes.ts'
import { leavesWithAnOpenChallenge } from '../behaviours/leaves-with-an-open-challenge.ts'
import { passesOnceAndLeaves } from '../behaviours/passes-once-and-leaves.ts'
import { registersMuch } from '../behaviours/registers-much.ts'

/** An adversary that a sidecar of a devnet plays. */
export interface Role {
  /** As it is played on the model. */
  readonly adversary: Adversary
  /** Of `test/adversary/sidecars`. */
  readonly program: string
}

/** In the order of the page. */
export const ROLES: readonly Role[] = [
  { adversary: keepsOnlyHashes, program: 'keeps-only-hashes' },
  { adversary: keepsHalf, program: 'keeps-half' },
  { adversary: deletesAfterProving, program: 'deletes-after-proving' },
  { adversary: fetchesWhenAsked, program: 'fetches-when-asked' },
  { adversary: answersLate, program: 'answers-late' },
  { adversary: forgesSignatures, program: 'forges-signatures' },
  { adversary: registersMuch, program: 'registers-much' },
  { adversary: passesOnceAndLeaves, program: 'passes-once-and-leaves' },
  { adversary: leavesWithAnOpenChallenge, program: 'leaves-with-an-open-challenge' },
  { adversary: garbageForOthers, program: 'garbage-for-others' },
  { adversary: frontRunsDistribution, program: 'front-runs-distribution' },
]
