import { compareBytes, toHex } from './bytes.ts'
import { type ByteReader, ByteWriter } from './codec.ts'
import { ID_BYTES, PUBLIC_KEY_BYTES, readVersioned } from './massa/atoms.ts'
import { isAscending, restoreDatastoreOrder } from './massa/datastore-order.ts'
import { type BlockHeader, computeBlockId, computeOperationsHash, readHeaderContent } from './massa/header.ts'
import { computeOperationId, readOperationContent } from './massa/operation.ts'
import type { Network, Slot } from './units.ts'

/** The node takes at most so many (facts: massa-node 2.4). */
export const MAX_BLOCK_OPERATIONS = 5000
const MAX_HEADER_BYTES = 64 * 1024
/** Of what stands before the operations of a block: public key, header content and operation ids. */
export const MAX_HEAD_BYTES = MAX_HEADER_BYTES + MAX_BLOCK_OPERATIONS * ID_BYTES
/** Of an operation behind its kind and length. */
export const MAX_ENTRY_BYTES = 32 * 1024 * 1024
/** Ed25519 signatures stand in SEALS without their version byte. */
export const SEAL_BYTES = 64

const REPRODUCIBLE = 1
const NOT_REPRODUCIBLE = 2

/** One operation as BODY holds it. */
export interface RecordedOperation {
  /** 33 bytes */
  readonly id: Uint8Array
  readonly publicKey: Uint8Array
  /** Canonical content; hashes to `id` when `reproducible`. */
  readonly content: Uint8Array
  /** False when the node lost the order or duplicates of a datastore (docs/FORMAT.md, Not reproducible). */
  readonly reproducible: boolean
  /** What the signed operation measured on the wire; only of operations that are not reproducible. */
  readonly serializedSizeBytes?: number
}

/** One block as BODY holds it: what ids bind, without signatures of header and operations. */
export interface BlockRecord {
  readonly publicKey: Uint8Array
  /** Canonical header content. */
  readonly headerContent: Uint8Array
  readonly header: BlockHeader
  /** 33 bytes */
  readonly id: Uint8Array
  /** In block order, duplicates kept; 33 bytes each. */
  readonly operationIds: readonly Uint8Array[]
  /** Distinct operations in order of first appearance. */
  readonly operations: readonly RecordedOperation[]
}

/** Writes what follows the flag 1 of a block in BODY. */
export function writeBlockRecord(writer: ByteWriter, record: Omit<BlockRecord, 'header' | 'id'>): void {
  const head = new ByteWriter(record.headerContent.length + 64 + record.operationIds.length * ID_BYTES)
  head.raw(record.publicKey).raw(record.headerContent).varint(record.operationIds.length)
  for (const id of record.operationIds) head.raw(id)
  writer.bytes(head.finish()).varint(record.operations.length)
  for (const operation of record.operations) {
    const { publicKey, content } = operation
    if (operation.serializedSizeBytes === undefined) {
      writer
        .u8(REPRODUCIBLE)
        .varint(publicKey.length + content.length)
        .raw(publicKey)
        .raw(content)
    } else {
      const inner = new ByteWriter(content.length + 48)
        .raw(publicKey)
        .raw(content)
        .varint(operation.serializedSizeBytes)
      writer.u8(NOT_REPRODUCIBLE).bytes(inner.finish())
    }
  }
}

/**
 * Reads and checks one block of BODY: limits, slot, operation list hash, ids of all reproducible operations,
 * order of first appearance. Signatures are not here, see SEALS.
 *
 * @param reader - errors carry its code
 */
export function readBlockRecord(reader: ByteReader, network: Network, slot: Slot): BlockRecord {
  const head = readListedHead(reader, slot)
  const wanted = distinctIds(head.operationIds)
  const count = reader.varintNumber(MAX_BLOCK_OPERATIONS)
  if (count !== wanted.length) throw reader.error(`${count} operations, the block lists ${wanted.length}`)
  const operations = wanted.map((id) => readRecordedOperation(reader, network, id))
  return { ...head, operations }
}

/**
 * Reads the head of a block record, and checks that it is of this slot and lists the operations that its header says; they
 * follow.
 */
export function readListedHead(reader: ByteReader, slot: Slot): Omit<BlockRecord, 'operations'> {
  const head = readBlockHead(reader)
  if (head.header.slot.period !== slot.period || head.header.slot.thread !== slot.thread) {
    throw reader.error(
      `a block of slot (${head.header.slot.period}, ${head.header.slot.thread}) at (${slot.period}, ${slot.thread})`,
    )
  }
  if (compareBytes(head.header.operationsHash, computeOperationsHash(head.operationIds)) !== 0) {
    throw reader.error('the operation ids do not hash to the operations hash of the header')
  }
  return head
}

