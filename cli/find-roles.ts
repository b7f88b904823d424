import { isArchiveError } from '../core/index.ts'
import { type FoundRoles, OwnRoles } from '../storage-worker/index.ts'
import type { Context } from './context.ts'
import { readOwnAddress } from './own-address.ts'
import { openPlacement } from './placement-access.ts'

/** What the node of an archive is to hold, as a massa-node tells it: for an archive whose sidecar does not run. */
export async function findRoles(context: Context, signal: AbortSignal): Promise<FoundRoles> {
  try {
    const address = await readOwnAddress(context, context.load())
    if (address === undefined) return { why: 'no key is configured, so it is not known which node this is' }
    const { table } = await openPlacement(context, { address: undefined, era: undefined }, signal)
    return { roles: new OwnRoles({ address, table }) }
  } catch (error) {
    signal.throwIfAborted()
    if (!isArchiveError(error) || error.kind === 'bug') throw error
    return { why: `${error.message} (${error.code})` }
  }
}
