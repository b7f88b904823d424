import * as z from 'zod'
import { formatBytes, formatCount, formatDuration } from './output.ts'

/** `replication.repair` of `/v1/status`, as far as it is shown here; null without a registry. */
export const repairAnswer = z
  .object({
    hashSlots: z.int(),
    standInSlots: z.int(),
    awayNodes: z.array(z.string()),
    isKnown: z.boolean(),
    missingChunks: z.int(),
    missingBytes: z.number(),
    missingForMs: z.number().nullable(),
    failedChunks: z.int(),
    pulledChunks: z.int(),
  })
  .nullish()

/**
 * What this node is to hold and how much of it lacks; undefined where nothing is assigned to anyone.
 *
 * @param absentPeriods - that are not archived behind the head: nothing is known of their chunks
 */
export function describeRepair(answer: z.infer<typeof repairAnswer>, absentPeriods: number): string | undefined {
  if (!answer) return undefined
  const { hashSlots, standInSlots, awayNodes, pulledChunks } = answer
  const duty =
    hashSlots === 0
      ? 'nothing to hold'
      : `${formatCount(hashSlots, 'hash slot')}, ${describeMissing(answer, absentPeriods)}`
  return [
    duty,
    ...(pulledChunks > 0 ? [`${formatCount(pulledChunks, 'chunk')} fetched since the start`] : []),
    ...(awayNodes.length > 0 ? [`${formatCount(awayNodes.length, 'node')} away`] : []),
    ...(standInSlots > 0 ? [`standing in for ${formatCount(standInSlots, 'hash slot')}`] : []),
  ].join(', ')
}

function describeMissing(answer: NonNullable<z.infer<typeof repairAnswer>>, absentPeriods: number): string {
  const { isKnown, missingChunks, missingBytes, missingForMs, failedChunks } = answer
  const absent = absentPeriods === 0 ? '' : `, ${formatCount(absentPeriods, 'period')} not archived`
  if (missingChunks === 0)
    return isKnown ? (absent ? `held as far as archived${absent}` : 'all held') : 'being looked through'
  const since = missingForMs === null ? '' : ` for ${formatDuration(missingForMs)}`
  const failed = failedChunks === 0 ? '' : `, ${failedChunks} of them cannot be had now`
  return `${formatCount(missingChunks, 'chunk')} (${formatBytes(missingBytes)}) missing${since}${failed}${absent}`
}
