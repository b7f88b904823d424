import { ArchiveError, isArchiveError, parseAddress } from '../core/index.ts'
import type { RegistryClient } from '../storage-worker/index.ts'

const ADDRESS_CHARACTERS = /^AU[1-9A-HJ-NP-Za-km-z]{4,51}$/

/**
 * A node of the registry by its address, or by the beginning of it that only one registered node has.
 *
 * @throws ArchiveError CLI_USAGE for what is no beginning of an address, or of several; REGISTRY_NODE_UNKNOWN, CHAIN_*
 */
export async function resolveNode(client: RegistryClient, wanted: string): Promise<string> {
  const shown = wanted.slice(0, 80)
  if (!ADDRESS_CHARACTERS.test(wanted)) {
    throw new ArchiveError(
      'CLI_USAGE',
      `'${shown}' is neither the address of a node (AU...) nor its first 6 characters`,
    )
  }
  if (isWhole(wanted)) return wanted
  const nodes = await client.readAllNodes()
  const found = nodes.map(({ address }) => address).filter((address) => address.startsWith(wanted))
  if (found.length > 1) {
    throw new ArchiveError(
      'CLI_USAGE',
      `${found.length} registered nodes begin with ${shown}: give more of the address`,
    )
  }
  const [address] = found
  if (address === undefined) throw new ArchiveError('REGISTRY_NODE_UNKNOWN', `no registered node begins with ${shown}`)
  return address
}

function isWhole(text: string): boolean {
  try {
    parseAddress(text)
    return true
  } catch (error) {
    if (isArchiveError(error)) return false
    throw error
  }
}
