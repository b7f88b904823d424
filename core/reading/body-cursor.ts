import { concatBytes } from '../bytes.ts'
import { ArchiveError } from '../errors.ts'
import { LEAF_SIZE_BYTES } from '../units.ts'

/** Bytes of BODY, and where they stand in it. */
export interface BodyPiece {
  readonly start: number
  readonly bytes: Uint8Array
}

/** A varint of 53 bits, the most that a length may be. */
const MAX_VARINT_BYTES = 8

/**
 * Walks through a BODY of which only some bytes are known.
 *
 * What is not known can be passed, not read: CORE_READING_LEAVES_MISSING, `context.offset` says where. What is read and
 * nonsense is CORE_READING_BODY_INVALID.
 */
export class BodyCursor {
  private readonly pieces: readonly BodyPiece[]
  private readonly bodyBytes: number
  /** Numbers of the leaves that were read, counted through all of BODY. */
  private readonly readLeaves: Set<number> | undefined
  private piece = 0
  private offset = 0

  /** @param pieces - ascending, not overlapping; @param readLeaves - takes note of what is read */
  constructor(pieces: readonly BodyPiece[], bodyBytes: number, readLeaves?: Set<number>) {
    this.pieces = pieces
    this.bodyBytes = bodyBytes
    this.readLeaves = readLeaves
  }

  get position(): number {
    return this.offset
  }

  u8(): number {
    const byte = this.byteAt(this.offset)
    this.offset++
    return byte
  }

  /** Minimal LEB128 up to `max`, at most 2^53 - 1. */
  varint(max: number): number {
    let value = 0
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = this.u8()
      value += (byte & 0x7f) * 2 ** (7 * i)
      if (byte >= 0x80) continue
      if (byte === 0 && i > 0) break
      if (value > max) break
      return value
    }
    throw this.error(`an integer is not minimal or exceeds ${max}`)
  }

  /** Passes bytes, known or not. */
  skip(count: number): void {
    if (count > this.bodyBytes - this.offset) throw this.error('truncated')
    this.offset += count
  }

  /** Bytes from `start` up to here, all of which have to be known. */
  since(start: number): Uint8Array {
    const parts: Uint8Array[] = []
    for (let at = start; at < this.offset; ) {
      const piece = this.pieceAt(at)
      const part = piece.bytes.subarray(at - piece.start, this.offset - piece.start)
      parts.push(part)
      at += part.length
    }
    this.note(start, this.offset)
    const [first] = parts
    return parts.length === 1 && first ? first : concatBytes(...parts)
  }

  error(message: string): ArchiveError {
    const { offset } = this
    return new ArchiveError('CORE_READING_BODY_INVALID', `BODY: ${message} (at byte ${offset})`, { offset })
  }

  private byteAt(at: number): number {
    if (at >= this.bodyBytes) throw this.error('truncated')
    const { start, bytes } = this.pieceAt(at)
    this.note(at, at + 1)
    return bytes[at - start] ?? 0
  }

  /** Near the piece that was read last: nothing is read far behind it. */
  private pieceAt(at: number): BodyPiece {
    while (this.piece > 0 && (this.pieces[this.piece]?.start ?? at + 1) > at) this.piece--
    for (; this.piece < this.pieces.length; this.piece++) {
      const piece = this.pieces[this.piece]
      if (!piece || piece.start > at) break
      if (at < piece.start + piece.bytes.length) return piece
    }
    throw new ArchiveError('CORE_READING_LEAVES_MISSING', `byte ${at} of BODY is not shown`, { offset: at })
  }

  private note(start: number, end: number): void {
    if (!this.readLeaves) return
    for (let leaf = Math.floor(start / LEAF_SIZE_BYTES); leaf * LEAF_SIZE_BYTES < end; leaf++) this.readLeaves.add(leaf)
  }
}
