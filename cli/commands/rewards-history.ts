import * as z from 'zod'
import { formatCoins } from '../../core/units.ts'
import { callSidecar, parseAnswer } from '../call-sidecar.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { findSidecar } from '../find-sidecar.ts'

const nanoMas = z.string().regex(/^\d{1,20}$/)
const answer = z.object({
  rewards: z.array(
    z.object({
      kind: z.enum(['distribution', 'claim']),
      atMs: z.number(),
      period: z.number().nullable(),
      amountNanoMas: nanoMas,
      feeNanoMas: nanoMas,
      operationId: z.string(),
    }),
  ),
})

const MAX_LISTED = 1_000

/** What the running sidecar distributed and claimed by itself, and was told of claims by hand. */
export async function rewardsHistory(
  context: Context,
  { limit }: { readonly limit: number },
  signal: AbortSignal,
): Promise<number> {
  const { output } = context
  const sidecar = await findSidecar(context.load().config, signal)
  const json = await callSidecar(sidecar, `/v1/rewards?limit=${Math.min(limit, MAX_LISTED)}`, { signal })
  const { rewards } = parseAnswer(answer, json)
  for (const each of rewards) output.value(each)
  if (rewards.length === 0) {
    output.remark('This sidecar has distributed and claimed nothing yet.')
    return EXIT_CODES.ok.code
  }
  output.table(
    [
      ['final', 'what', 'MAS', 'fee', 'operation'],
      ...rewards.map(({ atMs, kind, period, amountNanoMas, feeNanoMas, operationId }) => [
        new Date(atMs).toISOString(),
        kind === 'claim' ? 'claimed' : `distributed period ${period}`,
        formatCoins(BigInt(amountNanoMas)),
        formatCoins(BigInt(feeNanoMas)),
        operationId,
      ]),
    ],
    [false, false, true, true, false],
  )
  return EXIT_CODES.ok.code
}
