import { BYTE_PRICE_NANO_MAS } from '../registry/records.ts'
import { ERA_PERIODS } from '../units.ts'
import { type AuditRhythm, computeAuditsPerDay } from './audit-rhythm.ts'
import { PERIODS_PER_DAY } from './chain-time.ts'
import type { EconomicsInput } from './economics-input.ts'

const DAYS_PER_YEAR = 365
/** Ids that `prune` takes, and signatures that `anchorEra` takes (docs/CONTRACT.md, Functions). */
const PRUNED_A_CALL = 20
const SIGNATURES_A_CALL = 100
/** Bytes of an entry beside key and value (facts: contract-platform 2.1). */
const ENTRY_BYTES = 4
/** Keys with an id of 64 digits, a period of 7 and an era of 5: those of the years 2 to 50 of a chain. */
const CHALLENGE_BYTES = ENTRY_BYTES + 'chal_'.length + 64 + 176
const PERIOD_BYTES = ENTRY_BYTES + 'period_'.length + 7 + 64
const ERA_BYTES = ENTRY_BYTES + 'era_'.length + 5 + 104

/** Operations in a day for one node, by what they do: means, no whole numbers. */
export interface DailyOperations {
  /** Audits of the node, one `issueChallenges` each. */
  readonly issue: number
  /** One `submitProofs` for each audit that is not missed. */
  readonly proof: number
  /** One `resolveExpiredChallenges` for each that is. */
  readonly resolve: number
  /** Its part of `prune` of challenges and period records. */
  readonly prune: number
  /** Its part of `distributeRewards`. */
  readonly distribute: number
  /** Its part of `anchorEra`. */
  readonly anchor: number
  readonly claim: number
}

/** What the chain takes in a day for one node, whoever sends it: nanoMAS. */
export interface ChainCosts {
  readonly operations: DailyOperations
  readonly feesNanoMas: bigint
  /** For records of eras, which nobody can delete. */
  readonly keptNanoMas: bigint
  /** Held for challenges and period records until they may be pruned: not a day's, but all that is held at once. */
  readonly lockedNanoMas: bigint
  /** `feesNanoMas` and `keptNanoMas`. */
  readonly spentNanoMas: bigint
}

/**
 * Challengers wait for the longer of the registry's interval and their own. That the registry has a challenger wait twice as long
 * where there are others is left out: there are not more audits than here.
 */
export function readRhythm(input: EconomicsInput): AuditRhythm {
  const { settings, nodes, challengers, challengeFrequencyPeriods, challengerIntervalPeriods } = input
  const ofRegistry = Number(settings.minChallengeIntervalPeriods)
  return {
    nodes,
    challengers,
    frequencyPeriods: challengeFrequencyPeriods,
    intervalPeriods: Math.max(1, ofRegistry, challengerIntervalPeriods),
  }
}

export function computeChainCosts(input: EconomicsInput): ChainCosts {
  return computeCostsAt(input, computeAuditsPerDay(readRhythm(input)))
}

/** As `computeChainCosts`, for so many audits of the node in a day. */
export function computeCostsAt(input: EconomicsInput, auditsPerDay: number): ChainCosts {
  const { settings, nodes, missedShare, feeNanoMas } = input
  const distributions = PERIODS_PER_DAY / input.distributionPeriods / nodes
  const eras = PERIODS_PER_DAY / ERA_PERIODS / nodes
  const challenges = auditsPerDay * settings.maxOpenChallengesPerNode
  // An audit leaves a record of its period, and so does a distribution.
  const periodRecords = auditsPerDay + distributions
  const perAudit = countAuditOperations(settings.maxOpenChallengesPerNode)
  const operations = {
    issue: auditsPerDay * perAudit.issue,
    proof: auditsPerDay * perAudit.answer * (1 - missedShare),
    resolve: auditsPerDay * perAudit.answer * missedShare,
    prune: auditsPerDay * perAudit.prune + distributions / PRUNED_A_CALL,
    distribute: distributions,
    anchor: eras * Math.ceil(nodes / SIGNATURES_A_CALL),
    claim: input.claimsPerYear / DAYS_PER_YEAR,
  }
  const count = Object.values(operations).reduce((sum, each) => sum + each, 0)
  const retentionDays = Number(settings.recordRetentionPeriods) / PERIODS_PER_DAY
  // Anybody prunes period records, after twice the time.
  const lockedBytes = retentionDays * (challenges * CHALLENGE_BYTES + 2 * periodRecords * PERIOD_BYTES)
  const feesNanoMas = multiply(feeNanoMas, count)
  const keptNanoMas = multiply(BYTE_PRICE_NANO_MAS, eras * ERA_BYTES)
  return {
    operations,
    feesNanoMas,
    keptNanoMas,
    lockedNanoMas: multiply(BYTE_PRICE_NANO_MAS, lockedBytes),
    spentNanoMas: feesNanoMas + keptNanoMas,
  }
}

/** Operations of one audit of so many challenges: it leaves a record of each, and one of its period. */
function countAuditOperations(challenges: number) {
  return { issue: 1, answer: 1, prune: (challenges + 1) / PRUNED_A_CALL }
}

/**
 * What the chain takes in fees for one audit, whoever sends what: it is issued, proven or resolved, and its records are pruned.
 *
 * @param challenges - 1 to 8
 * @param feeNanoMas - of each operation
 */
export function computeAuditFees(challenges: number, feeNanoMas: bigint): bigint {
  const { issue, answer, prune } = countAuditOperations(challenges)
  return multiply(feeNanoMas, issue + answer + prune)
}

/** To the nanoMAS; amounts of an operation are far below 2^53. */
function multiply(nanoMas: bigint, count: number): bigint {
  return BigInt(Math.round(Number(nanoMas) * count))
}
