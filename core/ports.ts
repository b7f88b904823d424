import type { Manifest } from './manifest.ts'
import type { BlockIdText } from './massa/atoms.ts'
import type { Network, Period, Slot } from './units.ts'
import type { VerifiedChunk } from './verified-chunk.ts'

/*
 * Where rooms meet: what one room offers to another without either importing the other. Every implementation of a
 * port passes the behaviour suite of that port (test/suites).
 */

/** Time, injected so that tests decide it. */
export interface Clock {
  /** By the wall clock, ms since 1970: for dates and chain time alone, since it may be set back or forward at any time. */
  nowMs(): number
  /** Never goes back, from an arbitrary origin: for everything that lasts. */
  monotonicMs(): number
  /** Resolves after `durationMs`, or at once when `signal` aborts. Never rejects. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>
}

/** What a store is for; it refuses to open for anything else. */
export interface StoreIdentity {
  readonly network: Network
  readonly chunkSizeBytes: number
}

/** One period, ready to be written: visible all at once or not at all. */
export interface ArchivedPeriod {
  readonly manifest: Manifest
  /** In manifest order. */
  readonly chunks: readonly Uint8Array[]
  readonly seals: Uint8Array
  /** Attested, under no root (docs/FORMAT.md, Execution results). */
  readonly executionResults: Uint8Array
  readonly summary: PeriodSummary
}

/** What lists show of a period without decoding its BODY; rebuilt from BODY when lost. */
export interface PeriodSummary {
  readonly period: Period
  /** 32 bytes */
  readonly root: Uint8Array
  readonly bodyBytes: number
  readonly blocks: number
  readonly operations: number
  readonly chunks: number
  /** Of these on this disk; absent: all. */
  readonly heldChunks?: number
}

/** What a disk holds of a period that is not whole there. */
export interface Holding {
  /** Of the whole period: a part of BODY does not say it. */
  readonly operations: number
  /** BODY was whole here, and its operations were counted; else their number is what the source says. */
  readonly isCounted: boolean
  /** Indexes of the chunks that are not held, ascending. */
  readonly missingChunks: readonly number[]
  readonly hasSeals: boolean
  readonly hasExecutionResults: boolean
}

/** Some chunks of a period, from elsewhere. */
export interface PeriodPart {
  /** Authentic: what has its root is what the period is. */
  readonly manifest: Manifest
  /** As the source says; counted again when BODY is whole. */
  readonly operations: number
  /** By index; may be empty. Bytes that were not hashed yet are when they are written. */
  readonly chunks: ReadonlyMap<number, Uint8Array | VerifiedChunk>
  readonly seals?: Uint8Array
  readonly executionResults?: Uint8Array
}

export interface ChunkPlace {
  readonly chunkId: Uint8Array
  readonly period: Period
  readonly index: number
}

/**
 * Periods on this disk, whole or in part. Reads check the flat hash of what they return (STORE_VALUE_CORRUPT).
 *
 * A period is visible, with manifest and summary, also when none of its chunks is held.
 */
export interface ChunkStore {
  readonly identity: StoreIdentity
  /** Another number whenever periods begin to be deleted. */
  readonly deletions: number
  /** Synced: when it resolves, the period survives power loss. Writing a period again with equal content is no error. */
  writePeriod(period: ArchivedPeriod): Promise<void>
  /**
   * Adds chunks, SEALS and execution results to a period, which need not be there yet. When all are there it is as if it
   * had been written whole. Synced.
   *
   * @throws ArchiveError STORE_PART_INVALID when a chunk has not the id that the manifest says, when all of them are not
   *   the BODY of the manifest, or SEALS not those of this BODY; STORE_PERIOD_CONFLICT
   */
  writePart(part: PeriodPart): Promise<void>
  /**
   * Lets go of chunks; with chunk 0 of SEALS, too. Execution results stay, and the period stays visible. What is not held
   * and periods that are not visible are no error. Synced; the disk has the room back after `compactPeriods`.
   *
   * @throws ArchiveError STORE_PERIOD_INVALID when the period has no such chunk
   */
  dropChunks(period: Period, indexes: readonly number[]): Promise<void>
  /** What is held of a period of which something is not; `undefined`: it is whole, or not visible. */
  readHolding(period: Period): Promise<Holding | undefined>
  /** Gives back to the disk what was dropped of the periods of [from, to]. */
  compactPeriods(from: Period, to: Period): Promise<void>
  readManifest(period: Period): Promise<Manifest | undefined>
  readSummary(period: Period): Promise<PeriodSummary | undefined>
  readChunk(period: Period, index: number): Promise<Uint8Array | undefined>
  readSeals(period: Period): Promise<Uint8Array | undefined>
  readExecutionResults(period: Period): Promise<Uint8Array | undefined>
  /** Places of chunks whose id starts with `prefixHex` (1 to 64 hex digits), at most `limit`. */
  findChunks(prefixHex: string, limit: number): Promise<ChunkPlace[]>
  /** First and last visible period. */
  readRange(): Promise<{ readonly first: Period; readonly last: Period } | undefined>
  /** Visible periods of [from, to], ascending, or descending with `reverse`. */
  listSummaries(range: { from: Period; to: Period; reverse?: boolean }): AsyncIterable<PeriodSummary>
  /**
   * Deletes the periods of [from, to] and compacts what they covered. They are not visible any more, all at once, before the first
   * of their values goes; when it fails, what is left is visible again.
   */
  deletePeriods(from: Period, to: Period): Promise<void>
}

/** A verified block that waits for its period. */
export interface SpooledBlock {
  readonly id: BlockIdText
  readonly slot: Slot
  /** 32 ids in thread order; none for genesis. */
  readonly parents: readonly BlockIdText[]
  readonly operationCount: number
  /** As `encodeBlockRecord` gives it: what BODY will hold. */
  readonly record: Uint8Array
  /** 64 bytes per signature: header, then distinct operations. */
  readonly seals: Uint8Array
}

/** Raw bytes that a node calls final and this release cannot parse or verify. */
export interface QuarantinedBlock {
  readonly id: BlockIdText
  /** Why, an error code. */
  readonly code: string
  /** A FilledBlock message, as the node sent it. */
  readonly raw: Uint8Array
}

/**
 * How much of its share the spool may take: what archiving waits for may use all of it, anything else less, and after a
 * refusal there must be room to spare.
 */
export type SpoolLevel = 'urgent' | 'ordinary' | 'again'

/**
 * The mark in which it is kept which periods lack between the archived ones. Who makes an archive from what is left of
 * one deletes it: then they are counted anew.
 */
export const HOLES_MARK = 'holes'

/** What is on disk before it is archived. */
export interface Spool {
  /**
   * Whether blocks and execution results may take `heldBytes` in all.
   *
   * @throws ArchiveError STORE_SPOOL_FULL
   */
  checkRoom(heldBytes: number, level: SpoolLevel): Promise<void>

