import type { Clock } from '../core/index.ts'

/**
 * A node that fails is waited for so long: six calls at the default deadline, more than a pause of a machine or a network
 * takes. Waiting costs delay and nothing else: what the other node shows is spooled meanwhile.
 */
export const NODE_GRACE_MS = 60_000

interface Silence {
  /** Since when, or since the start if it was not asked yet; undefined while it speaks. */
  sinceMs: number | undefined
  failed: boolean
}

/** Which nodes have been silent for so long that they are down; before that any of them may come back with another mind. */
export class NodePresence {
  private readonly clock: Clock
  private readonly nodes: readonly Silence[]

  constructor(nodeCount: number, clock: Clock) {
    this.clock = clock
    this.nodes = Array.from({ length: nodeCount }, () => ({ sinceMs: clock.monotonicMs(), failed: false }))
  }

  /** Nodes are asked from now on: what came before, a start that took long, is no silence of theirs. */
  begin(): void {
    for (const silence of this.nodes) silence.sinceMs = this.clock.monotonicMs()
  }

  /** It gave its status: of a node that fails this is not enough, the rest may fail again. */
  onStatus(node: number): void {
    const silence = this.nodes[node]
    if (silence && !silence.failed) silence.sinceMs = undefined
  }

  /** It said what is final. */
  onSpoke(node: number): void {
    const silence = this.nodes[node]
    if (!silence) return
    silence.sinceMs = undefined
    silence.failed = false
  }

  onFailed(node: number): void {
    const silence = this.nodes[node]
    if (!silence) return
    silence.sinceMs ??= this.clock.monotonicMs()
    silence.failed = true
  }

  isDown(node: number): boolean {
    const sinceMs = this.nodes[node]?.sinceMs
    return sinceMs !== undefined && this.clock.monotonicMs() - sinceMs >= NODE_GRACE_MS
  }
}
