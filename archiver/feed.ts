import type { BlockIdText, Slot } from '../core/index.ts'
import type { SlotExecution } from './execution-results.ts'
import type { NodeStatus } from './node-client.ts'

/** What became of a block that was offered. `unbound`: ids do not bind all of it, and who gave it is not believed. */
export type IntakeResult = 'spooled' | 'known' | 'incomplete' | 'refused' | 'ignored' | 'postponed' | 'unbound'

/** A final block of a slot as a node names it; `none` is a slot that it says has no block. */
export interface FinalityClaim {
  readonly slot: Slot
  readonly id: BlockIdText | 'none'
}

/** Where followers of nodes bring what they see. `node` is the index of the node in the configuration. */
export interface Feed {
  /** @throws ArchiveError ARCHIVER_NETWORK_MISMATCH */
  onStatus(node: number, status: NodeStatus): void
  onNodeDown(node: number, error: unknown): void
  /** A node whose final slot went backwards lost its memory, and with it what it said. */
  onNodeRestart(node: number): void
  /** Never rejects for what a node sent; rejects when the spool cannot be written. */
  takeBlock(node: number, filledBlock: Uint8Array, expectedId?: BlockIdText): Promise<IntakeResult>
  /** @param unplaced - ids that the node calls final and of whose slots nothing is known: no body of theirs was taken */
  onClaims(node: number, claims: readonly FinalityClaim[], unplaced?: readonly BlockIdText[]): Promise<void>
  onExecution(slot: Slot, execution: SlotExecution): Promise<void>

  isKnown(id: BlockIdText): boolean
  /** Not known, and not refused when this node gave it before. */
  isWorthAsking(node: number, id: BlockIdText): boolean
  slotOf(id: BlockIdText): Slot | undefined
  /** First slot that a node should be asked about, given how far its finality is. */
  searchFrom(lastFinalSlot: Slot): Slot
  /** Blocks that must exist and are not held. */
  listWanted(): BlockIdText[]
  /** Executed slots up to `upTo`, misses too, whose execution results nobody brought yet, with their operations. */
  listUnexecuted(upTo: Slot): Promise<{ slot: Slot; operationIds: string[] }[]>
}
