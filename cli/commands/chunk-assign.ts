import {
  ArchiveError,
  ERA_PERIODS,
  fromHex,
  type HolderPass,
  isArchiveError,
  type Period,
  toHex,
} from '../../core/index.ts'
import { OwnRoles, type PlacementTable } from '../../storage-worker/index.ts'
import { PLACEMENT_IN_FORCE_PERIODS } from '../../storage-worker/placement/placement-table.ts'
import { formatHuman } from '../../telemetry/human-format.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { findChunks, resolveChunk } from '../find-chunks.ts'
import { formatCount, type Output } from '../output.ts'
import { readOwnAddress } from '../own-address.ts'
import type { PeriodRange } from '../parse-arguments.ts'
import { openPlacement } from '../placement-access.ts'

export interface AssignOptions {
  readonly period?: PeriodRange
  readonly era?: number
  readonly address?: string
}

const MARKS: { readonly [P in HolderPass]: string } = {
  1: '',
  2: 'clustered: operator of another copy',
  3: 'clustered: network of another copy',
}

/**
 * Who is to hold chunks, by the registry alone: the same on every machine, but for the mark of the own node.
 *
 * @param ids - whole ids, or beginnings of ids of the own archive
 */
export async function assignChunks(
  context: Context,
  ids: readonly string[],
  options: AssignOptions,
  signal: AbortSignal,
): Promise<number> {
  const { output } = context
  if (ids.length === 0 && options.period === undefined) {
    throw new ArchiveError('CLI_USAGE', 'name chunks by their ids, or all of some periods with --period')
  }
  const chunkIds = new Set<string>()
  for (const id of ids) chunkIds.add(await resolveChunk(context, id, signal))
  if (options.period) {
    const found = await findChunks(context, options.period, signal)
    if (found.length === 0) throw notFound('no chunk is of these periods')
    for (const one of found) chunkIds.add(one)
  }
  const wish = { address: options.address, era: options.era }
  const { table, reading } = await openPlacement(context, wish, signal)
  warnOfTable(output, table, reading.period)
  const isSeveral = options.period !== undefined || ids.length > 1
  show(output, { table, chunkIds: [...chunkIds], own: await findOwnAddress(context), isSeveral })
  return EXIT_CODES.ok.code
}

/** A key that cannot be read is for the commands that sign to tell. */
async function findOwnAddress(context: Context): Promise<string | undefined> {
  try {
    return await readOwnAddress(context, context.load())
  } catch (error) {
    if (!isArchiveError(error)) throw error
    return undefined
  }
}

interface OwnCounts {
  readonly address: string
  readonly primary: number
  readonly replica: number
  readonly neither: number
}

function countOwn(roles: OwnRoles, chunkIds: readonly string[]): Omit<OwnCounts, 'address'> {
  const counts = { primary: 0, replica: 0, neither: 0 }
  for (const chunkId of chunkIds) {
    const role = roles.roleOf(fromHex(chunkId))
    counts[role === 'primary' || role === 'replica' ? role : 'neither']++
  }
  return counts
}

function describeOwn({ address, primary, replica, neither }: OwnCounts): string {
  if (primary + replica + neither > 1) {
    return `This node, ${address}: primary of ${primary}, replica of ${replica}, neither of ${neither}.`
  }
  return `This node, ${address}: ${primary > 0 ? 'primary' : replica > 0 ? 'replica' : 'no holder'}.`
}

function notFound(what: string): ArchiveError {
  return new ArchiveError('CLI_NOT_FOUND', `in this archive ${what}`)
}

function warnOfTable(output: Output, table: PlacementTable, period: Period): void {
  const fromPeriod = table.era * ERA_PERIODS + PLACEMENT_IN_FORCE_PERIODS
  if (period < fromPeriod) output.remark(`This is in force from period ${fromPeriod} on; now is period ${period}.`)
  if (!table.keepsForEver) {
    output.warn('no node of the registry keeps for ever: these are the holders of new chunks, and old ones are dropped')
  }
  if (table.fewestHolders < table.replicationFactor) {
    output.warn(
      `the registry asks for ${table.replicationFactor} copies, and there are nodes or room for ${table.fewestHolders} of some chunks`,
    )
  }
}

interface Shown {
  readonly table: PlacementTable
  readonly chunkIds: readonly string[]
  /** Address of the node that this is; undefined when nothing says so. */
  readonly own: string | undefined
  readonly isSeveral: boolean
}

function show(output: Output, { table, chunkIds, own, isSeveral }: Shown): void {
  const { era, replicas, snapshot } = table
  const root = toHex(table.root)
  output.line(
    `Placement of era ${era}: ${formatCount(snapshot.nodes.length, 'node')}, ${formatCount(replicas, 'copy', 'copies')}, root ${root}`,
  )
  for (const chunkId of chunkIds) showChunk(output, { chunkId, table, own })
  const primaries = table.countPrimaries(chunkIds.map((chunkId) => fromHex(chunkId)))
  const counts =
    own === undefined ? undefined : { address: own, ...countOwn(new OwnRoles({ address: own, table }), chunkIds) }
  output.value({
    summary: {
      era,
      placementRoot: root,
      nodes: snapshot.nodes.length,
      replicas,
      keepsForEver: table.keepsForEver,
      chunks: chunkIds.length,
      primaries,
      own: counts ?? null,
    },
  })
  // Beside the output, which is the same on every machine.
  if (counts) output.remark(describeOwn(counts))
  if (!isSeveral || Object.keys(primaries).length === 0) return
  // The words of the log.
  const tag = '[INFO]'
  const text = formatHuman({ level: 'info', msg: 'chunks assigned', assignments: primaries }, { colour: false })
  output.markedLine('green', tag, text.slice(tag.length))
}

function showChunk(
  output: Output,
  { chunkId, table, own }: Pick<Shown, 'table' | 'own'> & { readonly chunkId: string },
): void {
  const { hashSlot, holders, clustered } = table.holdersOf(fromHex(chunkId))
  const roleOf = (place: number): string => (place === 0 ? 'primary' : 'replica')
  const recent = table.recentOfSlot(hashSlot, 0)
  output.value({
    chunkId,
    hashSlot,
    clustered,
    holders: holders.map(({ address, placementGb, pass }, i) => {
      return { role: roleOf(i), address, placementGb: Number(placementGb), pass }
    }),
    recent: recent.map(({ address, placementGb, retentionPeriods }) => {
      return { address, placementGb: Number(placementGb), retentionPeriods: Number(retentionPeriods) }
    }),
  })
  output.line(`chunk ${chunkId}, hash slot ${hashSlot}`)
  if (holders.length === 0) output.line('  nobody: no node counted when the era began')
  const mine = (address: string): string[] => (address === own ? ['this node'] : [])
  output.table(
    [
      ...holders.map(({ address, placementGb, pass }, i) => [
        `  ${roleOf(i)}`,
        address,
        `${placementGb} GB`,
        [...mine(address), ...(MARKS[pass] === '' ? [] : [MARKS[pass]])].join(', '),
      ]),
      ...recent.map(({ address, placementGb, retentionPeriods }) => [
        '  recent',
        address,
        `${placementGb} GB`,
        [...mine(address), `for ${retentionPeriods} periods`].join(', '),
      ]),
    ],
    [false, false, true],
  )
}
