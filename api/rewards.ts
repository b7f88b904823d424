import type { FastifyInstance } from 'fastify'
import * as z from 'zod'
import { ArchiveError } from '../core/index.ts'
import type { RewardHistory } from '../storage-worker/rewards/reward-history.ts'
import { checkToken } from './check-token.ts'

/** Where it stands what the sidecar distributed and claimed by itself, and what its operator claimed. */
interface Rewarded {
  readonly store: { readonly rewards: Pick<RewardHistory, 'append' | 'list'> }
}

const MAX_LISTED = 1_000

const listRequest = z.strictObject({ limit: z.coerce.number().int().min(1).max(MAX_LISTED).default(20) })
const nanoMas = z.string().regex(/^\d{1,20}$/)
const claim = z.strictObject({
  /** Since 1970, by the clock of this machine. */
  atMs: z.int().min(0),
  amountNanoMas: nanoMas,
  feeNanoMas: nanoMas,
  operationId: z.string().regex(/^O[0-9A-Za-z]{1,63}$/),
})

/** A claim that a command made, and that is final. */
export type NotedClaim = z.infer<typeof claim>

/**
 * - `GET /v1/rewards?limit=20` what this sidecar distributed and claimed
 * - `POST /v1/rewards` `{atMs, amountNanoMas, feeNanoMas, operationId}` notes a claim of a command among them; with the token
 */
export function addRewardRoutes(
  server: FastifyInstance,
  query: Rewarded,
  { token }: { readonly token: string | undefined },
): void {
  const schema = { querystring: listRequest }
  server.get<{ Querystring: z.output<typeof listRequest> }>('/v1/rewards', { schema }, async (request) => {
    return { rewards: await query.store.rewards.list(request.query.limit) }
  })
  server.post('/v1/rewards', async (request) => {
    checkToken(request, token)
    await query.store.rewards.append({ ...parse(claim, request.body), kind: 'claim', period: null })
    return {}
  })
}

function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const { success, data, error } = schema.safeParse(input)
  if (success) return data
  throw new ArchiveError('API_QUERY_INVALID', `the request is not of the expected shape: ${error.message}`)
}
