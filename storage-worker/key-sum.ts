import type { Manifest } from '../core/manifest.ts'
import { encodeIndexKey, encodePeriod } from './keyspace.ts'

/**
 * A sum over a set of keys in any order, to compare two sets that do not fit in memory.
 *
 * 64 bits, not cryptographic: it tells damage from no damage. Who can write keys on this disk can write anything.
 */
export class KeySum {
  count = 0
  low = 0
  high = 0

  add(key: Uint8Array): void {
    // FNV-1a twice, from different beginnings and over different multipliers, then stirred so that sums do not cancel out.
    let a = 0x811c9dc5
    let b = 0x9747b28c
    for (let i = 0; i < key.length; i++) {
      const byte = key[i] ?? 0
      a = Math.imul(a ^ byte, 0x01000193)
      b = Math.imul(b ^ byte, 0x5bd1e995)
    }
    this.addParts(1, stir(a), stir(b))
  }

  addParts(count: number, low: number, high: number): void {
    this.count += count
    this.low = (this.low + low) >>> 0
    this.high = (this.high + high) >>> 0
  }

  equals(other: KeySum): boolean {
    return this.count === other.count && this.low === other.low && this.high === other.high
  }
}

function stir(hash: number): number {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** Of the places of a manifest's chunks, as `placeKeys` (period-index.ts) makes them. */
export function sumPlaces({ period, chunks }: Manifest): KeySum {
  const sum = new KeySum()
  const place = new Uint8Array(12)
  place.set(encodePeriod(period))
  const view = new DataView(place.buffer)
  for (const [index, { chunkId }] of chunks.entries()) {
    view.setUint32(8, index)
    sum.add(encodeIndexKey('merkleRoots', chunkId, place))
  }
  return sum
}
