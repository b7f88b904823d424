import type { FastifyInstance } from 'fastify'
import * as z from 'zod'
import { ArchiveError } from '../core/index.ts'
import { checkToken } from './check-token.ts'
import { needDataDir } from './data-dir-header.ts'
import { raceTimer } from './heartbeat.ts'
import { sendRows } from './row-stream.ts'

/** Challenges that this sidecar issues for its operator. Answers are plain JSON. */
export interface ChallengesPort {
  /**
   * Challenges a node off chain, and waits for what it shows.
   *
   * @param node - Massa address or PeerId, the first 6 or more characters of one, or the name that it published in the registry
   *   (its operator): of one connected node alone
   * @param chunk - all 64 hex digits of a chunk id, or the first 6 or more of one that is archived here
   * @throws ArchiveError API_NAME_AMBIGUOUS, API_CHUNK_UNKNOWN, API_PEER_UNCONNECTED; of the store
   */
  rehearse(node: string, chunk: string): Promise<object>
  /**
   * Challenges a node on chain, and waits until the registry has judged what it shows.
   *
   * @param node - as for `rehearse`, or any registered node
   * @param isUnclaimed - also for a chunk that the node has not said that it holds
   * @throws ArchiveError API_CHAIN_OFF, API_CHUNK_UNCLAIMED, API_NAME_AMBIGUOUS, API_CHUNK_UNKNOWN, API_PEER_UNCONNECTED; REGISTRY_*, CHAIN_*; of
   *   the store
   */
  issue(node: string, chunk: string, isUnclaimed: boolean): Promise<object>
  /** The newest first. */
  list(limit: number): Promise<readonly object[]>
  /** Undefined when no id begins so. @throws ArchiveError API_NAME_AMBIGUOUS when several do */
  find(idPrefix: string): Promise<object | undefined>
  /** Recomputes the draws of all challengers in a period. @throws ArchiveError CHAIN_*; of the store */
  auditDraws(period: number): Promise<object>
}

const MAX_NAME_CHARACTERS = 128
const MAX_LISTED = 1_000
/** Twice what one audit may have; each holds a connection until it is over, and on chain costs a fee. */
const MAX_UNDER_WAY = 16

const issueRequest = z.strictObject({
  node: z.string().min(1).max(MAX_NAME_CHARACTERS),
  chunk: z.string().regex(/^[0-9a-f]{6,64}$/),
  rehearse: z.boolean().default(false),
  unclaimed: z.boolean().default(false),
})
const periodNumber = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const listRequest = z.strictObject({ limit: z.coerce.number().int().min(1).max(MAX_LISTED).default(20) })

/**
 * - `POST /v1/challenges` `{node, chunk, rehearse, unclaimed}` challenges a node on chain, or off chain with `rehearse: true`; the
 *   answer is NDJSON: `{"working":true}` every other second until `{"result": …}` says how it ended, or `{"error": …}` why it did not
 *   come to that. What is refused within the first of these seconds has a status of its own
 * - `GET /v1/challenges?limit=20` what this sidecar asked, and what became of it
 * - `GET /v1/challenges/{id}` one of them
 * - `GET /v1/draws/{period}` the challenges that anybody issued by a draw of this period, beside what was to be drawn; one at
 *   a time, since it reads more than a hundred periods
 *
 * Each GET has to name the data directory.
 *
 * @param challenges - undefined where `p2p.enabled` is false: all answer API_PEERS_OFF
 * @param options - the token is what a request has to carry that signs or spends; undefined: none is good enough
 */
export function addChallengeRoutes(
  server: FastifyInstance,
  challenges: ChallengesPort | undefined,
  { token, heartbeatMs }: { readonly token: string | undefined; readonly heartbeatMs?: number | undefined },
): void {
  let underWay = 0
  const port = (): ChallengesPort => {
    if (challenges) return challenges
    throw new ArchiveError('API_PEERS_OFF', 'this sidecar meets no others: p2p.enabled is false')
  }
  const ask = async ({ node, chunk, rehearse, unclaimed }: z.infer<typeof issueRequest>): Promise<object> => {
    if (underWay >= MAX_UNDER_WAY) {
      throw new ArchiveError('API_CHALLENGES_FULL', `${MAX_UNDER_WAY} challenges by hand are under way`)
    }
    underWay++
    try {
      return rehearse ? await port().rehearse(node, chunk) : await port().issue(node, chunk, unclaimed)
    } finally {
      underWay--
    }
  }
  server.post('/v1/challenges', async (request, reply) => {
    checkToken(request, token)
    const asked = ask(parse(issueRequest, request.body))
    await raceTimer(asked, heartbeatMs)
    return sendRows(reply, toResult(asked), heartbeatMs)
  })
  const options = { onRequest: needDataDir, schema: { querystring: listRequest } }
  server.get<{ Querystring: z.output<typeof listRequest> }>('/v1/challenges', options, async ({ query }) => {
    return { challenges: await port().list(query.limit) }
  })
  server.get<{ Params: { id: string } }>('/v1/challenges/:id', { onRequest: needDataDir }, async ({ params }) => {
    const { id } = params
    if (!/^[0-9A-Za-z_-]{1,64}$/.test(id)) throw new ArchiveError('API_QUERY_INVALID', 'that is no id of a challenge')
    return { challenge: (await port().find(id)) ?? null }
  })
  let isAuditing = false
  server.get<{ Params: { period: string } }>('/v1/draws/:period', { onRequest: needDataDir }, async ({ params }) => {
    const period = parse(periodNumber, params.period)
    if (isAuditing) throw new ArchiveError('API_AUDIT_UNDER_WAY', 'the draws of a period are being audited')
    isAuditing = true
    try {
      return { audit: await port().auditDraws(period) }
    } finally {
      isAuditing = false
    }
  })
}

async function* toResult(asked: Promise<object>): AsyncGenerator<object> {
  yield { result: await asked }
}

function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input)
  if (result.success) return result.data
  throw new ArchiveError('API_QUERY_INVALID', `the request is not of the expected shape: ${result.error.message}`)
}
