import { ArchiveError, computeRequiredStake, formatCoins, isArchiveError, PLACEMENT_KEYS } from '../../core/index.ts'
import { readContract } from '../deploy-registry.ts'
import type { RegistryClient } from '../registry-client.ts'

export interface ObstacleOptions {
  /** Massa address that the node speaks for. */
  readonly address: string
  /** What is left in the wallet for the fees of proofs. */
  readonly minBalanceNanoMas: bigint
}

/**
 * What keeps a node from earning by the candidate state: the cause alone where nothing more can be asked, else all of it,
 * of the registry before the node's own. Costs four small requests, and two more for a node that is not registered.
 *
 * @returns CHAIN_* where the massa-node does not answer or is another network's; CONTRACT_NOT_FOUND, CHAIN_ANSWER_INVALID
 *   where there is no registry; REGISTRY_PAUSED; REGISTRY_FULL, REGISTRY_NODE_UNKNOWN, REGISTRY_NODE_LEAVING or
 *   REGISTRY_STAKE_LOW; CHAIN_BALANCE_SHORT or CHAIN_WALLET_LOW. Empty: nothing
 */
export async function listObstacles(
  client: RegistryClient,
  { address, minBalanceNanoMas }: ObstacleOptions,
): Promise<readonly ArchiveError[]> {
  try {
    const { minimalFeeNanoMas } = await client.chain.readStatus()
    const { paused } = await readPresentState(client)
    const node = await findNodeObstacle(client, address)
    const wallet = findWalletObstacle(await client.chain.readBalance(address), {
      address,
      minBalanceNanoMas,
      minimalFeeNanoMas,
    })
    const pause = paused ? new ArchiveError('REGISTRY_PAUSED', `the registry ${client.address} is paused`) : undefined
    return [pause, node, wallet].filter((obstacle) => obstacle !== undefined)
  } catch (error) {
    if (!isArchiveError(error)) throw error
    return [error]
  }
}

/** Where the record lacks: whether it is the contract that does. */
async function readPresentState(client: RegistryClient) {
  const [record] = await client.chain.readDatastore(client.address, [PLACEMENT_KEYS.state])
  if (record === undefined) await readContract(client.chain, client.address)
  return client.parseState(record)
}

async function findNodeObstacle(client: RegistryClient, address: string): Promise<ArchiveError | undefined> {
  try {
    const { leaving, active, stake, allocatedGb } = await client.read('getNodeInfo', { address })
    if (leaving) return new ArchiveError('REGISTRY_NODE_LEAVING', `${address} is leaving the registry`, { address })
    if (active) return undefined
    const required = computeRequiredStake(await client.read('getConfig', {}), allocatedGb)
    return new ArchiveError(
      'REGISTRY_STAKE_LOW',
      `${address} has a stake of ${formatCoins(stake)} MAS, ${formatCoins(required)} MAS are required: it is inactive`,
      { address, stake, required },
    )
  } catch (error) {
    if (!isArchiveError(error, 'REGISTRY_NODE_UNKNOWN')) throw error
    const total = await client.read('getTotalNodes', {})
    const { maxNodes } = await client.read('getConfig', {})
    const what = `${address} is not registered in ${client.address}`
    if (total < maxNodes) return new ArchiveError('REGISTRY_NODE_UNKNOWN', what, { address })
    return new ArchiveError('REGISTRY_FULL', `${what}, which has all the ${maxNodes} nodes that it takes`, { address })
  }
}

function findWalletObstacle(
  balanceNanoMas: bigint,
  options: ObstacleOptions & { readonly minimalFeeNanoMas: bigint },
): ArchiveError | undefined {
  const { address, minBalanceNanoMas, minimalFeeNanoMas } = options
  if (balanceNanoMas >= minimalFeeNanoMas) return findLowWallet(address, balanceNanoMas, minBalanceNanoMas)
  return new ArchiveError(
    'CHAIN_BALANCE_SHORT',
    `${address} holds ${formatCoins(balanceNanoMas)} MAS, less than one fee (${formatCoins(minimalFeeNanoMas)} MAS): nothing is sent, proofs neither`,
    { address, balanceNanoMas },
  )
}

/** Why only what may always be sent is sent; undefined: enough is left. */
export function findLowWallet(
  address: string,
  balanceNanoMas: bigint,
  leastNanoMas: bigint,
): ArchiveError<'CHAIN_WALLET_LOW'> | undefined {
  if (balanceNanoMas >= leastNanoMas) return undefined
  const [held, least] = [formatCoins(balanceNanoMas), formatCoins(leastNanoMas)]
  return new ArchiveError(
    'CHAIN_WALLET_LOW',
    `${address} holds ${held} MAS, and below ${least} MAS only proofs and claims are sent`,
    { address, balanceNanoMas, leastNanoMas },
  )
}
