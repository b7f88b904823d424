import { computeAddress, computePublicKey, concatBytes, formatAddress } from '../core/index.ts'
import { type FoundRoles, OwnRoles, type PlacementWatch } from '../storage-worker/index.ts'

/** The Massa address of a key. @param seed - its 32-byte secret */
export function computeSeedAddress(seed: Uint8Array): string {
  return formatAddress(computeAddress(computePublicKey(concatBytes(Uint8Array.of(0), seed))))
}

/** What a sidecar is to hold by the placement in force. @param address - that it is registered under, when that is known */
export function findOwnRoles(
  placement: Pick<PlacementWatch, 'inForce' | 'status'>,
  address: string | undefined,
): FoundRoles {
  const status = placement.status()
  if (!status) return { why: 'no storage-registry is configured' }
  const table = placement.inForce
  if (!table) return { why: status.failing?.message ?? 'no placement is in force yet' }
  if (address === undefined) return { why: 'no key is configured, so it is not known which node this is' }
  return { roles: new OwnRoles({ address, table }) }
}
