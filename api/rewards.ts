import type { FastifyInstance } from 'fastify'
import * as z from 'zod'
import { ArchiveError } from '../core/index.ts'
import type { RewardHistory } from '../storage-worker/rewards/reward-history.ts'

/** Where it stands what the sidecar distributed and claimed by itself. */
interface Rewarded {
  readonly store: { readonly rewards: Pick<RewardHistory, 'list'> }
}

const MAX_LISTED = 1_000

const listRequest = z.strictObject({ limit: z.coerce.number().int().min(1).max(MAX_LISTED).default(20) })

/** - `GET /v1/rewards?limit=20` what this sidecar distributed and claimed */
export function addRewardRoutes(server: FastifyInstance, query: Rewarded): void {
  server.get('/v1/rewards', async (request) => {
    const { success, data, error } = listRequest.safeParse(request.query)
    if (success) return { rewards: await query.store.rewards.list(data.limit) }
    throw new ArchiveError('API_QUERY_INVALID', `the request is not of the expected shape: ${error.message}`)
  })
}
