import { bail } from '../faults.ts'

/** Keys of a datastore in one answer (massa-sc-runtime, max_datastore_entry_count). */
export const MAX_LISTED_KEYS = 100_000
/** Entries of an operation's datastore (max_op_datastore_entry_count). */
export const MAX_OPERATION_KEYS = 128

/** u32 LE count, then each key behind one byte of length; nothing at all for no keys. */
export function packKeys(keys: readonly Uint8Array[], limit: number): Uint8Array {
  if (keys.length === 0) return new Uint8Array()
  if (keys.length > limit) throw bail('Too many entries in the datastore')
  let length = 4
  for (const key of keys) length += 1 + key.length
  const packed = Buffer.alloc(length)
  let position = packed.writeUInt32LE(keys.length)
  for (const key of keys) {
    if (key.length > 255) throw bail('Some Datastore keys are too long')
    packed[position++] = key.length
    packed.set(key, position)
    position += key.length
  }
  return packed
}
