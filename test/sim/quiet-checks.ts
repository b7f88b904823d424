import { equalBytes, THREAD_COUNT } from '../../core/index.ts'
import { type ChunkCopies, isHeld } from './chunk-copies.ts'
import type { SimChain } from './sim-chain.ts'
import type { SimNode } from './sim-node.ts'
import type { SimRegistry } from './sim-registry.ts'

/** What must hold once nothing has gone wrong for a while. */
export class QuietChecks {
  private readonly nodes: readonly SimNode[]
  private readonly chain: SimChain
  private readonly registry: SimRegistry
  private readonly copies: ChunkCopies

  /** @param options.nodes all honest ones */
  constructor(
    options: { readonly nodes: readonly SimNode[] },
    modules: { readonly chain: SimChain; readonly registry: SimRegistry; readonly copies: ChunkCopies },
  ) {
    this.nodes = options.nodes
    this.chain = modules.chain
    this.registry = modules.registry
    this.copies = modules.copies
  }

  /** @param lastPeriod everybody can have it by now @returns what is not as it must be, if anything */
  find(lastPeriod: number): string | undefined {
    const present = this.nodes.filter(({ isGone }) => !isGone)
    for (const node of present) {
      const trouble = this.findTroubleOf(node, lastPeriod)
      if (trouble !== undefined) return `${node.name} ${trouble}`
    }
    return this.findFewCopies(present, lastPeriod)
  }

  private findTroubleOf(node: SimNode, lastPeriod: number): string | undefined {
    const { archiver, disk } = node
    if (!archiver || archiver.headPeriod < lastPeriod) return `stands at ${archiver?.headPeriod}`
    // Below the parents of the last blocks nobody can know what is missing.
    const missed = archiver.listMissed().filter((period) => this.isFillable(node, period, lastPeriod))
    if (missed.length > 0) return `still lacks periods ${missed.join()}`
    const periods = disk.listPeriods()
    if (periods[0] !== 0) return `begins with period ${periods[0]}`
    for (const period of periods) {
      const root = disk.get(period)?.summary.root
      if (!root || !equalBytes(root, this.chain.period(period).summary.root)) return `has another root of ${period}`
    }
    const honest = node.peers.filter((peer) => this.nodes.some(({ identity }) => identity.peer === peer))
    return honest.length === 0 ? 'has no honest peer' : undefined
  }

  /** Every holder that is here holds what it must, and there are as many copies as there are to be beside those of strangers. */
  private findFewCopies(present: readonly SimNode[], lastPeriod: number): string | undefined {
    const table = this.registry.tableAt(lastPeriod)
    const known = new Set(table?.snapshot.nodes.map(({ address }) => address))
    const members = present.filter(({ identity }) => known.has(identity.massaAddress))
    const floor = Math.min(this.registry.replicas, members.length)
    for (let period = 0; period <= lastPeriod; period++) {
      for (const { index, hashSlot } of this.copies.listOf(period)) {
        const holding = members.filter((node) => isHeld(node.disk.get(period), index))
        if (holding.length < floor) return `chunk ${index} of period ${period} has ${holding.length} copies`
        const lacking = members.find(
          (node) => table?.isHolder(node.identity.massaAddress, hashSlot) && !holding.includes(node),
        )
        if (lacking) return `${lacking.name} does not hold chunk ${index} of period ${period}, which it must`
      }
    }
    return undefined
  }

  /** In each thread blocks lead from an archived one down to it. */
  private isFillable(node: SimNode, period: number, lastPeriod: number): boolean {
    const leads = (thread: number, from: number): boolean => {
      const child = this.chain.nextInThread(thread, from)
      if (child === undefined || child > lastPeriod) return false
      return node.disk.get(child) !== undefined || leads(thread, child)
    }
    return Array.from({ length: THREAD_COUNT }, (_, thread) => thread).every((thread) => leads(thread, period))
  }
}
