import { decodeRegistryResult, encodeRegistryViewArgs, parseCoins, type RegistryNode } from '../../../core/index.ts'
import type { NodeCalls } from '../../../devnet/up/node-link.ts'

/** Gas of a block: the node lets no call have more. */
const MAX_GAS = 4_294_967_295

/** What the chain holds of a node. */
export interface Standing {
  readonly node: RegistryNode
  readonly walletNanoMas: bigint
}

/** @throws Error when the registry does not know one of them */
export async function readStandings(
  link: Pick<NodeCalls, 'call'>,
  registryAddress: string,
  addresses: readonly string[],
): Promise<Standing[]> {
  const calls = addresses.map((address) => ({
    max_gas: MAX_GAS,
    target_address: registryAddress,
    target_function: 'getNodeInfo',
    parameter: [...encodeRegistryViewArgs('getNodeInfo', { address })],
  }))
  const answers = (await link.call('execute_read_only_call', [calls])) as { result: { Ok: number[] } }[]
  const accounts = (await link.call('get_addresses', [addresses])) as { candidate_balance: string }[]
  return addresses.map((address, i) => {
    const bytes = answers[i]?.result.Ok
    const walletNanoMas = parseCoins(accounts[i]?.candidate_balance ?? '')
    if (!bytes || walletNanoMas === undefined) throw new Error(`the chain does not know ${address}`)
    return { node: decodeRegistryResult('getNodeInfo', Uint8Array.from(bytes)), walletNanoMas }
  })
}
