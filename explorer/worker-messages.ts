import type {
  EndorsementDescription,
  OperationDescription,
  Period,
  PeriodRange,
  ProofGap,
  Question,
  Slot,
  Trust,
} from '../core/verify.ts'
import type { Judgement } from './standing.ts'

/* What the page asks its worker, and what comes back. The worker asks the archive, and verifies what that answers. */

/** Roots that the reader trusts, as hex. */
export interface RootTexts {
  readonly periods: Readonly<Record<Period, string>>
  readonly eras: Readonly<Record<number, string>>
}

export type Task =
  /** `slot`: the archive says whether there is a block, and proves either. */
  | { readonly kind: 'record'; readonly question: Exclude<Question, { kind: 'block-at' | 'slot-empty' }> }
  | { readonly kind: 'slot'; readonly slot: Slot }
  | { readonly kind: 'chunk'; readonly id: string }
  | {
      readonly kind: 'list'
      readonly address: string
      readonly cursor: string | undefined
      /** Of these alone; undefined: of all that the archive has. */
      readonly periods: PeriodRange | undefined
      /** Operations at most; 1 to 100. */
      readonly limit: number
    }
  /** `listed`: operations that the list of the archive has in this range. */
  | {
      readonly kind: 'range'
      readonly address: string
      readonly from: Period
      readonly to: Period
      readonly listed: readonly { readonly id: string; readonly slot: Slot }[]
    }
  | { readonly kind: 'overview' }

export interface Asked {
  readonly number: number
  readonly task: Task
  readonly roots: RootTexts
}

export interface Answered {
  readonly number: number
  readonly outcome: Outcome
}

export type Outcome =
  | { readonly kind: 'proven'; readonly record: ShownRecord; readonly proof: ShownProof; readonly said: SaidBeside }
  | { readonly kind: 'listed'; readonly operations: readonly ListedOperation[]; readonly cursor: string | undefined }
  | { readonly kind: 'range'; readonly range: ShownRange }
  /** Its bytes hash to the id. */
  | { readonly kind: 'chunk'; readonly bytes: number }
  | { readonly kind: 'overview'; readonly overview: Overview }
  /** It cannot be true: nothing of the answer is shown. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  /** The archive has nothing of the kind, or not on its disk; it proves nothing by that. */
  | { readonly kind: 'absent'; readonly code: string; readonly message: string }
  /** What was asked for cannot exist, or the archive does not answer. */
  | { readonly kind: 'failed'; readonly code: string; readonly message: string }

/** How an answer was verified. */
export interface ShownProof extends Judgement {
  readonly asked: Question['kind']
  readonly trust: Trust
  readonly gaps: readonly ProofGap[]
  readonly chainId: string
  readonly genesisTimestampMs: number
  readonly period: Period
  readonly periodRoot: string
  readonly era: { readonly era: number; readonly root: string } | undefined
  readonly proofBytes: number
  readonly verifyMs: number
}

/** What an archive says beside a proof, under no root. */
export interface SaidBeside {
  readonly outcome?: 'success' | 'failed' | 'unknown'
}

export interface ShownOperation {
  readonly id: string
  readonly creator: string
  readonly kind: string
  readonly amountNanoMas: string | undefined
  /** False where its id binds nothing of it: the node lost the original. */
  readonly isBound: boolean
}

export type ShownRecord =
  | {
      readonly kind: 'block'
      readonly id: string
      readonly slot: Slot
      readonly creator: string
      readonly publicKey: string
      readonly currentVersion: number
      readonly announcedVersion: number | undefined
      readonly operationsHash: string
      readonly parents: readonly string[]
      readonly operations: readonly ShownOperation[]
      readonly endorsements: readonly EndorsementDescription[]
      readonly denunciations: number
    }
  | {
      readonly kind: 'operation'
      readonly slot: Slot
      readonly blockId: string
      readonly position: number
      readonly operation: OperationDescription
    }
  | {
      readonly kind: 'endorsement'
      readonly slot: Slot
      readonly blockId: string
      readonly endorsement: EndorsementDescription
    }
  | { readonly kind: 'slot-empty'; readonly slot: Slot }
  | {
      readonly kind: 'period'
      readonly period: Period
      readonly bitmap: number
      readonly chunkIds: readonly string[]
    }

export interface ListedOperation {
  readonly id: string
  /** Of the blocks that are said to include it. */
  readonly slots: readonly Slot[]
}

/** What all bodies of a range say of an address. */
export interface ShownRange {
  readonly from: Period
  /** May be before what was asked for: one answer goes no further. */
  readonly to: Period
  /** How many operations, each in each block that includes it. */
  readonly operations: number
  readonly scannedBodies: number
  readonly missing: readonly string[]
  readonly surplus: readonly string[]
  /** Periods that no root binds which the reader trusts. */
  readonly untrusted: number
  /** Undefined where no such root binds any of them. */
  readonly genesisTimestampMs: number | undefined
  readonly proofBytes: number
}

export interface Overview {
  readonly first: Period
  readonly last: Period
  /** Newest first; counts are what the archive says. */
  readonly latest: readonly {
    readonly period: Period
    readonly root: string
    readonly blocks: number
    readonly operations: number
    readonly bytes: number
  }[]
  readonly chainId: string
  readonly genesisTimestampMs: number
}