  putBlock(block: SpooledBlock): Promise<void>
  readBlock(slot: Slot, id: BlockIdText): Promise<SpooledBlock | undefined>
  /** All spooled blocks, ascending by slot. */
  listBlocks(): AsyncIterable<SpooledBlock>
  deleteBlocks(blocks: readonly { readonly slot: Slot; readonly id: BlockIdText }[]): Promise<void>

  /** Which block of a slot is final, so that a restart need not ask a node that has forgotten. */
  putFinal(slot: Slot, id: BlockIdText): Promise<void>
  listFinals(): AsyncIterable<{ readonly slot: Slot; readonly id: BlockIdText }>
  deleteFinals(slots: readonly Slot[]): Promise<void>

  putQuarantined(block: QuarantinedBlock): Promise<void>
  listQuarantined(): AsyncIterable<QuarantinedBlock>
  deleteQuarantined(ids: readonly BlockIdText[]): Promise<void>

  /** Execution results of one slot, waiting for their period. */
  putExecution(slot: Slot, bytes: Uint8Array): Promise<void>
  readExecutions(period: Period): Promise<Map<number, Uint8Array>>
  /** Those of the periods of [from, to]. */
  deleteExecutions(from: Period, to: Period): Promise<void>

  /** Small named values: anchor record, gaps. */
  putMark(name: string, bytes: Uint8Array): Promise<void>
  readMark(name: string): Promise<Uint8Array | undefined>
  deleteMark(name: string): Promise<void>

  /** Makes everything put so far survive power loss. */
  sync(): Promise<void>
}
