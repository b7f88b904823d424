import type { Archiver, ArchiverStatus, FollowerStatus, PeriodRange } from '../archiver/index.ts'
import { type ArchiveError, ERROR_CODES, type ErrorCode, formatSlot, slotIndex, THREAD_COUNT } from '../core/index.ts'
import type { BootstrapStatus } from '../storage-worker/bootstrap/bootstrap.ts'
import { type EraDifference, REGISTRY_SAYS } from '../storage-worker/eras/era-differences.ts'
import type { HistoryStatus, PlacementStatus, Store } from '../storage-worker/index.ts'
import type { SafePruneReport } from '../storage-worker/replication/safe-prune.ts'
import type { RegistryReport } from './chain/registry-report.ts'
import type { RepairStatus } from './peers/start-replication.ts'

/** Behind by more than this the archive is not ready: a node forgets final blocks after six periods. */
const MAX_LAG_PERIODS = 5
const SHOWN_HOLES = 4

/** What other sidecars say of what is held. */
export interface ReplicationStatus {
  /** Others that are connected, or were heard of within `p2p.repair_delay_seconds`. */
  readonly liveNodes: number
  /** Those of whom it is known what they say that they hold, and the memory that this takes. */
  readonly haveMaps: number
  readonly haveMapBytes: number
  /** Last period that we have announced; null before the first. */
  readonly announcedPeriod: number | null
  /** Addresses of nodes whose archive has other roots than ours. */
  readonly differingNodes: readonly string[]
  /** Addresses of nodes with another placement than ours for the same era. */
  readonly differingPlacements: readonly string[]
  /** Eras of which a node signs, or the registry has, another root than ours. */
  readonly differingEras: readonly EraDifference[]
  /** Undefined without a registry. */
  readonly repair?: RepairStatus | undefined
}

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
  /** Undefined without a registry. */
  readonly registry?: RegistryReport | undefined
  /** Undefined where sidecars do not meet. */
  readonly bootstrap?: BootstrapStatus | undefined
  /** Absent without `p2p.enabled`. */
  readonly replication?: ReplicationStatus | undefined
  /** Undefined without peers. */
  readonly prune?: SafePruneReport | undefined
  /** Undefined without `history.enabled`. */
  readonly history?: HistoryStatus | undefined
  readonly nodes: readonly FollowerStatus[]
  readonly quotaGb: number
}) {
  const { store, archiver, nodes, retention, placement, replication } = parts
  const archive = archiver.status()
  const range = await store.chunks.readRange()
  const finalSlot = archive.nodeFinalSlot
  const lagPeriods = finalSlot && range ? Math.max(0, finalSlot.period - 1 - range.last) : undefined
  const gaps = archive.gaps.map(({ thread, firstPeriod, lastPeriod, missing }) => {
    return { thread, firstPeriod, lastPeriod, missing, slots: lastPeriod - firstPeriod + 1 }
  })
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
    registry: parts.registry ?? null,
    bootstrap: parts.bootstrap ?? null,
    replication: replication ?? null,
    prune: parts.prune ?? null,
    history: parts.history ?? null,
    storedBytes,
    freeBytes,
    quotaBytes: parts.quotaGb * 1_000_000_000,
    // Causes before what follows from them: who shows one alone shows the first.
    problems: [
      ...(nodes.some((node) => node.up) ? [] : ['no massa-node answers']),
      ...(archive.halted ? [describe(archive.halted)] : []),
      ...(archive.stalled ? [`the store cannot be written: ${describe(archive.stalled)}`] : []),
      ...(retention.failing ? [`old periods cannot be deleted: ${describe(retention.failing)}`] : []),
      ...(replication?.repair?.failing
        ? [`chunks of other sidecars cannot be stored: ${describe(replication.repair.failing)}`]
        : []),
      ...(parts.history?.failing
        ? [`the index of ids and addresses is not written: ${describe(parts.history.failing)}`]
        : []),
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
      ...describeHoles(archive, { hasPeers: replication !== undefined, hasRegistry: placement !== undefined }),
      ...(placement?.failing && !placement.isCurrent
        ? [`who holds what in this era cannot be read: ${describe(placement.failing)}`]
        : []),
      ...(replication && replication.differingNodes.length > 0
        ? [
            `other period roots than this archive has are announced by ${countNodes(replication.differingNodes)} ` +
              `(PROTOCOL_ROOTS_DIFFER). ${ERROR_CODES.PROTOCOL_ROOTS_DIFFER.action}`,
          ]
        : []),
      ...(replication && replication.differingPlacements.length > 0
        ? [
            `another placement than this one is signed by ${countNodes(replication.differingPlacements)} ` +
              `(PROTOCOL_PLACEMENT_DIFFERS). ${ERROR_CODES.PROTOCOL_PLACEMENT_DIFFERS.action}`,
          ]
        : []),
      ...describeEras(replication?.differingEras ?? []),
    ],
  }
}

