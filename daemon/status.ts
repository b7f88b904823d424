import type { Archiver, FollowerStatus } from '../archiver/index.ts'
import { type ArchiveError, ERROR_CODES, type ErrorCode, formatSlot, slotIndex, THREAD_COUNT } from '../core/index.ts'
import type { PlacementStatus, Store } from '../storage-worker/index.ts'

/** Behind by more than this the archive is not ready: a node forgets final blocks after six periods. */
const MAX_LAG_PERIODS = 5

/** One screen of what an operator wants to know, as JSON. */
export async function reportStatus(parts: {
  readonly version: string
  readonly pid: number
  readonly startedAtMs: number
  readonly upMs: number
  readonly store: Store
  readonly archiver: Archiver
  readonly retention: { readonly failing: ArchiveError | undefined }
  /** Undefined without a registry. */
  readonly placement: PlacementStatus | undefined
  readonly nodes: readonly FollowerStatus[]
  readonly quotaGb: number
}) {
  const { store, archiver, nodes, retention, placement } = parts
  const archive = archiver.status()
  const range = await store.chunks.readRange()
  const finalSlot = archive.nodeFinalSlot
  const lagPeriods = finalSlot && range ? Math.max(0, finalSlot.period - 1 - range.last) : undefined
  const gaps = archive.gaps.map((gap) => ({ ...gap, slots: gap.lastPeriod - gap.firstPeriod + 1 }))
  const [storedBytes, freeBytes] = await Promise.all([store.disk.readUsedBytes(), store.disk.readFreeBytes()])
  return {
    version: parts.version,
    pid: parts.pid,
    startedAtMs: parts.startedAtMs,
    upMs: parts.upMs,
    dataDir: store.dataDir,
    network: {
      chainId: store.chunks.identity.network.chainId.toString(),
      genesisTimestampMs: Number(store.chunks.identity.network.genesisTimestampMs),
    },
    nodes: nodes.map((node) => ({
      ...node,
      lastFinalSlot: node.lastFinalSlot ? formatSlot(node.lastFinalSlot) : null,
    })),
    archived: range ?? null,
    holes: archive.holes.map(({ from, to }) => ({ firstPeriod: from, lastPeriod: to })),
    nodeFinalPeriod: finalSlot?.period ?? null,
    nodeFinalSlotIndex: finalSlot ? slotIndex(finalSlot) : null,
    lagPeriods,
    gaps,
    spooledBlocks: archive.spooledBlocks,
    quarantinedBlocks: archive.quarantinedBlocks,
    unkeptBlocks: archive.unkeptBlocks,
    unreportedSlots: archive.unreportedSlots,
    conflict: archive.conflict
      ? { slot: formatSlot(archive.conflict.slot), claims: Object.fromEntries(archive.conflict.claims) }
      : null,
    awaited: archive.awaited
      ? { slot: formatSlot(archive.awaited.slot), nodes: archive.awaited.nodes, code: 'ARCHIVER_SLOT_UNNAMED' }
      : null,
    halted: archive.halted ?? null,
    stalled: archive.stalled ?? null,
    spoolFull: archive.spoolFull ?? null,
    placement: placement ?? null,
    storedBytes,
    freeBytes,
    quotaBytes: parts.quotaGb * 1_000_000_000,
    // Causes before what follows from them: who shows one alone shows the first.
    problems: [
      ...(nodes.some((node) => node.up) ? [] : ['no massa-node answers']),
      ...(archive.halted ? [describe(archive.halted)] : []),
      ...(archive.stalled ? [`the store cannot be written: ${describe(archive.stalled)}`] : []),
      ...(retention.failing ? [`old periods cannot be deleted: ${describe(retention.failing)}`] : []),
      ...(archive.spoolFull ? [`blocks far from the archive are not kept: ${describe(archive.spoolFull)}`] : []),
      ...(archive.conflict ? [`nodes disagree about slot ${formatSlot(archive.conflict.slot)}`] : []),
      ...(archive.awaited
        ? [
            `archiving waits at slot ${formatSlot(archive.awaited.slot)}: ` +
              `${archive.awaited.nodes.map((node) => nodes[node]?.url ?? `node ${node}`).join(', ')} names nothing for it`,
          ]
        : []),
      ...(range ? [] : ['nothing is archived yet']),
      ...(lagPeriods !== undefined && lagPeriods > MAX_LAG_PERIODS
        ? [`${lagPeriods} final periods are not archived`]
        : []),
      ...(archive.quarantinedBlocks > 0 ? [`${archive.quarantinedBlocks} final blocks in quarantine`] : []),
      ...(archive.unkeptBlocks > 0
        ? [`the quarantine is full: ${archive.unkeptBlocks} final blocks that cannot be read are not kept`]
        : []),
      ...(gaps.length > 0
        ? [`${gaps.length} gaps in ${new Set(gaps.map((gap) => gap.thread)).size} of ${THREAD_COUNT} threads`]
        : []),
      ...(placement?.failing && !placement.isCurrent
        ? [`who holds what in this era cannot be read: ${describe(placement.failing)}`]
        : []),
    ],
  }
}

/** What, under which code, and what to do. */
function describe({ code, message }: { readonly code: ErrorCode; readonly message: string }): string {
  return `${message} (${code}). ${ERROR_CODES[code].action}`
}
