import type { Archiver, FollowerStatus } from '../archiver/index.ts'
import { formatSlot, slotIndex, THREAD_COUNT } from '../core/index.ts'
import type { Store } from '../storage-worker/index.ts'

/** Behind by more than this the archive is not ready: a node forgets final blocks after six periods. */
const MAX_LAG_PERIODS = 5

/** One screen of what an operator wants to know, as JSON. */
export async function reportStatus(parts: {
  readonly version: string
  readonly pid: number
  readonly startedAtMs: number
  readonly store: Store
  readonly archiver: Archiver
  readonly nodes: readonly FollowerStatus[]
  readonly quotaGb: number
}) {
  const { store, archiver, nodes } = parts
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
    nodeFinalPeriod: finalSlot?.period ?? null,
    nodeFinalSlotIndex: finalSlot ? slotIndex(finalSlot) : null,
    lagPeriods,
    gaps,
    spooledBlocks: archive.spooledBlocks,
    quarantinedBlocks: archive.quarantinedBlocks,
    conflict: archive.conflict
      ? { slot: formatSlot(archive.conflict.slot), claims: Object.fromEntries(archive.conflict.claims) }
      : null,
    halted: archive.halted ?? null,
    stalled: archive.stalled ?? null,
    storedBytes,
    freeBytes,
    quotaBytes: parts.quotaGb * 1_000_000_000,
    problems: [
      ...(nodes.some((node) => node.up) ? [] : ['no massa-node answers']),
      ...(range ? [] : ['nothing is archived yet']),
      ...(lagPeriods !== undefined && lagPeriods > MAX_LAG_PERIODS
        ? [`${lagPeriods} final periods are not archived`]
        : []),
      ...(archive.halted ? [archive.halted.message] : []),
      ...(archive.stalled ? [`the store cannot be written: ${archive.stalled}`] : []),
      ...(archive.conflict ? [`nodes disagree about slot ${formatSlot(archive.conflict.slot)}`] : []),
      ...(archive.quarantinedBlocks > 0 ? [`${archive.quarantinedBlocks} final blocks in quarantine`] : []),
      ...(gaps.length > 0
        ? [`${gaps.length} gaps in ${new Set(gaps.map((gap) => gap.thread)).size} of ${THREAD_COUNT} threads`]
        : []),
    ],
  }
}
