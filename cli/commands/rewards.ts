import { ArchiveError, explainRewards, formatCoins } from '../../core/index.ts'
import { readClosedAudits, readRewards } from '../../storage-worker/rewards/read-rewards.ts'
import { openRegistry } from '../chain-access.ts'
import type { Context } from '../context.ts'
import { describeRewards } from '../describe-rewards.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { toPlain } from '../render-value.ts'
import { resolveNode } from '../resolve-node.ts'
import type { RegistryOptions } from './contract-show.ts'
import { needAddress } from './wallet.ts'

/** What the registry holds for a node, and what becomes of it next. */
export async function rewardsShow(
  context: Context,
  wanted: string | undefined,
  options: RegistryOptions,
): Promise<number> {
  const { output } = context
  const { client, facts } = await read(context, wanted, options)
  const { node, state, config } = facts
  const explained = explainRewards(facts)
  const strikesToSlash = config.strikesBeforeSlash * config.passesPerStrike
  const audit = {
    period: node.auditPeriod,
    passed: node.auditPassed,
    total: node.auditTotal,
    open: node.openChallenges,
  }
  const { span, causes, openAudit: _, ...sums } = explained
  output.value(
    toPlain({
      node: node.address,
      registry: client.address,
      poolNanoMas: state.pool,
      ...sums,
      accruingSincePeriod: span.fromPeriod,
      causes,
      lastAudit: node.auditPeriod === 0n ? null : audit,
      strikePoints: node.strikePoints,
      strikePointsToSlash: strikesToSlash,
      lastDistributedPeriod: state.lastDistributedPeriod,
    }),
  )
  const mas = (nanoMas: bigint) => `${formatCoins(nanoMas)} MAS`
  const lastAudit = `period ${audit.period}, ${audit.passed} of ${audit.total} passed, ${audit.open} open`
  output.table([
    ['node', node.address],
    ['registry', client.address],
    ['reward pool', mas(state.pool)],
    ['to claim', mas(explained.pendingNanoMas)],
    ['under audit', mas(explained.underAuditNanoMas)],
    ['not yet audited', `${mas(explained.unvestedNanoMas)} since period ${span.fromPeriod}`],
    ['in all', `${mas(explained.totalNanoMas)} in period ${explained.period}`],
    ['last audit', node.auditPeriod === 0n ? 'none yet' : lastAudit],
    ['strike points', `${node.strikePoints} of ${strikesToSlash}, at which the stake is slashed`],
  ])
  return EXIT_CODES.ok.code
}

/** The multiplication with its numbers; fails when the registry has another sum. */
export async function rewardsExplain(
  context: Context,
  wanted: string | undefined,
  options: RegistryOptions,
): Promise<number> {
  const { output } = context
  const { client, facts, viewNanoMas } = await read(context, wanted, options)
  const explained = explainRewards(facts)
  const audits = await readClosedAudits(client, facts)
  const isChallenger = await client.read('isChallenger', { address: facts.node.address })
  const challengers = { isChallenger, others: facts.state.challengerCount - (isChallenger ? 1n : 0n) }
  const { totalNanoMas, period } = explained
  const isEqual = totalNanoMas === viewNanoMas
  const parties = { node: facts.node.address, registry: client.address, otherChallengers: challengers.others }
  output.value(toPlain({ ...parties, ...explained, audits, viewNanoMas, isEqual }))
  output.line(`Rewards of ${facts.node.address}:`)
  for (const line of describeRewards(explained, audits, challengers)) output.line(line)
  if (!isEqual) {
    throw new ArchiveError(
      'CONTRACT_REWARDS_DIFFERENT',
      `calculatePendingRewards of ${client.address} says ${viewNanoMas} nanoMAS in period ${period}, the records make ${totalNanoMas}`,
      { viewNanoMas, totalNanoMas },
    )
  }
  output.line('calculatePendingRewards of the registry says the same.')
  return EXIT_CODES.ok.code
}

async function read(context: Context, wanted: string | undefined, { address }: RegistryOptions) {
  const { client } = await openRegistry(context, { address, needsKey: false })
  await client.chain.readStatus()
  const node = wanted === undefined ? needAddress(client.chain.account) : await resolveNode(client, wanted)
  return { client, ...(await readRewards(client, node)) }
}
