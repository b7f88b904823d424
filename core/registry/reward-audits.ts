import type { RegistryEvent } from './events.ts'
import type { RegistryConfig } from './registry-config.ts'
import type { RegistryNode } from './views.ts'

/** An event of the registry, and the period of the chain that it happened in. */
export interface DatedEvent {
  readonly period: bigint
  readonly event: RegistryEvent
}

/** `allocatedGb` x `periods` x `rewardPerGbPerPeriod`, and what was set aside for it: their ratio is the utilisation. */
export interface RewardSpan {
  readonly fromPeriod: bigint
  readonly toPeriod: bigint
  readonly periods: bigint
  readonly allocatedGb: bigint
  /** nanoMAS */
  readonly rewardPerGbPerPeriod: bigint
  /** The product, nanoMAS: what it would be at a utilisation of 1. */
  readonly fullNanoMas: bigint
  readonly accruedNanoMas: bigint
}

/** An audit that is over: accrued x passed / total vested, the rest went back to the pool. */
export interface ClosedAudit {
  readonly closedPeriod: bigint
  readonly passed: bigint
  readonly total: bigint
  readonly vestedNanoMas: bigint
  readonly returnedNanoMas: bigint
  /** Paid out since. */
  readonly isClaimed: boolean
  /** Undefined when the events do not reach back to its beginning, or size or rate changed within it. */
  readonly span: RewardSpan | undefined
}

interface Change {
  readonly period: bigint
  readonly old: bigint
}

/**
 * Audits of a node, oldest first, as far as events tell of them.
 *
 * @param events - of the registry, in their order, up to now; they may begin anywhere
 * @param config - as it is now
 */
export function listClosedAudits(
  node: Pick<RegistryNode, 'address' | 'allocatedGb'>,
  config: Pick<RegistryConfig, 'rewardPerGbPerPeriod'>,
  events: readonly DatedEvent[],
): ClosedAudit[] {
  const audits: (Omit<ClosedAudit, 'span'> & { readonly from: bigint | undefined; readonly to: bigint | undefined })[] =
    []
  const sizes: Change[] = []
  const rates: Change[] = []
  /** Where the span of the next audit begins, and where it ends once that one is open. */
  let from: bigint | undefined
  let to: bigint | undefined
  for (const { period, event } of events) {
    switch (event.name) {
      case 'STORAGE_NODE_REGISTERED':
        if (event.address === node.address) from = period
        break
      case 'STORAGE_NODE_UPDATED':
        if (event.address === node.address && event.newGb !== event.oldGb) sizes.push({ period, old: event.oldGb })
        break
      case 'CONFIG_UPDATED':
        if (event.field === 'rewardPerGbPerPeriod' && /^\d{1,20}$/.test(event.old))
          rates.push({ period, old: BigInt(event.old) })
        break
      case 'CHALLENGE_ISSUED':
        if (event.nodeAddress === node.address) to ??= period
        break
      case 'AUDIT_CLOSED': {
        if (event.address !== node.address) break
        const { passed, total, vested: vestedNanoMas, returned: returnedNanoMas } = event
        const result = { passed, total, vestedNanoMas, returnedNanoMas }
        audits.push({ closedPeriod: period, ...result, isClaimed: false, from, to })
        // All void is as if there had been no audit.
        if (total > 0n) from = to
        to = undefined
        break
      }
      case 'REWARDS_CLAIMED':
        if (event.address === node.address)
          for (const [i, audit] of audits.entries()) audits[i] = { ...audit, isClaimed: true }
        break
    }
  }
  return audits.map(({ from: fromPeriod, to: toPeriod, ...audit }) => {
    const accruedNanoMas = audit.vestedNanoMas + audit.returnedNanoMas
    if (fromPeriod === undefined || toPeriod === undefined || audit.total === 0n) return { ...audit, span: undefined }
    const allocatedGb = findSteady(sizes, { fromPeriod, toPeriod }, node.allocatedGb)
    const rewardPerGbPerPeriod = findSteady(rates, { fromPeriod, toPeriod }, config.rewardPerGbPerPeriod)
    if (allocatedGb === undefined || rewardPerGbPerPeriod === undefined) return { ...audit, span: undefined }
    return { ...audit, span: makeSpan({ fromPeriod, toPeriod, allocatedGb, rewardPerGbPerPeriod, accruedNanoMas }) }
  })
}

export function makeSpan(span: Omit<RewardSpan, 'periods' | 'fullNanoMas'>): RewardSpan {
  const periods = span.toPeriod - span.fromPeriod
  return { ...span, periods, fullNanoMas: span.allocatedGb * periods * span.rewardPerGbPerPeriod }
}

/** The value all through a span; undefined when it changed. */
function findSteady(
  changes: readonly Change[],
  { fromPeriod, toPeriod }: Pick<RewardSpan, 'fromPeriod' | 'toPeriod'>,
  now: bigint,
): bigint | undefined {
  const next = changes.find(({ period }) => period >= fromPeriod)
  if (!next) return now
  return next.period > toPeriod ? next.old : undefined
}