interface HoleSources {
  readonly hasPeers: boolean
  /** Eras are anchored. */
  readonly hasRegistry: boolean
}

/** What is not archived behind the head, what it waits for, and who can give it. */
function describeHoles({ holes, gaps }: Pick<ArchiverStatus, 'holes' | 'gaps'>, others: HoleSources): string[] {
  const isListed = ({ from, to }: PeriodRange): boolean => {
    return gaps.some(({ firstPeriod, lastPeriod }) => firstPeriod <= to && lastPeriod >= from)
  }
  const named = (ranges: readonly PeriodRange[]): string => {
    const shown = ranges.slice(0, SHOWN_HOLES).map(({ from, to }) => (from === to ? `${from}` : `${from} to ${to}`))
    const rest = ranges.length > shown.length ? [`${ranges.length - shown.length} more runs`] : []
    return `periods ${[...shown, ...rest].join(', ')}. ${adviseOnHoles(others)}`
  }
  const listed = holes.filter(isListed)
  const unlisted = holes.filter((hole) => !isListed(hole))
  const asked = others.hasPeers ? 'no node or other sidecar' : 'no node'
  return [
    ...(listed.length > 0 ? [`not archived, as blocks lack that ${asked} gave so far: ${named(listed)}`] : []),
    ...(unlisted.length > 0 ? [`not archived, and no block of them is known to lack: ${named(unlisted)}`] : []),
  ]
}

/** Not reproducible (docs/FORMAT.md) is what its id does not bind: of other sidecars only an anchored root vouches for it. */
function adviseOnHoles({ hasPeers, hasRegistry }: HoleSources): string {
  if (!hasPeers) return 'Other sidecars can give them: set p2p.enabled = true.'
  return hasRegistry
    ? 'They are fetched once another sidecar has them; operations that are not reproducible wait for the anchor of their era.'
    : 'They are fetched once another sidecar has them; operations that are not reproducible come from a massa-node alone.'
}

/** One line for each era: the registry's word on it, else that of the first node. */
function describeEras(differences: readonly EraDifference[]): string[] {
  const byEra = new Map<number, EraDifference[]>()
  for (const each of differences) byEra.set(each.era, [...(byEra.get(each.era) ?? []), each])
  return [...byEra].map(([era, all]) => {
    const told = all.find(({ by }) => by === REGISTRY_SAYS) ?? all.find(({ period }) => period !== undefined) ?? all[0]
    const who = told?.by === REGISTRY_SAYS ? 'is anchored in the registry' : `is signed by ${countNodes(all)}`
    const where =
      told?.period === undefined ? 'nobody shows in which period' : `from period ${told.period} on: ${told.reason}`
    return (
      `another root of era ${era} than this archive has ${who}, ${where} ` +
      `(PROTOCOL_ROOTS_DIFFER). ${ERROR_CODES.PROTOCOL_ROOTS_DIFFER.action}`
    )
  })
}

/** What, under which code, and what to do. */
function describe({ code, message }: { readonly code: ErrorCode; readonly message: string }): string {
  return `${message} (${code}). ${ERROR_CODES[code].action}`
}

function countNodes({ length }: readonly unknown[]): string {
  return length === 1 ? 'a node' : `${length} nodes`
}
