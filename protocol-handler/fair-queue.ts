/** What waits, by flow: one of each in turn, so that who has much waiting keeps nobody else waiting for it. */
export class FairQueue<T> {
  /** The first is next; whoever had its turn goes behind the others. */
  private readonly flows = new Map<string, T[]>()
  private count = 0

  get length(): number {
    return this.count
  }

  add(flow: string, item: T): void {
    const items = this.flows.get(flow)
    if (items) items.push(item)
    else this.flows.set(flow, [item])
    this.count++
  }

  countOf(flow: string): number {
    return this.flows.get(flow)?.length ?? 0
  }

  /** The oldest of the flow whose turn it is. */
  take(): T | undefined {
    const [flow] = this.flows.keys()
    return flow === undefined ? undefined : this.takeOf(flow)
  }

  /** The oldest of this flow, which goes behind the others. */
  takeOf(flow: string): T | undefined {
    const items = this.flows.get(flow)
    const item = items?.shift()
    if (!items || item === undefined) return undefined
    this.flows.delete(flow)
    if (items.length > 0) this.flows.set(flow, items)
    this.count--
    return item
  }

  /** The newest of the flow that has most waiting, when those are more than `least`. */
  dropNewest(least = 0): T | undefined {
    let most: { readonly flow: string; readonly items: T[] } | undefined
    for (const [flow, items] of this.flows) if (!most || items.length > most.items.length) most = { flow, items }
    if (!most || most.items.length <= least) return undefined
    const item = most.items.pop()
    if (most.items.length === 0) this.flows.delete(most.flow)
    this.count--
    return item
  }

  /** Takes all, in no particular order. */
  clear(): T[] {
    const all = [...this.flows.values()].flat()
    this.flows.clear()
    this.count = 0
    return all
  }
}
