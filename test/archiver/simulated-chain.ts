import type { FinalBlock } from '../../archiver/index.ts'
import {
  type BlockIdText,
  computeGenesisBlock,
  formatBlockId,
  type Slot,
  slotOfIndex,
  THREAD_COUNT,
} from '../../core/index.ts'

/** Numbers in [0, 1) that a seed decides (mulberry32). */
export function drawNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export function shuffle<T>(items: readonly T[], draw: () => number): T[] {
  const shuffled = [...items]
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(draw() * (i + 1))
    const [a, b] = [shuffled[i], shuffled[j]]
    if (a === undefined || b === undefined) continue
    shuffled[i] = b
    shuffled[j] = a
  }
  return shuffled
}

export function genesisIdText(period: number, thread: number): BlockIdText {
  return formatBlockId(computeGenesisBlock({ period, thread }).id)
}

/** A name for the block of a slot, in place of an id: the ledger compares ids and looks into none. */
export function nameBlock(slot: Slot): BlockIdText {
  return `block ${slot.period}/${slot.thread}` as BlockIdText
}

export interface SimulatedChain {
  /** Ascending by slot. */
  readonly blocks: readonly FinalBlock[]
  readonly bySlot: ReadonlyMap<number, FinalBlock>
}

/**
 * Links of a chain as Massa allows them: the parent in the own thread is its newest block, those in other threads are
 * any that leave out nothing a whole period old.
 */
export function simulateChain(options: {
  readonly periods: number
  readonly isMiss: (slot: Slot) => boolean
  readonly draw: () => number
}): SimulatedChain {
  const { periods, isMiss, draw } = options
  const threads = Array.from({ length: THREAD_COUNT }, (_, thread): { id: BlockIdText; index: number }[] => [
    { id: genesisIdText(0, thread), index: thread },
  ])
  const bySlot = new Map<number, FinalBlock>()
  for (let index = THREAD_COUNT; index < (periods + 1) * THREAD_COUNT; index++) {
    const slot = slotOfIndex(index)
    if (isMiss(slot)) continue
    const parents = threads.map((chain) => {
      const newest = chain.at(-1)
      const before = chain.at(-2)
      const mayLeaveOut = newest && before && newest.index > index - THREAD_COUNT
      const parent = mayLeaveOut && draw() < 0.3 ? before : newest
      return parent?.id ?? genesisIdText(0, 0)
    })
    const block = { id: nameBlock(slot), slot, parents }
    bySlot.set(index, block)
    threads[slot.thread]?.push({ id: block.id, index })
  }
  return { blocks: [...bySlot.values()], bySlot }
}
