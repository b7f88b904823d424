import { equalBytes } from './bytes.ts'
import { computeChunkId } from './chunk.ts'

/**
 * A chunk whose bytes hash to its id. Only hashing makes one, so whoever is given one need not hash again; the bytes are not to
 * be changed.
 */
export class VerifiedChunk {
  readonly bytes: Uint8Array
  /** 32 bytes */
  readonly chunkId: Uint8Array

  private constructor(bytes: Uint8Array, chunkId: Uint8Array) {
    this.bytes = bytes
    this.chunkId = chunkId
  }

  /** @returns undefined when they hash to another id; 2 ms per MiB */
  static verify(bytes: Uint8Array, chunkId: Uint8Array): VerifiedChunk | undefined {
    const own = computeChunkId(bytes)
    return equalBytes(own, chunkId) ? new VerifiedChunk(bytes, own) : undefined
  }
}
