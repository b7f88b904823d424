import type { ChunkResponse } from './messages/chunk.ts'

/** A chunk, checked, and its place. */
export type ServedChunk = Extract<ChunkResponse, { status: 'ok' }>

/** What peers asked for lately, bounded by its bytes; what was used longest ago goes first. */
export class ChunkCache<T extends { readonly data: Uint8Array } = ServedChunk> {
  private readonly maxBytes: number
  private readonly chunks = new Map<string, T>()
  private heldBytes = 0

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  get bytes(): number {
    return this.heldBytes
  }

  /** @param chunkId text of 64 hex digits */
  get(chunkId: string): T | undefined {
    const chunk = this.chunks.get(chunkId)
    if (!chunk) return undefined
    this.chunks.delete(chunkId)
    this.chunks.set(chunkId, chunk)
    return chunk
  }

  put(chunkId: string, chunk: T): void {
    this.delete(chunkId)
    if (chunk.data.length > this.maxBytes) return
    this.chunks.set(chunkId, chunk)
    this.heldBytes += chunk.data.length
    for (const oldest of this.chunks.keys()) {
      if (this.heldBytes <= this.maxBytes) return
      this.delete(oldest)
    }
  }

  private delete(chunkId: string): void {
    const chunk = this.chunks.get(chunkId)
    if (!chunk) return
    this.chunks.delete(chunkId)
    this.heldBytes -= chunk.data.length
  }
}
