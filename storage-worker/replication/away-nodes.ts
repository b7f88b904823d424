/** What is known of the nodes around us. */
export interface Liveness {
  /** Connected to us, or heard of a short while ago. */
  isLive(address: string): boolean
}

/** Which nodes are gone: not here at any look of the last delay. */
export class AwayNodes {
  private readonly delayMs: number
  /** By address: the first look at which it was away. */
  private readonly sinceMs = new Map<string, number>()
  private nowMs = Number.NEGATIVE_INFINITY

  constructor(delayMs: number) {
    this.delayMs = delayMs
  }

  /** @param addresses - of all nodes that count; of others nothing is remembered */
  look(addresses: ReadonlySet<string>, liveness: Liveness, nowMs: number): void {
    this.nowMs = nowMs
    for (const address of this.sinceMs.keys()) if (!addresses.has(address)) this.sinceMs.delete(address)
    for (const address of addresses) {
      if (liveness.isLive(address)) this.sinceMs.delete(address)
      else if (!this.sinceMs.has(address)) this.sinceMs.set(address, nowMs)
    }
  }

  /** It was we who were away: all begin anew. */
  excuse(): void {
    this.sinceMs.clear()
  }

  /** When it was first seen away; undefined when it is not gone. */
  goneSince(address: string): number | undefined {
    const sinceMs = this.sinceMs.get(address)
    return sinceMs !== undefined && this.nowMs - sinceMs >= this.delayMs ? sinceMs : undefined
  }

  /** For how long every look has found it away, gone or not; undefined when the last one found it here. */
  awayForMs(address: string, nowMs: number): number | undefined {
    const sinceMs = this.sinceMs.get(address)
    return sinceMs === undefined ? undefined : nowMs - sinceMs
  }

  /** Addresses of nodes that are gone. */
  listGone(): string[] {
    return [...this.sinceMs.keys()].filter((address) => this.goneSince(address) !== undefined)
  }
}
