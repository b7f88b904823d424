import { AssertionError } from 'node:assert/strict'
import { resolve } from 'node:path'
import { ArchiveError } from '../../core/index.ts'
import { systemClock } from '../../daemon/system-clock.ts'
import { SCENARIOS, Stage } from '../../devnet/scenarios/index.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { formatDuration } from '../output.ts'

/** Plays scenarios on the running network; without a name it lists them. */
export async function devnetScenario(context: Context, names: readonly string[], signal: AbortSignal): Promise<number> {
  const { output, cwd, flags } = context
  if (names.length === 0) {
    output.value(SCENARIOS.map(({ name, story, isLong = false }) => ({ name, story, isLong })))
    for (const { name, story, isLong } of SCENARIOS) {
      output.line(isLong ? `${name} (some minutes)` : name)
      for (const line of story.replaceAll('; ', ';\n').split('\n')) output.line(`    ${line}`)
    }
    return EXIT_CODES.ok.code
  }
  const unknown = names.find((name) => !SCENARIOS.some((scenario) => scenario.name === name))
  if (unknown !== undefined) {
    const known = SCENARIOS.map(({ name }) => name).join(', ')
    throw new ArchiveError('DEVNET_COMMAND_REFUSED', `there is no scenario '${unknown}', only ${known}`, { unknown })
  }
  let startedMs = 0
  let playing = ''
  const stage = await Stage.open(
    flags.data_dir === undefined ? undefined : resolve(cwd, `${flags.data_dir}`),
    systemClock,
    {
      signal,
      onStep: (step) => output.remark(`${playing} after ${formatDuration(performance.now() - startedMs)}: ${step}`),
    },
  )
  let failed = 0
  for (const scenario of SCENARIOS.filter(({ name }) => names.includes(name))) {
    playing = scenario.name
    startedMs = performance.now()
    const reason = await scenario.play(stage).then(() => undefined, describe)
    const durationMs = Math.round(performance.now() - startedMs)
    output.value({ name: scenario.name, passed: reason === undefined, reason, durationMs })
    output.line(
      `${scenario.name}: ${reason === undefined ? 'as told' : `FAILED: ${reason}`} (${formatDuration(durationMs)})`,
    )
    if (reason !== undefined) failed++
  }
  return failed === 0 ? EXIT_CODES.ok.code : EXIT_CODES.failed.code
}

/** What went wrong in the story; anything else is no story. */
function describe(error: unknown): string {
  if (error instanceof AssertionError) return error.message.replace(/\s+/g, ' ').trim()
  throw error
}
