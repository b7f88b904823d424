import { createHash } from 'node:crypto'
import { MAX_SUSPICIONS_PER_NODE } from '../../protocol-handler/limits.ts'
import { AUDITS_PER_DAY } from '../../storage-worker/replication/auditor.ts'
import type { Arena } from './arena.ts'
import type { HistoryChunk } from './history.ts'
import { HONEST_NODES } from './sizes.ts'
import type { StorageNode } from './storage-node.ts'

export const PERIODS_PER_DAY = 5_400
/** Ten minutes, as `storage-worker/replication/suspicions.ts` waits before it asks again. */
const SECOND_LOOK_PERIODS = 38
/** Three minutes: so long it takes at most until the challenger asks what another node missed twice (`suspicion-hints.ts`). */
const TOLD_PERIODS = 12

/** A chunk that a node did not show. */
interface Doubt {
  readonly node: StorageNode
  readonly chunk: HistoryChunk
  /** Whether the challenger itself missed it: until then it is another node that did. */
  isOwn: boolean
  /** In a row, of whoever looks. */
  misses: number
  nextLookPeriod: number
}

/**
 * What all honest nodes together ask others for, off chain, as far as it comes to the one of them that may challenge: it looks
 * for itself at what another missed twice.
 */
export class OffChainAudits {
  private readonly doubts = new Map<StorageNode, Doubt[]>()

  /** @param suspects - who is audited; the others would pass */
  act(arena: Arena, suspects: readonly StorageNode[]): void {
    const { period } = arena
    for (const doubts of this.doubts.values()) {
      for (const doubt of doubts.filter(({ nextLookPeriod }) => nextLookPeriod === period)) this.lookAgain(arena, doubt)
    }
    const turns = (at: number) => Math.floor((at * AUDITS_PER_DAY) / PERIODS_PER_DAY)
    if (turns(period) === turns(period - 1)) return
    for (const node of suspects) {
      const chunk = arena.random.pick(node.duty.all)
      const isOwn = arena.random.int(HONEST_NODES) === 0
      if (node.showsLeaf(chunk, drawLeaf(arena))) continue
      const doubts = this.listOf(node)
      if (doubts.some((doubt) => doubt.chunk === chunk) || (isOwn && !this.hasRoom(node))) continue
      doubts.push({ node, chunk, isOwn, misses: 1, nextLookPeriod: period + SECOND_LOOK_PERIODS })
    }
  }

  /** By node, chunks that it did not show to the challenger twice. */
  *listSuspected(): Generator<readonly [StorageNode, readonly HistoryChunk[]]> {
    for (const [node, doubts] of this.doubts) {
      yield [node, doubts.filter(({ isOwn, misses }) => isOwn && misses >= 2).map(({ chunk }) => chunk)]
    }
  }

  private lookAgain(arena: Arena, doubt: Doubt): void {
    const { period } = arena
    const doubts = this.listOf(doubt.node)
    const isTold = !doubt.isOwn && doubt.misses >= 2
    if (doubt.node.showsLeaf(doubt.chunk, drawLeaf(arena)) || (isTold && !this.hasRoom(doubt.node))) {
      doubts.splice(doubts.indexOf(doubt), 1)
      return
    }
    doubt.misses = isTold ? 1 : doubt.misses + 1
    if (isTold) doubt.isOwn = true
    if (doubt.misses < 2) doubt.nextLookPeriod = period + SECOND_LOOK_PERIODS
    else if (!doubt.isOwn) doubt.nextLookPeriod = period + TOLD_PERIODS
  }

  /** For one more that the challenger remembers of a node. */
  private hasRoom(node: StorageNode): boolean {
    return this.listOf(node).filter(({ isOwn }) => isOwn).length < MAX_SUSPICIONS_PER_NODE
  }

  private listOf(node: StorageNode): Doubt[] {
    const doubts = this.doubts.get(node) ?? []
    this.doubts.set(node, doubts)
    return doubts
  }
}

function drawLeaf({ random }: Arena): Uint8Array {
  return createHash('sha256').update(`${random.u64()}`).digest()
}
