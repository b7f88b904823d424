import { type BlockRecord, passBlockRecord, readBlockRecord, SEAL_BYTES } from './block-record.ts'
import { FLAG_BLOCK, FLAG_MISS, FLAG_VOID, readBodyHead } from './body-head.ts'
import { concatBytes } from './bytes.ts'
import { ByteReader } from './codec.ts'
import { encodePeriodHead, PERIOD_FORMAT } from './period-head.ts'
import { type Network, type Period, type Slot, THREAD_COUNT } from './units.ts'

/*
 * BODY and SEALS of a period, format 1 (docs/FORMAT.md). BODY holds what ids bind and is the same on every honest
 * machine; SEALS holds the signatures.
 */

/** What stands at a slot: a block, a proven miss, or nothing because a restart of the chain undid it. */
export type BodySlot = { readonly kind: 'miss' | 'void' } | { readonly kind: 'block'; readonly record: BlockRecord }

/** The same, with the block still encoded, as `encodeBlockRecord` gives it. */
export type EncodedBodySlot =
  | { readonly kind: 'miss' | 'void' }
  | { readonly kind: 'block'; readonly record: Uint8Array }

export interface Body {
  readonly network: Network
  readonly period: Period
  /** 32 of them, in thread order. */
  readonly slots: readonly BodySlot[]
}

/**
 * Canonical BODY of a period.
 *
 * @param slots - 32, in thread order
 */
export function encodeBody(network: Network, period: Period, slots: readonly EncodedBodySlot[]): Uint8Array {
  return concatBytes(...listBodyParts(network, period, slots))
}

/**
 * The same bytes in pieces, for who does not want 10 MB at once.
 *
 * @returns what BODY is when joined; records are not copied
 */
export function listBodyParts(network: Network, period: Period, slots: readonly EncodedBodySlot[]): Uint8Array[] {
  const parts = [encodePeriodHead(network, period), Uint8Array.of(THREAD_COUNT)]
  for (const slot of slots) {
    if (slot.kind === 'block') parts.push(Uint8Array.of(FLAG_BLOCK), slot.record)
    else parts.push(Uint8Array.of(slot.kind === 'miss' ? FLAG_MISS : FLAG_VOID))
  }
  return parts
}

/** Parses and checks a whole BODY. @throws ArchiveError CORE_BODY_INVALID */
export function parseBody(bytes: Uint8Array): Body {
  return readBody<BodySlot>(bytes, (reader, network, slot) => ({
    kind: 'block',
    record: readBlockRecord(reader, network, slot),
  }))
}

/** A BODY of which the blocks were not looked into. */
export interface SplitBody extends Omit<Body, 'slots'> {
  /** 32 of them, in thread order. */
  readonly slots: readonly SplitSlot[]
}

export type SplitSlot =
  | { readonly kind: 'miss' | 'void' }
  /** `record` is a view; the block says that it has so many distinct operations. */
  | { readonly kind: 'block'; readonly record: Uint8Array; readonly operationCount: number }

/**
 * Finds the blocks of a BODY by their lengths alone, in microseconds: nothing of them is checked.
 *
 * @throws ArchiveError CORE_BODY_INVALID
 */
export function splitBody(bytes: Uint8Array): SplitBody {
  return readBody<SplitSlot>(bytes, (reader) => ({ kind: 'block', ...passBlockRecord(reader) }))
}

function readBody<B>(bytes: Uint8Array, readBlock: (reader: ByteReader, network: Network, slot: Slot) => B) {
  const reader = new ByteReader(bytes, 'CORE_BODY_INVALID')
  const { network, period } = readBodyHead(reader)
  const slots: (B | { readonly kind: 'miss' | 'void' })[] = []
  for (let thread = 0; thread < THREAD_COUNT; thread++) {
    const flag = reader.u8()
    if (flag === FLAG_BLOCK) slots.push(readBlock(reader, network, { period, thread }))
    else if (flag === FLAG_MISS) slots.push({ kind: 'miss' })
    else if (flag === FLAG_VOID) slots.push({ kind: 'void' })
    else throw reader.error(`slot flag ${flag} is not known`)
  }
  reader.end()
  return { network, period, slots }
}

/** Bit t is set when thread t has a block, u32. */
export function computeBitmap(slots: readonly { readonly kind: string }[]): number {
  let bitmap = 0
  for (const [thread, slot] of slots.entries()) if (slot.kind === 'block') bitmap |= 1 << thread
  return bitmap >>> 0
}

/** Signatures of one block: header first, then its distinct operations in BODY order; 64 bytes each. */
export type BlockSeals = Uint8Array

/** @param blocks - the seals of the blocks, in thread order */
export function encodeSeals(network: Network, period: Period, blocks: readonly BlockSeals[]): Uint8Array {
  return concatBytes(encodePeriodHead(network, period), ...blocks)
}

/**
 * Splits SEALS by the blocks of the BODY they belong to.
 *
 * @returns the seals of each block in thread order
 * @throws ArchiveError CORE_SEALS_INVALID
 */
export function parseSeals(bytes: Uint8Array, body: Body): BlockSeals[] {
  const reader = new ByteReader(bytes, 'CORE_SEALS_INVALID')
  const format = reader.u8()
  if (format !== PERIOD_FORMAT) throw reader.error(`format ${format} is not known`)
  const chainId = reader.u64()
  const genesis = reader.u64()
  const period = reader.u64()
  const { network } = body
  if (chainId !== network.chainId || genesis !== network.genesisTimestampMs || period !== BigInt(body.period)) {
    throw reader.error('the seals belong to another period or network')
  }
  const seals: BlockSeals[] = []
  for (const slot of body.slots) {
    if (slot.kind === 'block') seals.push(reader.raw(SEAL_BYTES * (1 + slot.record.operations.length)))
  }
  reader.end()
  return seals
}
