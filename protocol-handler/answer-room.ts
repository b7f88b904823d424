/** Bytes of answers. */
export interface AnswerRoomOptions {
  /** Of all peers together, as long as they are few. */
  readonly totalBytes: number
  /** Of one peer. */
  readonly peerBytes: number
}

/**
 * What answers take of memory that are made and not yet taken. Each peer has an equal share, so that those who read nothing
 * leave room to all others, and one answer whatever others do.
 *
 * Of n peers that come one after the other each gets the share that is left to it when it comes: some
 * totalBytes x (1 + ln(n x peerBytes / totalBytes)) in all.
 */
export class AnswerRoom {
  private readonly options: AnswerRoomOptions
  private readonly heldBytes = new Map<string, number>()

  constructor(options: AnswerRoomOptions) {
    this.options = options
  }

  /** A peer has to take what it asked for before it gets more. */
  isFull(peer: string): boolean {
    const held = this.heldBytes.get(peer)
    if (held === undefined) return false
    const { totalBytes, peerBytes } = this.options
    return held >= Math.min(peerBytes, totalBytes / this.heldBytes.size)
  }

  /** @returns to be called once the answer was taken, or will not be */
  hold(peer: string, bytes: number): () => void {
    this.add(peer, bytes)
    let isHeld = true
    return () => {
      if (isHeld) this.add(peer, -bytes)
      isHeld = false
    }
  }

  private add(peer: string, bytes: number): void {
    const held = (this.heldBytes.get(peer) ?? 0) + bytes
    if (held > 0) this.heldBytes.set(peer, held)
    else this.heldBytes.delete(peer)
  }
}
