import { sha256 } from '#crypto'
import { ArchiveError } from '../errors.ts'
import { encodeRegistryCall } from './calls.ts'
import type { PartialRegistryConfig } from './registry-config.ts'

/** nanoMAS for a byte on the ledger, while it is there (facts: contract-platform 2.1). */
export const BYTE_PRICE_NANO_MAS = 100_000n
/** nanoMAS for an address. */
const ADDRESS_PRICE_NANO_MAS = 1_000_000n
const ENTRY_OVERHEAD_BYTES = 4
const RECORD_VERSION = 1
const ANNOUNCEMENT_BYTES = 41

/** Periods in which an announced change may be applied, after the first one. */
export const CHANGE_APPLY_PERIODS = 5400n

/** Keys of the registry's datastore that hold what no view returns. */
export const REGISTRY_KEYS = {
  admin: 'admin',
  pendingAdmin: 'padmin',
  pendingConfig: 'pconfig',
  pendingCode: 'pcode',
} as const

/** A change of the admin's that waits for its second call. */
export interface Announcement {
  /** SHA-256 of the argument bytes of `updateConfig`, or of the new bytecode. */
  readonly hash: Uint8Array
  readonly announcedPeriod: bigint
}

/** @throws ArchiveError CORE_BYTES_INVALID */
export function decodeAnnouncement(record: Uint8Array): Announcement {
  if (record.length !== ANNOUNCEMENT_BYTES || record[0] !== RECORD_VERSION) {
    throw new ArchiveError('CORE_BYTES_INVALID', 'not an announcement of version 1')
  }
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength)
  return { hash: record.slice(1, 33), announcedPeriod: view.getBigUint64(33, true) }
}

/** What `pconfig` holds after `updateConfig` of these settings was announced. */
export function computeConfigAnnouncementHash(config: PartialRegistryConfig): Uint8Array {
  return sha256(encodeRegistryCall('updateConfig', config))
}

export function computeCodeAnnouncementHash(bytecode: Uint8Array): Uint8Array {
  return sha256(bytecode)
}

/** What a deployment costs beside the fee, nanoMAS. */
export interface DeployPrice {
  /** Address and bytecode: held by the chain for good. */
  readonly codeNanoMas: bigint
  /** The first records of the registry: what its constructor has to be sent. */
  readonly recordsNanoMas: bigint
}

/** @param adminLength - characters of the admin's address */
export function computeDeployPrice(bytecodeBytes: number, adminLength: number): DeployPrice {
  const entries = [
    ['config', 192],
    ['state', 320],
    [REGISTRY_KEYS.admin, adminLength],
    ['total_nodes', 8],
  ] as const
  const recordBytes = entries.reduce((sum, [key, size]) => sum + ENTRY_OVERHEAD_BYTES + key.length + size, 0)
  return {
    codeNanoMas: BigInt(bytecodeBytes) * BYTE_PRICE_NANO_MAS + ADDRESS_PRICE_NANO_MAS,
    recordsNanoMas: BigInt(recordBytes) * BYTE_PRICE_NANO_MAS,
  }
}
