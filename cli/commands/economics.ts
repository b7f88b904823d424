import { resolve } from 'node:path'
import { loadRegistryParams, productionRegistryPath } from '../../config/index.ts'
import { isArchiveError, type RegistryConfig } from '../../core/index.ts'
import { openRegistry } from '../chain-access.ts'
import type { Context } from '../context.ts'
import type { EconomicsOptions } from '../economics-defaults.ts'
import { makeEconomicsInput } from '../economics-input.ts'
import { makeReport } from '../economics-report.ts'
import { describeVerdict, listTables } from '../economics-tables.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { toPlain } from '../render-value.ts'

export interface EconomicsCommandOptions extends EconomicsOptions {
  /** Another registry than the configured one. */
  readonly address?: string
  /** TOML file with settings of a registry. */
  readonly params?: string
  /** The settings that ship for coins of value. */
  readonly production?: boolean
}

/** What an operator earns and the network costs; exit code 1 when something is wrong for an honest operator. */
export async function economics(context: Context, options: EconomicsCommandOptions): Promise<number> {
  const { output } = context
  const { settings, source } = await readSettings(context, options)
  const report = makeReport(makeEconomicsInput(options, settings, context.load().config))
  const verdict = describeVerdict(report, settings)
  output.value({ source, ...(toPlain(report) as object), verdict })
  output.line(`Settings: ${source}.`)
  for (const { title, rows, texts } of listTables(report)) {
    output.line()
    output.line(title)
    output.table(
      rows.map(([first = '', ...rest]) => [`  ${first}`, ...rest]),
      rows[0]?.map((_, column) => column > 0 && !texts.includes(column)),
    )
  }
  output.line()
  for (const line of verdict) output.line(line)
  return report.faults.length === 0 ? EXIT_CODES.ok.code : EXIT_CODES.failed.code
}

/** Of the chain, where a registry is configured and no file is named. */
async function readSettings(
  context: Context,
  { address, params, production }: EconomicsCommandOptions,
): Promise<{ readonly settings: RegistryConfig; readonly source: string }> {
  if (production) {
    return { settings: loadRegistryParams(productionRegistryPath()), source: 'those that ship for coins of value' }
  }
  if (params !== undefined) {
    return { settings: loadRegistryParams(resolve(context.cwd, params)), source: `those of ${params}` }
  }
  try {
    const { client } = await openRegistry(context, { address, needsKey: false })
    return { settings: await client.read('getConfig', {}), source: `those of ${client.address} on the chain` }
  } catch (error) {
    if (!isArchiveError(error, 'CLI_NO_REGISTRY')) throw error
    return { settings: loadRegistryParams(undefined), source: 'those that ship, for a private network' }
  }
}
