import { kindOfOrigin, type LoadedConfig } from '../../config/index.ts'
import { ArchiveError, ERA_PERIODS } from '../../core/index.ts'
import type { EraRelease } from '../../storage-worker/index.ts'
import { queryArchive } from '../archive-access.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { formatBytes, formatCount } from '../output.ts'
import { adviseSetting } from '../setting-advice.ts'

const KEY = 'retention_periods'

interface PruneResult {
  readonly dryRun: boolean
  readonly retentionPeriods: number
  /** Of the running sidecar, where it is another. */
  readonly sidecarRetentionPeriods?: number
  readonly stepPeriods: number
  /** Of these many; with dryRun, would go. */
  readonly periods: number
  readonly bodyBytes: number
  /** First and last period that go; null when nothing is due. */
  readonly from: number | null
  readonly to: number | null
  readonly keptFrom: number | null
  readonly nextAtPeriod: number | null
  /** What is past its retention stays from here on, until this era is anchored. */
  readonly unanchoredEra?: number
}

/**
 * Deletes what `retention_periods` lets go, or with dryRun says what it would delete.
 *
 * @throws ArchiveError CONFIG_RETENTION_UNSET when nobody has said how many: what is deleted here is gone for good
 */
export async function prune(
  context: Context,
  options: { readonly dryRun?: boolean },
  signal: AbortSignal,
): Promise<number> {
  const { output } = context
  const loaded = context.load()
  const { retentionPeriods } = loaded.config
  const dryRun = options.dryRun ?? false
  const unset = describeUnset(loaded)
  if (unset !== undefined && !dryRun) throw new ArchiveError('CONFIG_RETENTION_UNSET', unset, { retentionPeriods })
  const request = { kind: 'prune' as const, dryRun, retentionPeriods }
  const own = loaded.config.storageRegistryAddress === '' ? {} : { mayGo: askRegistry(context, signal) }
  for await (const answer of queryArchive(loaded.config, request, signal, own)) {
    if (!('result' in answer)) continue
    const result = answer.result as PruneResult
    output.value({ ...result, ...(unset === undefined ? {} : { isRetentionUnset: true }) })
    output.line(describe(result))
    for (const line of describeNext(result)) output.line(line)
    if (unset !== undefined) output.warn(unset)
    const { sidecarRetentionPeriods: own } = result
    if (own !== undefined) output.warn(`the running sidecar has ${KEY} = ${own}: without --dry-run it refuses`)
  }
  return EXIT_CODES.ok.code
}

/** Of an archive whose sidecar does not run. The client of the nodes is loaded, and asks, only where something is due. */
function askRegistry(context: Context, signal: AbortSignal): EraRelease {
  let opened: Promise<EraRelease> | undefined
  return async (era) => {
    opened ??= import('../placement-access.ts').then(({ openEraRelease }) => openEraRelease(context, signal))
    return (await opened)(era)
  }
}

/** What to say where the number is nobody's word. */
function describeUnset(loaded: LoadedConfig): string | undefined {
  if (kindOfOrigin(loaded.origins.get(KEY) ?? 'default') !== 'default') return undefined
  return (
    `nobody has set ${KEY}, and prune deletes nothing for the shipped ${loaded.config.retentionPeriods}: ` +
    `${adviseSetting(loaded, KEY, 'N')}, or give --set ${KEY}=N`
  )
}

function describe(result: PruneResult): string {
  const { dryRun, periods, from, to, bodyBytes, keptFrom } = result
  if (from === null) return 'Nothing to delete.'
  const verb = dryRun ? 'Would delete' : 'Deleted'
  return `${verb} ${formatCount(periods, 'period')} (${from} to ${to}, ${formatBytes(bodyBytes)}); kept: from period ${keptFrom} on.`
}

function describeNext({ retentionPeriods, stepPeriods, nextAtPeriod, unanchoredEra: era }: PruneResult): string[] {
  if (retentionPeriods === 0) return ['retention_periods = 0 keeps everything.']
  const rule = `retention_periods = ${retentionPeriods} keeps the newest ${retentionPeriods} and 16 more, in steps of ${stepPeriods}.`
  if (era !== undefined) return [rule, `Periods from ${era * ERA_PERIODS} on stay until era ${era} is anchored.`]
  return nextAtPeriod === null ? [rule] : [rule, `The next step is due when period ${nextAtPeriod} is archived.`]
}
