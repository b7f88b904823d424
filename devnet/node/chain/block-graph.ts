import { type BlockIdText, formatBlockId, type Slot, slotOfIndex, THREAD_COUNT } from '../../../core/index.ts'
import { BLOCK_STATUS } from '../../../telemetry/grpc/status-codes.ts'
import type { TrackedBlock } from './chain-block.ts'

/** A block as consensus remembers it. */
export interface GraphBlock {
  readonly id: BlockIdText
  readonly slot: Slot
  readonly slotIndex: number
  /** Of every thread; none for a genesis block. */
  readonly parents: readonly BlockIdText[]
  readonly creator: string
  readonly isFinal: boolean
  readonly isRival: boolean
}

interface GraphNode extends GraphBlock {
  readonly idBytes: Uint8Array
  readonly headerMessage: Uint8Array
  /** Fitness of all blocks up to this one. */
  readonly fitnessSum: number
  isFinal: boolean
  /** Absent when only its header is left. */
  block: TrackedBlock | undefined
}

export interface GraphWindows {
  readonly deltaF0: number
  readonly forceKeepFinalPeriods: number
  readonly forceKeepFinalPeriodsWithoutOps: number
}

/** What has left memory. */
export interface Pruned {
  /** Blocks with their operations: of these, headers stay unless they are in `forgotten` too. */
  readonly emptied: readonly TrackedBlock[]
  readonly forgotten: readonly GraphBlock[]
}

/** A node that bootstraps is given the newest final block of each thread and two generations before it. */
const BOOTSTRAP_PERIODS = 2

/**
 * Blocks and what consensus says of them, in one clique: every block on the chain descends from all before it, and
 * rivals are never built upon. So blocks become final in the order of slots.
 */
export class BlockGraph {
  private readonly windows: GraphWindows
  private readonly nodes = new Map<string, GraphNode>()
  /** By thread, oldest first, blocks on the chain alone. */
  private readonly threads: readonly GraphNode[][] = Array.from({ length: THREAD_COUNT }, () => [])
  /** By thread: how many of its oldest blocks have left memory but for their headers. */
  private readonly emptiedOfThread: number[] = Array(THREAD_COUNT).fill(0)
  private readonly stored = new Map<string, TrackedBlock>()
  private readonly cliqueIds = new Map<number, BlockIdText>()
  private readonly rivals: GraphNode[] = []
  private nonFinal: GraphNode[] = []
  private fitness = 0
  private readonly latestFinalOfThread: number[] = Array(THREAD_COUNT).fill(-1)
  private latestFinalIndex = -1
  private newest: GraphNode | undefined

  constructor(windows: GraphWindows) {
    this.windows = windows
  }

  /** The next block in the order of slots; a rival comes after the block that it lost to. */
  add(block: TrackedBlock, content: { readonly withOperations: boolean } = { withOperations: true }): void {
    const { id, idBytes, slot, slotIndex, creator, headerMessage, isRival } = block
    // Mostly the newest blocks, whose texts are there.
    const parents = block.header.parents.map((bytes, thread) => {
      const newest = this.threads[thread]?.at(-1)
      return newest?.idBytes === bytes ? newest.id : formatBlockId(bytes)
    })
    if (!isRival) this.fitness += 1 + block.header.endorsements.length
    const node: GraphNode = {
      ...{ id, idBytes, slot, slotIndex, parents, creator, headerMessage, isRival },
      fitnessSum: this.fitness,
      isFinal: false,
      block: content.withOperations ? block : undefined,
    }
    this.nodes.set(id, node)
    if (content.withOperations) this.stored.set(id, block)
    if (isRival) {
      this.rivals.push(node)
      return
    }
    this.newest = node
    this.threads[slot.thread]?.push(node)
    this.cliqueIds.set(slotIndex, id)
    this.nonFinal.push(node)
  }

  /** Makes final what has enough fitness after it, and all blocks up to `decidedIndex`. */
  settle(decidedIndex = -1): void {
    const isSettled = (node: GraphNode) =>
      node.slotIndex <= decidedIndex || this.fitness - node.fitnessSum > this.windows.deltaF0
    for (let node = this.nonFinal[0]; node && isSettled(node); node = this.nonFinal[0]) {
      this.nonFinal.shift()
      node.isFinal = true
      this.latestFinalOfThread[node.slot.thread] = node.slotIndex
      this.latestFinalIndex = node.slotIndex
    }
  }

  /** Slot of the newest final block. */
  get finalBlockIndex(): number {
    return this.latestFinalIndex
  }

  /** Whether consensus knows what becomes of a slot: a final block, or none because of a final one after it. */
  isDecided(slotIndex: number): boolean {
    const id = this.cliqueIds.get(slotIndex)
    if (id !== undefined) return this.nodes.get(id)?.isFinal ?? true
    const { thread } = slotOfIndex(slotIndex)
    return (this.latestFinalOfThread[thread] ?? -1) > slotIndex || this.latestFinalIndex >= slotIndex + THREAD_COUNT
  }

