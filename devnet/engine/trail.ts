import { blake3 } from '#crypto'
import { ByteWriter } from '../../core/codec.ts'
import { formatAddress, writeSlotKey } from '../../core/massa/atoms.ts'
import type { Slot } from '../../core/units.ts'

/** BLAKE3 over every part with its length, u64 big-endian, before it. */
export function computeTupleHash(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += 8 + part.length
  const writer = new ByteWriter(length)
  for (const part of parts) writer.u64(BigInt(part.length)).raw(part)
  return blake3(writer.finish())
}

/**
 * The hash that ties a slot to all slots executed before it. Random numbers and the addresses of new contracts come
 * from it.
 *
 * @param blockId - 33 bytes; `undefined` for a missed slot and for a read-only execution
 */
export function computeTrailHash(
  previous: Uint8Array,
  slot: Slot,
  options: { readonly readOnly: boolean; readonly blockId: Uint8Array | undefined },
): Uint8Array {
  const key = new ByteWriter(9)
  writeSlotKey(key, slot)
  const flags = Uint8Array.of(options.readOnly ? 1 : 0, options.blockId ? 1 : 0)
  const parts = [previous, key.finish(), flags]
  return computeTupleHash(options.blockId ? [...parts, options.blockId] : parts)
}

const SC_ADDRESS = new TextEncoder().encode('SC_ADDRESS')

/** Address of the `index`th contract created in a slot; a higher nonce when that one exists. */
export function computeContractAddress(trailHash: Uint8Array, index: number, nonce: number): string {
  const hash = computeTupleHash([SC_ADDRESS, trailHash, u64(index), u64(nonce)])
  const address = new Uint8Array(34)
  address[0] = 1
  address.set(hash, 2)
  return formatAddress(address)
}

function u64(value: number): Uint8Array {
  return new ByteWriter(8).u64(BigInt(value)).finish()
}
