import type { ArchiveError, ChunkStore, Clock, ErrorCode, PeriodSummary, Slot, Spool } from '../core/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { Awaited, Conflict } from './agreement.ts'
import type { CpuWork } from './cpu-pool.ts'
import type { ChainRestart, Gap, PeriodRange } from './slot-ledger.ts'

/** What the archiver tells whoever runs it. */
export interface ArchiverEvents {
  readonly onArchived?: (summary: PeriodSummary, decidedToArchivedMs: number) => void
  /** @param node - undefined for what no node gave: from the disk, from a peer */
  readonly onRefused?: (code: ErrorCode, node: number | undefined) => void
  /** A period was archived without the execution results of so many slots. */
  readonly onUnreported?: (slots: number) => void
  /** The store refuses periods, or the spool blocks: said every second as long as it does. */
  readonly onNoRoom?: () => void
  /** A bug ended a loop: whoever runs it has to end it. */
  readonly onFatal?: (error: ArchiveError) => void
}

export interface ArchiverStatus {
  readonly spooledBlocks: number
  readonly quarantinedBlocks: number
  /** Final blocks that cannot be read and for which the quarantine has no room. */
  readonly unkeptBlocks: number
  readonly gaps: readonly Gap[]
  /** Periods between archived ones that are not archived, for whatever reason. */
  readonly holes: readonly PeriodRange[]
  readonly conflict: Conflict | undefined
  /** A slot at which archiving waits for nodes that name nothing for it, for a minute or longer. */
  readonly awaited: Awaited | undefined
  /** Archived since the start without execution results, although they were executed. */
  readonly unreportedSlots: number
  /** Why nothing more is archived, if so. */
  readonly halted: { readonly code: ErrorCode; readonly message: string } | undefined
  /** Why blocks far from the archive are not kept at the moment, if so. */
  readonly spoolFull: { readonly code: ErrorCode; readonly message: string } | undefined
  /** Why the store cannot be written at the moment, if so. */
  readonly stalled: { readonly code: ErrorCode; readonly message: string } | undefined
  readonly nodeFinalSlot: Slot | undefined
}

export interface ArchiverOptions {
  /** Of the configured nodes, by node index; what is kept of a conflict names them by it. */
  readonly nodeUrls: readonly string[]
  readonly restarts: readonly ChainRestart[]
  /** Raw final blocks that cannot be read are kept up to here; default no bound. */
  readonly maxQuarantineBytes?: number
  /** Blocks that may wait for their periods, a bound of memory; default MAX_SPOOLED_BLOCKS. */
  readonly maxSpooledBlocks?: number
  /** How long a period waits for execution results, from when its last block is final; default EXECUTION_PATIENCE_MS. */
  readonly executionPatienceMs?: number
  /** 32-byte secret that signs execution results; absent: they stay unsigned. */
  readonly attesterSeed?: Uint8Array
}

export interface ArchiverModules {
  readonly store: ChunkStore
  readonly spool: Spool
  readonly cpu: CpuWork
  readonly clock: Clock
  readonly log: Logger
  readonly events?: ArchiverEvents
}
