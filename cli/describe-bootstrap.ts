import * as z from 'zod'
import { formatBytes, formatDuration } from './output.ts'

/** Of `/v1/status`: how far an archive is with what came before its first period. */
export const bootstrapAnswer = z.object({
  state: z.string(),
  waitsFor: z.string().optional(),
  wantedPeriods: z.int(),
  donePeriods: z.int(),
  bodyBytes: z.number(),
  periodsPerSecond: z.number(),
  etaMs: z.number().nullable(),
  checked: z.array(z.object({ by: z.string(), firstEra: z.int().optional(), lastEra: z.int().optional() })).optional(),
})

const BAR_WIDTH = 20
const WAITS: Readonly<Record<string, string>> = {
  archive: 'until something is archived',
  placement: 'until the placement in force says what is to be held',
  links: 'until enough is archived to say what came before it',
  peers: 'for a peer that has what comes next',
  older: 'for a peer that began earlier: none that is connected has anything before the first period here',
  anchor: 'until the era of what comes next is anchored: nothing else tells it from a forgery',
  restart: 'since the chain was restarted there: nothing links what stands before',
  room: 'for room: the disk or its quota is nearly full',
  store: 'for the store, which cannot be written',
}

/** @returns undefined when there is nothing to be fetched */
export function describeBootstrap(answer: z.infer<typeof bootstrapAnswer> | null | undefined): string | undefined {
  if (!answer || answer.state === 'done') return undefined
  const { donePeriods, wantedPeriods, bodyBytes, periodsPerSecond, etaMs, waitsFor } = answer
  const filled = Math.floor((BAR_WIDTH * donePeriods) / Math.max(1, wantedPeriods))
  const bar = `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}]`
  const done = `${bar} periods ${donePeriods} of ${wantedPeriods}, ${formatBytes(bodyBytes)}`
  if (waitsFor !== undefined) return `${done}, waits ${WAITS[waitsFor] ?? `for ${waitsFor}`}`
  const rate = periodsPerSecond.toFixed(periodsPerSecond < 10 ? 1 : 0)
  const eta = etaMs === null ? '' : `, about ${formatDuration(etaMs)}`
  return `${done}, ${rate} periods/s${eta}${describeCheck(answer.checked?.at(-1))}`
}

function describeCheck(range: NonNullable<z.infer<typeof bootstrapAnswer>['checked']>[number] | undefined): string {
  if (!range) return ''
  const { by, firstEra, lastEra } = range
  if (by !== 'anchor') return ', linked by block ids, no anchor yet'
  return firstEra === lastEra
    ? `, under the anchored root of era ${firstEra}`
    : `, under the anchored roots of eras ${firstEra} to ${lastEra}`
}
