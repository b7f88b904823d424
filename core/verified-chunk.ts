import { equalBytes } from './bytes.ts'
import { computeChunkId } from './chunk.ts'

/** Hashes a chunk in another thread: takes its bytes away, and gives them back with the id that they hash to. */
export type IdentifyChunk = (bytes: Uint8Array) => Promise<{ readonly chunk: Uint8Array; readonly chunkId: Uint8Array }>

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

  /** The same in another thread. */
  static async verifyBy(
    identify: IdentifyChunk,
    bytes: Uint8Array,
    chunkId: Uint8Array,
  ): Promise<VerifiedChunk | undefined> {
    const own = await identify(bytes)
    return equalBytes(own.chunkId, chunkId) ? new VerifiedChunk(own.chunk, own.chunkId) : undefined
  }
}