/** The distinct ids in order of first appearance. */
export function distinctIds(ids: readonly Uint8Array[]): Uint8Array[] {
  const seen = new Set<string>()
  return ids.filter((id) => {
    const name = toHex(id)
    if (seen.has(name)) return false
    seen.add(name)
    return true
  })
}

/** The bytes of one block of BODY, found by their lengths and not looked into. */
export function passBlockRecord(reader: ByteReader): { record: Uint8Array; operationCount: number } {
  const start = reader.position
  reader.sized(MAX_HEAD_BYTES)
  const operationCount = reader.varintNumber(MAX_BLOCK_OPERATIONS)
  passOperations(reader, operationCount)
  return { record: reader.bytes.subarray(start, reader.position), operationCount }
}

/**
 * Who signed each operation of a block record, found by their lengths: 33 bytes each. Nothing else of them is looked at.
 *
 * @param reader - behind the head
 */
export function readOperationKeys(reader: ByteReader): Uint8Array[] {
  return Array.from({ length: reader.varintNumber(MAX_BLOCK_OPERATIONS) }, () => {
    reader.u8()
    const entry = reader.nested(reader.sized(MAX_ENTRY_BYTES))
    return readVersioned(entry, PUBLIC_KEY_BYTES)
  })
}

/** Reads header and operation ids of a block record; the operations follow. */
export function readBlockHead(outer: ByteReader): Omit<BlockRecord, 'operations'> {
  const reader = outer.nested(outer.sized(MAX_HEAD_BYTES))
  const publicKey = readVersioned(reader, PUBLIC_KEY_BYTES)
  const start = reader.position
  const header = readHeaderContent(reader)
  const headerContent = reader.bytes.subarray(start, reader.position)
  const operationIds: Uint8Array[] = []
  const count = reader.varintNumber(MAX_BLOCK_OPERATIONS)
  for (let i = 0; i < count; i++) operationIds.push(readVersioned(reader, ID_BYTES))
  reader.end()
  return { publicKey, headerContent, header, id: computeBlockId(publicKey, headerContent), operationIds }
}

/** Passes operations of a block record by their lengths. */
export function passOperations(reader: ByteReader, count: number): void {
  for (let i = 0; i < count; i++) {
    reader.u8()
    reader.sized(MAX_ENTRY_BYTES)
  }
}

/**
 * Reads one operation of a block record, kind and length before it, and checks that it hashes to its id where it can.
 *
 * @param id - 33 bytes, as the block lists it
 */
export function readRecordedOperation(outer: ByteReader, network: Network, id: Uint8Array): RecordedOperation {
  const kind = outer.u8()
  if (kind !== REPRODUCIBLE && kind !== NOT_REPRODUCIBLE) throw outer.error(`operation kind ${kind} is not known`)
  const reader = outer.nested(outer.sized(MAX_ENTRY_BYTES))
  const publicKey = readVersioned(reader, PUBLIC_KEY_BYTES)
  const start = reader.position
  const operation = readOperationContent(reader)
  const content = reader.bytes.subarray(start, reader.position)
  if (kind === REPRODUCIBLE) {
    reader.end()
    if (compareBytes(computeOperationId(network.chainId, publicKey, content), id) !== 0) {
      throw reader.error('an operation does not hash to its id')
    }
    return { id, publicKey, content, reproducible: true }
  }
  const serializedSizeBytes = reader.varintNumber(MAX_ENTRY_BYTES)
  reader.end()
  const { kind: bodyKind } = operation.body
  if (bodyKind !== 'execute-sc') throw reader.error(`a ${bodyKind} operation is always reproducible`)
  if (!isAscending(operation.body.datastore)) throw reader.error('datastore keys do not ascend')
  // One set of bytes for one period: what can be restored must stand restored.
  const isOriginal = compareBytes(computeOperationId(network.chainId, publicKey, content), id) === 0
  if (isOriginal || restoreDatastoreOrder({ operation, id, publicKey, serializedSizeBytes }, network.chainId)) {
    throw reader.error('an operation that can be reproduced stands as not reproducible')
  }
  return { id, publicKey, content, reproducible: false, serializedSizeBytes }
}

export function encodeBlockRecord(record: Omit<BlockRecord, 'header' | 'id'>): Uint8Array {
  // Enough for all but a few: growing by doubling leaves three times the block behind.
  let size = record.headerContent.length + record.operationIds.length * ID_BYTES + 128
  for (const { publicKey, content } of record.operations) size += publicKey.length + content.length + 16
  const writer = new ByteWriter(size)
  writeBlockRecord(writer, record)
  return writer.finish()
}
