/** Recent chunks by id, bounded by their bytes; what was used longest ago goes first. */
export class ChunkCache {
  private readonly maxBytes: number
  private readonly chunks = new Map<string, Uint8Array>()
  private heldBytes = 0
  private hitCount = 0
  private missCount = 0

  /** @param maxBytes 0 keeps nothing */
  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  get bytes(): number {
    return this.heldBytes
  }

  get hits(): number {
    return this.hitCount
  }

  get misses(): number {
    return this.missCount
  }

  /** @param chunkId text of 64 hex digits */
  get(chunkId: string): Uint8Array | undefined {
    const chunk = this.chunks.get(chunkId)
    if (!chunk) {
      this.missCount++
      return undefined
    }
    this.hitCount++
    this.chunks.delete(chunkId)
    this.chunks.set(chunkId, chunk)
    return chunk
  }

  put(chunkId: string, chunk: Uint8Array): void {
    this.delete(chunkId)
    if (chunk.length > this.maxBytes) return
    this.chunks.set(chunkId, chunk)
    this.heldBytes += chunk.length
    for (const oldest of this.chunks.keys()) {
      if (this.heldBytes <= this.maxBytes) return
      this.delete(oldest)
    }
  }

  delete(chunkId: string): void {
    const chunk = this.chunks.get(chunkId)
    if (!chunk) return
    this.chunks.delete(chunkId)
    this.heldBytes -= chunk.length
  }
}
