import { computeHashSlot, HASH_SLOTS } from '../../core/index.ts'
import type { PlacementTable } from './placement-table.ts'

/**
 * What a chunk on this disk is here for: first of its holders, another holder, held without being asked for; `none` while
 * nobody can tell.
 */
export const CHUNK_ROLES = ['primary', 'replica', 'extra', 'none'] as const
export type ChunkRole = (typeof CHUNK_ROLES)[number]

/** Who is asked about: the node that an archive belongs to, in one table. */
export interface OwnRolesOptions {
  /** Massa address that the node is registered under. */
  readonly address: string
  readonly table: PlacementTable
}

/** What one node is to hold, by the table of one era. */
export class OwnRoles {
  readonly address: string
  readonly era: number
  private readonly roles: readonly ChunkRole[]

  constructor({ address, table }: OwnRolesOptions) {
    this.address = address
    this.era = table.era
    const roles = new Array<ChunkRole>(HASH_SLOTS).fill('extra')
    for (const hashSlot of table.listDutySlotsOf(address)) {
      roles[hashSlot] = table.holdersOfSlot(hashSlot).holders[0]?.address === address ? 'primary' : 'replica'
    }
    this.roles = roles
  }

  /** @param chunkId - 32 bytes */
  roleOf(chunkId: Uint8Array): ChunkRole {
    return this.roles[computeHashSlot(chunkId)] ?? 'none'
  }

  /** Hash slots, ascending. */
  listSlots(role: ChunkRole): number[] {
    return this.roles.flatMap((each, hashSlot) => (each === role ? [hashSlot] : []))
  }
}

/** Or in a few words why there are none: no registry, no key. */
export type FoundRoles = { readonly roles: OwnRoles } | { readonly why: string }
