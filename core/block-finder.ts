import { MAX_BLOCK_OPERATIONS, SEAL_BYTES } from './block-record.ts'
import { FLAG_BLOCK, FLAG_MISS, FLAG_VOID, readBodyHead } from './body-head.ts'
import { concatBytes } from './bytes.ts'
import { ByteReader } from './codec.ts'
import { PERIOD_HEAD_BYTES } from './period-head.ts'
import { THREAD_COUNT } from './units.ts'

/** Where a block stands: bytes of BODY and of SEALS, from their beginning. */
export interface BlockPlace {
  readonly start: number
  readonly end: number
  readonly sealsStart: number
  readonly sealsEnd: number
}

/** A flag, or the kind of an operation, and a length behind it. */
const MAX_FIELD_BYTES = 1 + 10
/** Longer than anything in a BODY. */
const MAX_LENGTH = 2 ** 32

/**
 * Finds the blocks of a BODY by their lengths alone, while its chunks come one by one: what stands behind a block need not
 * come. Nothing of what the blocks hold is checked.
 */
export class BlockFinder {
  private readonly places: (BlockPlace | undefined)[] = []
  /** Came, and is not passed: a field of which the end is in the next chunk. */
  private rest = new Uint8Array(0)
  /** Of the first byte that is not passed. */
  private offset = 0
  private toPass = 0
  private start = 0
  private sealsStart = PERIOD_HEAD_BYTES
  private sealsEnd = PERIOD_HEAD_BYTES
  /** Of the block that is being passed, and not passed yet; `undefined` before its number is known. */
  private operations: number | undefined
  private isInBlock = false

  /** Whether `placeOf` knows all there is about a thread. */
  hasPassed(thread: number): boolean {
    return this.places.length > thread
  }

  /** @returns undefined where there is no block, or where it is not passed yet */
  placeOf(thread: number): BlockPlace | undefined {
    return this.places[thread]
  }

  /**
   * Takes the next chunk.
   *
   * @param isLast - BODY ends with it
   * @throws ArchiveError CORE_BODY_INVALID
   */
  pass(chunk: Uint8Array, isLast: boolean): void {
    const reader = new ByteReader(this.rest.length > 0 ? concatBytes(this.rest, chunk) : chunk, 'CORE_BODY_INVALID')
    if (this.offset === 0) readBodyHead(reader)
    while (this.places.length < THREAD_COUNT) {
      const passed = Math.min(this.toPass, reader.remaining)
      reader.raw(passed)
      this.toPass -= passed
      if (this.toPass === 0 && this.operations === 0) this.endBlock(reader)
      else if (reader.remaining >= (isLast ? 1 : MAX_FIELD_BYTES)) this.passField(reader)
      else break
    }
    if (isLast && this.places.length < THREAD_COUNT) throw reader.error('truncated')
    this.rest = reader.bytes.slice(reader.position)
    this.offset += reader.position
  }

  private passField(reader: ByteReader): void {
    if (!this.isInBlock) {
      const flag = reader.u8()
      if (flag === FLAG_MISS || flag === FLAG_VOID) this.places.push(undefined)
      else if (flag === FLAG_BLOCK) this.beginBlock(reader)
      else throw reader.error(`slot flag ${flag} is not known`)
    } else if (this.operations === undefined) {
      this.operations = reader.varintNumber(MAX_BLOCK_OPERATIONS)
      this.sealsEnd = this.sealsStart + SEAL_BYTES * (1 + this.operations)
    } else {
      reader.u8()
      this.toPass = reader.varintNumber(MAX_LENGTH)
      this.operations--
    }
  }

  private beginBlock(reader: ByteReader): void {
    this.isInBlock = true
    this.start = this.offset + reader.position
    this.toPass = reader.varintNumber(MAX_LENGTH)
  }

  private endBlock(reader: ByteReader): void {
    const { start, sealsStart, sealsEnd } = this
    this.places.push({ start, end: this.offset + reader.position, sealsStart, sealsEnd })
    this.sealsStart = sealsEnd
    this.operations = undefined
    this.isInBlock = false
  }
}
