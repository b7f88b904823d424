import {
  type BlockRecord,
  distinctIds,
  MAX_BLOCK_OPERATIONS,
  MAX_ENTRY_BYTES,
  MAX_HEAD_BYTES,
  readListedHead,
} from '../block-record.ts'
import { FLAG_BLOCK, FLAG_MISS, FLAG_VOID, readBodyHead } from '../body-head.ts'
import { equalBytes } from '../bytes.ts'
import { ByteReader } from '../codec.ts'
import { ArchiveError } from '../errors.ts'
import type { PeriodBinding } from '../manifest.ts'
import { formatBlockId, formatEndorsementId, formatOperationId } from '../massa/atoms.ts'
import { computeEndorsementHash, type HeaderEndorsement } from '../massa/endorsement.ts'
import { PERIOD_HEAD_BYTES } from '../period-head.ts'
import { formatSlot, type Slot } from '../units.ts'
import type { BodyCursor } from './body-cursor.ts'

/*
 * How a reader gets to a block of BODY: from the beginning, length by length. Bytes that stand somewhere in BODY are no block
 * because they look like one: anybody can have a made up block archived inside the data of an operation. The builder of a
 * proof walks the same way and shows what he had to read.
 */

const CODE = 'CORE_READING_BODY_INVALID'
/** Head and thread count. */
const BODY_HEAD_BYTES = PERIOD_HEAD_BYTES + 1

/** Everything of a block record but its operations. */
export type BlockHead = Omit<BlockRecord, 'operations'>

/** Where a block begins, behind its flag. */
export interface BlockStart {
  readonly slot: Slot
  /** Signatures in SEALS of the blocks before it. */
  readonly signaturesBefore: number
}

/** Whether the bitmap says that a thread has a block. */
export function hasBlock({ bitmap }: Pick<PeriodBinding, 'bitmap'>, thread: number): boolean {
  return ((bitmap >>> thread) & 1) === 1
}

/** Walks from the beginning of BODY to the block of a thread, which the bitmap has to have. */
export function walkToBlock(cursor: BodyCursor, shown: PeriodBinding, thread: number): BlockStart {
  cursor.skip(BODY_HEAD_BYTES)
  const { network, period } = readBodyHead(new ByteReader(cursor.since(0), CODE))
  const { chainId, genesisTimestampMs } = shown.network
  if (network.chainId !== chainId || network.genesisTimestampMs !== genesisTimestampMs || period !== shown.period) {
    throw cursor.error('it is of another period or network')
  }
  let signaturesBefore = 0
  for (let before = 0; before < thread; before++) {
    passFlag(cursor, shown, before)
    if (hasBlock(shown, before)) signaturesBefore += 1 + passBlock(cursor)
  }
  passFlag(cursor, shown, thread)
  return { slot: { period, thread }, signaturesBefore }
}

/** Passes a block by its lengths. @returns how many operations it has */
export function passBlock(cursor: BodyCursor): number {
  cursor.skip(cursor.varint(MAX_HEAD_BYTES))
  const count = cursor.varint(MAX_BLOCK_OPERATIONS)
  for (let i = 0; i < count; i++) passOperation(cursor)
  return count
}

/** Reads all of a block but its operations. */
export function readHead(cursor: BodyCursor, slot: Slot): BlockHead {
  const start = cursor.position
  cursor.skip(cursor.varint(MAX_HEAD_BYTES))
  return readListedHead(new ByteReader(cursor.since(start), CODE), slot)
}

/**
 * Finds an endorsement in the header that carries it; that binds all of it.
 *
 * @throws ArchiveError CORE_READING_ID_OTHER when the header has none of this id
 */
export function locateEndorsement(head: BlockHead, id: Uint8Array): LocatedEndorsement {
  const { header } = head
  const { slot } = header
  const endorsedBlock = header.parents[slot.thread]
  const endorsement = header.endorsements.find(({ publicKey, index }) => {
    if (!endorsedBlock) return false
    return equalBytes(computeEndorsementHash(publicKey, { slot, index, endorsedBlock }), id.subarray(1))
  })
  if (endorsement && endorsedBlock) return { endorsement, endorsedBlock }
  const names = `block ${formatBlockId(head.id)} does not carry ${formatEndorsementId(id)}`
  throw new ArchiveError('CORE_READING_ID_OTHER', names, { ...slot })
}

/** An endorsement as its header carries it, with what follows from the header. */
export interface LocatedEndorsement {
  readonly endorsement: HeaderEndorsement
  /** 33 bytes: the parent in the thread of the header. */
  readonly endorsedBlock: Uint8Array
}

/** An operation as it stands in its block. */
export interface LocatedOperation {
  readonly head: BlockHead
  /** Among the distinct operations of the block, in their order. */
  readonly position: number
  /** Kind, length and what is behind them. */
  readonly entry: Uint8Array
}

/**
 * Reads the head of a block, and finds one of its operations.
 *
 * @throws ArchiveError CORE_READING_ID_OTHER when the block does not list it
 */
export function locateOperation(cursor: BodyCursor, slot: Slot, id: Uint8Array): LocatedOperation {
  const head = readHead(cursor, slot)
  const listed = distinctIds(head.operationIds)
  const position = listed.findIndex((one) => equalBytes(one, id))
  if (position < 0) {
    const names = `block ${formatBlockId(head.id)} at ${formatSlot(slot)} does not list ${formatOperationId(id)}`
    throw new ArchiveError('CORE_READING_ID_OTHER', names, { period: slot.period, thread: slot.thread })
  }
  const count = cursor.varint(MAX_BLOCK_OPERATIONS)
  if (count !== listed.length) throw cursor.error(`${count} operations, the block lists ${listed.length}`)
  for (let before = 0; before < position; before++) passOperation(cursor)
  const entryStart = cursor.position
  passOperation(cursor)
  return { head, position, entry: cursor.since(entryStart) }
}

function passOperation(cursor: BodyCursor): void {
  const kind = cursor.u8()
  if (kind !== 1 && kind !== 2) throw cursor.error(`operation kind ${kind} is not known`)
  cursor.skip(cursor.varint(MAX_ENTRY_BYTES))
}

function passFlag(cursor: BodyCursor, shown: PeriodBinding, thread: number): void {
  const flag = cursor.u8()
  if (flag !== FLAG_BLOCK && flag !== FLAG_MISS && flag !== FLAG_VOID) {
    throw cursor.error(`slot flag ${flag} is not known`)
  }
  if ((flag === FLAG_BLOCK) !== hasBlock(shown, thread)) {
    throw cursor.error(`flag ${flag} of thread ${thread}, the bitmap says otherwise`)
  }
}
