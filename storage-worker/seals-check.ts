import { equalBytes } from '../core/bytes.ts'
import type { Manifest } from '../core/manifest.ts'
import { encodePeriodHead, PERIOD_HEAD_BYTES } from '../core/period-head.ts'
import { THREAD_COUNT } from '../core/units.ts'
import { countBits } from './holding.ts'

const SIGNATURE_BYTES = 64
/** Of the fifth byte of a length, which is its last. */
const MAX_VARINT_FACTOR = 2 ** 28

type State = 'flag' | 'record' | 'count' | 'kind' | 'operation'

/** The same as `SealsCheck.fits`, of a BODY with this manifest that is known to have so many distinct operations. */
export function areSealsFor(seals: Uint8Array, manifest: Manifest, operations: number): boolean {
  const { network, period, bitmap } = manifest
  const signatures = countBits(bitmap) + operations
  return areSeals(seals, encodePeriodHead(network, period), signatures)
}

function areSeals(seals: Uint8Array, head: Uint8Array, signatures: number): boolean {
  const isLong = seals.length === PERIOD_HEAD_BYTES + SIGNATURE_BYTES * signatures
  return isLong && equalBytes(seals.subarray(0, PERIOD_HEAD_BYTES), head)
}

/**
 * Whether SEALS hold the signatures that BODY asks for: of the same network and period, one of each block and one of
 * each of its distinct operations.
 *
 * Goes through BODY by its lengths alone, chunk by chunk, and keeps none of it: some microseconds per chunk.
 */
export class SealsCheck {
  private readonly head = new Uint8Array(PERIOD_HEAD_BYTES)
  private headBytes = 0
  private nextChunk = 0
  private isBroken = false
  private state: State = 'flag'
  private threads = 0
  /** Bit t is set when thread t has a block, u32. */
  private bitmap = 0
  private operations = 0
  private signatures = 0
  /** Bytes to pass over before `state` goes on; the number of threads stands behind the head. */
  private skip = 1
  private varint = 0
  private shift = 0

  /** Chunks of one BODY in order, the first one included: of all others nothing can be said. */
  takeChunk(n: number, chunk: Uint8Array): void {
    if (n !== this.nextChunk++) this.isBroken = true
    const own = Math.min(PERIOD_HEAD_BYTES - this.headBytes, chunk.length)
    this.head.set(chunk.subarray(0, own), this.headBytes)
    this.headBytes += own
    if (!this.isBroken) this.walk(chunk, own)
  }

  /** `undefined` when the chunks given are no whole BODY. */
  fits(seals: Uint8Array): boolean | undefined {
    return this.isWhole ? areSeals(seals, this.head, this.signatures) : undefined
  }

  /**
   * Distinct operations of all blocks.
   *
   * @returns undefined when the chunks given are no whole BODY, or not one of this network, period and bitmap
   */
  countOperations({ network, period, bitmap }: Pick<Manifest, 'network' | 'period' | 'bitmap'>): number | undefined {
    if (!this.isWhole || this.bitmap !== bitmap) return undefined
    if (!equalBytes(this.head, encodePeriodHead(network, period))) return undefined
    return this.signatures - countBits(bitmap)
  }

  private get isWhole(): boolean {
    return !this.isBroken && this.threads === THREAD_COUNT && this.state === 'flag' && this.skip === 0
  }

  private walk(chunk: Uint8Array, from: number): void {
    let at = from
    for (;;) {
      if (this.state === 'kind' && this.skip === 0) at = this.passOperations(chunk, at)
      const skipped = Math.min(this.skip, chunk.length - at)
      this.skip -= skipped
      at += skipped
      const byte = chunk[at++]
      if (byte === undefined || this.isBroken) return
      this.take(byte)
    }
  }

  /** What `take` does byte by byte, for operations that lie in this chunk whole: nearly all there are. */
  private passOperations(chunk: Uint8Array, from: number): number {
    let at = from
    while (this.operations > 0) {
      let next = at + 1
      let byte = chunk[next++] ?? 0x80
      let sizeBytes = byte & 0x7f
      for (let factor = 0x80; byte >= 0x80 && factor <= MAX_VARINT_FACTOR; factor *= 0x80) {
        byte = chunk[next++] ?? 0x80
        sizeBytes += (byte & 0x7f) * factor
      }
      next += sizeBytes
      if (byte >= 0x80 || next > chunk.length) return at
      at = next
      this.operations--
    }
    this.state = 'flag'
    return at
  }

  private take(byte: number): void {
    if (this.state === 'flag') {
      const thread = this.threads++
      if (thread >= THREAD_COUNT || byte > 2) this.isBroken = true
      if (byte !== 1) return
      this.bitmap = (this.bitmap | (1 << thread)) >>> 0
      this.signatures++
      this.state = 'record'
    } else if (this.state === 'kind') this.state = 'operation'
    else {
      this.varint += (byte & 0x7f) * 2 ** this.shift
      this.shift += 7
      if (byte < 0x80) this.takeNumber()
      else if (this.shift > 28) this.isBroken = true
    }
  }

  private takeNumber(): void {
    const value = this.varint
    this.varint = 0
    this.shift = 0
    if (this.state === 'count') {
      this.operations = value
      this.signatures += value
    } else {
      this.skip = value
      if (this.state === 'operation') this.operations--
    }
    if (this.state === 'record') this.state = 'count'
    else this.state = this.operations > 0 ? 'kind' : 'flag'
  }
}
