import type { Manifest } from '../core/manifest.ts'
import type { Holding } from '../core/ports.ts'
import { encodeIndexKey, encodePeriod } from './keyspace.ts'

const CHUNK_ID_BYTES = 32

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

// Put together in one place: an archive of quiet periods has thousands of them.
const placeInput = encodeIndexKey('merkleRoots', new Uint8Array(CHUNK_ID_BYTES + 8 + 4))
const placeView = new DataView(placeInput.buffer)

/** Of the places of a period's chunks that are held, as `placeKeys` (period-index.ts) makes them. */
export function sumPlaces({ period, chunks }: Manifest, holding?: Holding): KeySum {
  const sum = new KeySum()
  const missing = holding && new Set(holding.missingChunks)
  placeInput.set(encodePeriod(period), 1 + CHUNK_ID_BYTES)
  for (const [index, { chunkId }] of chunks.entries()) {
    if (missing?.has(index)) continue
    placeInput.set(chunkId, 1)
    placeView.setUint32(placeInput.length - 4, index)
    sum.add(placeInput)
  }
  return sum
}
