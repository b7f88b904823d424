import { compareBytes, equalBytes, toHex } from '../bytes.ts'
import {
  computeOperationHash,
  type DatastoreEntry,
  encodeOperationContent,
  type Operation,
  SIGNED_OVERHEAD_BYTES,
} from './operation.ts'

/** At most 4! orders of a datastore are tried (docs/FORMAT.md, Not reproducible). */
const MAX_REORDERED_ENTRIES = 4

/** An operation as a node shows it, with what is known of the original. */
export interface ShownOperation {
  readonly operation: Operation
  /** 33 bytes, of the original */
  readonly id: Uint8Array
  readonly publicKey: Uint8Array
  /** What the original measured: content and 98 bytes. */
  readonly serializedSizeBytes: number
}

/**
 * The original content of an ExecuteSC whose datastore a node shows sorted: the order that hashes to the id.
 *
 * @returns canonical content; undefined when no order does, or there are not 2 to 4 entries, or bytes are missing
 */
export function restoreDatastoreOrder(shown: ShownOperation, chainId: bigint): Uint8Array | undefined {
  const { operation, id, publicKey, serializedSizeBytes } = shown
  const { body } = operation
  if (body.kind !== 'execute-sc') return undefined
  if (body.datastore.length < 2 || body.datastore.length > MAX_REORDERED_ENTRIES) return undefined
  if (encodeOperationContent(operation).length !== serializedSizeBytes - SIGNED_OVERHEAD_BYTES) return undefined
  for (const datastore of listOrders(body.datastore)) {
    const content = encodeOperationContent({ ...operation, body: { ...body, datastore } })
    if (equalBytes(computeOperationHash(chainId, publicKey, content), id.subarray(1))) return content
  }
  return undefined
}

/** True when each key is larger than the one before it: what a node makes of a datastore. */
export function isAscending(datastore: readonly { readonly key: Uint8Array }[]): boolean {
  return datastore.every(({ key }, i) => {
    const previous = datastore[i - 1]
    return previous === undefined || compareBytes(previous.key, key) < 0
  })
}

/** As a node shows it: the datastore of an ExecuteSC sorted. What hashes to the id may be another order. */
export function asShown(operation: Operation): Operation {
  const { body } = operation
  if (body.kind !== 'execute-sc') return operation
  return { ...operation, body: { ...body, datastore: sortDatastore(body.datastore) } }
}

/** Entries in order of keys, as a node keeps and shows them; the last of equal keys stays. */
export function sortDatastore(entries: readonly DatastoreEntry[]): readonly DatastoreEntry[] {
  const byKey = new Map(entries.map((entry) => [toHex(entry.key), entry]))
  return [...byKey.values()].sort((a, b) => compareBytes(a.key, b.key))
}

function* listOrders<T>(items: readonly T[]): Generator<T[]> {
  if (items.length <= 1) {
    yield [...items]
    return
  }
  for (const [i, item] of items.entries()) {
    for (const rest of listOrders([...items.slice(0, i), ...items.slice(i + 1)])) yield [item, ...rest]
  }
}
