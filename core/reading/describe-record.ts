import { type BlockRecord, type RecordedOperation, SEAL_BYTES } from '../block-record.ts'
import { concatBytes, toHex } from '../bytes.ts'
import { computeAddress } from '../massa/address.ts'
import {
  formatAddress,
  formatBlockId,
  formatEndorsementId,
  formatHash,
  formatOperationId,
  formatPublicKey,
  formatSignature,
} from '../massa/atoms.ts'
import { computeEndorsementHash, type HeaderEndorsement } from '../massa/endorsement.ts'
import { parseOperationContent } from '../massa/operation.ts'
import type { Slot } from '../units.ts'
import type { VerifiedAnswer } from './verify-proof.ts'

/* Records as plain JSON for people and programs: u64 and amounts as decimal text, bytes as hex, ids as Massa writes them. */

/** Of an operation that is not reproducible: its id binds none of these, and any key can sign the id. */
const UNPROVEN = ['creator', 'publicKey', 'signature', 'feeNanoMas', 'expirePeriod', 'body'] as const

export interface BlockDescription {
  readonly blockId: string
  readonly slot: Slot
  /** Address of the producer. */
  readonly creator: string
  readonly publicKey: string
  /** Absent where the archive gave none. */
  readonly signature: string | undefined
  readonly currentVersion: number
  readonly announcedVersion: number | undefined
  /** Of the 32 threads; none in period 0. */
  readonly parents: readonly string[]
  readonly operationsHash: string
  /** How many. */
  readonly endorsements: number
  readonly denunciations: number
  /** In block order, duplicates kept. */
  readonly operations: readonly string[]
}

export interface EndorsementDescription {
  readonly endorsementId: string
  readonly slot: Slot
  readonly index: number
  /** Address of who signed it. */
  readonly endorser: string
  readonly publicKey: string
  readonly signature: string
  readonly endorsedBlock: string
}

export interface OperationDescription {
  readonly operationId: string
  readonly creator: string
  readonly publicKey: string
  /** Absent where the archive gave none. */
  readonly signature: string | undefined
  readonly reproducible: boolean
  /** Names of the fields here that the id does not bind; absent where it binds all. */
  readonly unproven: readonly string[] | undefined
  readonly feeNanoMas: string
  readonly expirePeriod: string
  /** `kind`, and the fields of that kind. */
  readonly body: Readonly<Record<string, unknown>>
}

/** What a proof shows, and nothing that an archive said beside it. */
export function describeProven({ record, period, periodRoot, bitmap, chunkIds }: VerifiedAnswer): object {
  switch (record.kind) {
    case 'block':
      return describeBlock(record.block, record.seals?.header)
    case 'operation':
      return {
        ...describeOperation(record.operation, record.seals?.operations[0]),
        slot: record.slot,
        blockId: formatBlockId(record.head.id),
      }
    case 'endorsement':
      return describeEndorsement(record)
    case 'slot-empty':
      return { slot: record.slot, block: 'none' }
    case 'period':
      return { period, root: toHex(periodRoot), bitmap, chunkIds: chunkIds.map(toHex) }
  }
}

/** @param seals - of the block, 64 bytes each, the one of its header first; undefined where the archive does not hold them */
export function describeBlock(
  record: Omit<BlockRecord, 'operations'>,
  seals: Uint8Array | undefined,
): BlockDescription {
  const { header } = record
  return {
    blockId: formatBlockId(record.id),
    slot: header.slot,
    creator: formatAddress(computeAddress(record.publicKey)),
    publicKey: formatPublicKey(record.publicKey),
    signature: formatSeal(seals?.subarray(0, SEAL_BYTES)),
    currentVersion: header.currentVersion,
    announcedVersion: header.announcedVersion,
    parents: header.parents.map(formatBlockId),
    operationsHash: formatHash(header.operationsHash),
    endorsements: header.endorsements.length,
    denunciations: header.denunciations.length,
    operations: record.operationIds.map(formatOperationId),
  }
}

export function describeEndorsement({
  slot,
  endorsement,
  endorsedBlock,
}: {
  readonly slot: Slot
  readonly endorsement: HeaderEndorsement
  readonly endorsedBlock: Uint8Array
}): EndorsementDescription {
  const { index, publicKey, signature } = endorsement
  const hash = computeEndorsementHash(publicKey, { slot, index, endorsedBlock })
  return {
    endorsementId: formatEndorsementId(concatBytes(Uint8Array.of(0), hash)),
    slot,
    index,
    endorser: formatAddress(computeAddress(publicKey)),
    publicKey: formatPublicKey(publicKey),
    signature: formatSignature(signature),
    endorsedBlock: formatBlockId(endorsedBlock),
  }
}

/** @param seal - 64 bytes; undefined where the archive does not hold it */
export function describeOperation(operation: RecordedOperation, seal: Uint8Array | undefined): OperationDescription {
  const { feeNanoMas, expirePeriod, body } = parseOperationContent(operation.content)
  return {
    operationId: formatOperationId(operation.id),
    creator: formatAddress(computeAddress(operation.publicKey)),
    publicKey: formatPublicKey(operation.publicKey),
    signature: formatSeal(seal),
    reproducible: operation.reproducible,
    unproven: operation.reproducible ? undefined : UNPROVEN,
    feeNanoMas: feeNanoMas.toString(),
    expirePeriod: expirePeriod.toString(),
    body: Object.fromEntries(Object.entries(body).map(([key, value]) => [key, describeField(key, value)])),
  }
}

function describeField(key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return key === 'recipient' || key === 'target' ? formatAddress(value) : toHex(value)
  if (Array.isArray(value)) {
    return value.map((entry: { key: Uint8Array; value: Uint8Array }) => ({
      key: toHex(entry.key),
      value: toHex(entry.value),
    }))
  }
  return value
}

function formatSeal(seal: Uint8Array | undefined): string | undefined {
  return seal ? formatSignature(concatBytes(Uint8Array.of(0), seal)) : undefined
}