  /** Lets go of what is older than the windows of memory; never of a block that was not executed for good. */
  prune(executedFinalIndex: number): Pruned {
    const { forceKeepFinalPeriods, forceKeepFinalPeriodsWithoutOps } = this.windows
    const windows = { blocks: forceKeepFinalPeriods, headers: forceKeepFinalPeriodsWithoutOps }
    return this.letGo(executedFinalIndex, windows)
  }

  /** Lets go of all that a node does not learn when it bootstraps: the chain goes on without it. */
  forgetHistory(executedFinalIndex: number): Pruned {
    return this.letGo(executedFinalIndex, { blocks: BOOTSTRAP_PERIODS, headers: BOOTSTRAP_PERIODS })
  }

  /** The newest block on the chain and its rival, if it has one. */
  get newestPair(): readonly TrackedBlock[] {
    const rival = this.rivals.at(-1)
    if (!rival || rival.slotIndex !== this.newest?.slotIndex) return []
    return [this.newest, rival].flatMap(({ block }) => block ?? [])
  }

  find(id: string): TrackedBlock | undefined {
    return this.stored.get(id)
  }

  /** With operations, of [from, to), in order of slots. */
  list(fromIndex: number, toIndex: number): TrackedBlock[] {
    return [...this.stored.values()].filter(({ slotIndex }) => slotIndex >= fromIndex && slotIndex < toIndex)
  }

  findClique(slotIndex: number): TrackedBlock | undefined {
    return this.stored.get(this.cliqueIds.get(slotIndex) ?? '')
  }

  /** Headers that are left too, of [from, to), in order of slots. */
  listGraph(fromIndex: number, toIndex: number): GraphBlock[] {
    return [...this.nodes.values()].filter(({ slotIndex }) => slotIndex >= fromIndex && slotIndex < toIndex)
  }

  status(id: string): number {
    const node = this.nodes.get(id)
    if (!node) return 0
    if (!node.isRival) return node.isFinal ? BLOCK_STATUS.final : BLOCK_STATUS.blockclique
    return this.isDecided(node.slotIndex) ? BLOCK_STATUS.discarded : BLOCK_STATUS.alternateClique
  }

  /** @param idBytes - 33 bytes */
  creatorOf(idBytes: Uint8Array): string | undefined {
    return this.nodes.get(formatBlockId(idBytes))?.creator
  }

  /** 33 bytes each: the newest block of every thread. */
  get parents(): Uint8Array[] {
    return this.threads.map((nodes) => {
      const node = nodes.at(-1)
      if (!node) throw new Error('a thread has no block')
      return node.idBytes
    })
  }

  get bestParents(): GraphBlock[] {
    return this.threads.flatMap((nodes) => nodes.at(-1) ?? [])
  }

  get latestFinalBlocks(): GraphBlock[] {
    return this.threads.flatMap((nodes) => nodes.findLast(({ isFinal }) => isFinal) ?? [])
  }

  private letGo(executedFinalIndex: number, periods: { readonly blocks: number; readonly headers: number }): Pruned {
    const emptied: TrackedBlock[] = []
    const forgotten: GraphNode[] = []
    for (const [thread, nodes] of this.threads.entries()) {
      const latest = slotOfIndex(Math.max(0, this.latestFinalOfThread[thread] ?? 0)).period
      const isOlder = (node: GraphNode, keptPeriods: number) =>
        node.isFinal && node.slotIndex <= executedFinalIndex && latest - node.slot.period > keptPeriods
      // Headers may stay for longer: those that have nothing else left are not looked at again with every slot.
      let count = this.emptiedOfThread[thread] ?? 0
      for (let node = nodes[count]; node && isOlder(node, periods.blocks); node = nodes[++count]) {
        this.empty(node, emptied)
      }
      for (let node = nodes[0]; node && isOlder(node, periods.headers); node = nodes[0]) {
        nodes.shift()
        count = Math.max(0, count - 1)
        this.forget(node, emptied, forgotten)
      }
      this.emptiedOfThread[thread] = count
    }
    // A rival has lost when its slot is decided; one period later nobody speaks of it any more.
    for (
      let node = this.rivals[0];
      node && this.latestFinalIndex >= node.slotIndex + THREAD_COUNT;
      node = this.rivals[0]
    ) {
      this.rivals.shift()
      this.forget(node, emptied, forgotten)
    }
    return { emptied, forgotten }
  }

  private empty(node: GraphNode, emptied: TrackedBlock[]): void {
    if (!node.block) return
    emptied.push(node.block)
    this.stored.delete(node.id)
    node.block = undefined
  }

  private forget(node: GraphNode, emptied: TrackedBlock[], forgotten: GraphNode[]): void {
    this.empty(node, emptied)
    this.nodes.delete(node.id)
    if (!node.isRival) this.cliqueIds.delete(node.slotIndex)
    forgotten.push(node)
  }
}
