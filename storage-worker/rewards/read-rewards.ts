import {
  ArchiveError,
  type ClosedAudit,
  type DatedEvent,
  equalBytes,
  formatRegistryEvent,
  formatSlot,
  listClosedAudits,
  PLACEMENT_KEYS,
  type RewardFacts,
} from '../../core/index.ts'
import type { RegistryClient } from '../registry-client.ts'

/** A registry in which somebody calls all the time does not hold still for several reads. */
const MAX_ROUNDS = 5
/** A day: an audit that began before it is not looked for. */
const LOOK_BACK_PERIODS = 5_400n

/** What a registry says of a node's rewards, all of one state of the chain. */
export interface RewardReading {
  readonly facts: RewardFacts
  /** What `calculatePendingRewards` answers at `facts.period`, nanoMAS. */
  readonly viewNanoMas: bigint
}

/**
 * Reads what rewards are computed from, on the candidate state, and the contract's own sum.
 *
 * @throws ArchiveError REGISTRY_NODE_UNKNOWN, CHAIN_*; CHAIN_ANSWER_INVALID when the registry changed during every try
 */
export async function readRewards(client: RegistryClient, address: string): Promise<RewardReading> {
  let before = await readTotals(client)
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const config = await client.read('getConfig', {})
    const node = await client.read('getNodeInfo', { address })
    const { value: viewNanoMas, period } = await client.readDated('calculatePendingRewards', { address })
    const after = await readTotals(client)
    // What changes neither of them moves coins within the sum of one node at most.
    if (isSame(before, after)) {
      const state = client.parseState(after[0])
      return { facts: { node, config, state, period: BigInt(period) }, viewNanoMas }
    }
    before = after
  }
  throw new ArchiveError('CHAIN_ANSWER_INVALID', 'the registry changed while the rewards of a node were read')
}

/** Audits of the node that are over, as far as the massa-node remembers events of the last days. */
export async function readClosedAudits(
  client: RegistryClient,
  { node, config }: Pick<RewardFacts, 'node' | 'config'>,
): Promise<ClosedAudit[]> {
  if (node.auditPeriod === 0n) return []
  const earliest = node.auditPeriod - LOOK_BACK_PERIODS
  const from = earliest > node.registeredPeriod ? earliest : node.registeredPeriod
  const events = new Map<string, DatedEvent>()
  for (const { slot, event } of await client.readEvents(Number(from))) {
    // Some come twice.
    events.set(`${formatSlot(slot)} ${formatRegistryEvent(event)}`, { period: BigInt(slot.period), event })
  }
  return listClosedAudits(node, config, [...events.values()])
}

/** The records `state` and `config`. */
function readTotals({ chain, address }: RegistryClient): Promise<(Uint8Array | undefined)[]> {
  return chain.readDatastore(address, [PLACEMENT_KEYS.state, PLACEMENT_KEYS.config])
}

function isSame(one: readonly (Uint8Array | undefined)[], other: readonly (Uint8Array | undefined)[]): boolean {
  return one.every((record, i) => {
    const same = other[i]
    return record !== undefined && same !== undefined && equalBytes(record, same)
  })
}
