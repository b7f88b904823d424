import type { FastifyInstance } from 'fastify'
import { ArchiveError, type ErrorCode, isArchiveError } from '../core/index.ts'
import type { ImportModules } from '../storage-worker/archive-file/import-file.ts'
import { type Metrics, renderMetrics } from '../telemetry/index.ts'
import { createLimitedServer } from '../telemetry/limited-server.ts'
import { addChallengeRoutes, type ChallengesPort } from './challenges.ts'
import { checkShapes } from './check-shapes.ts'
import { DATA_DIR_HEADER } from './data-dir-header.ts'
import { addEraRoutes, type ErasPort } from './eras.ts'
import { addExplorerPage } from './explorer.ts'
import { addGatewayRoutes, type GatewayModules } from './gateway/gateway.ts'
import { sendProblem } from './gateway/problem.ts'
import { addImportRoutes } from './imports.ts'
import { type ArchiveRpcModules, addArchiveRpc } from './json-rpc/archive-rpc.ts'
import { addPeerRoutes, type PeersPort } from './peers.ts'
import { type Query, runQuery } from './queries.ts'
import { REFUSE_UNREAD } from './refuse-unread.ts'
import { addRewardRoutes } from './rewards.ts'
import { sendRows } from './row-stream.ts'
import { refuseUnknownRoutes } from './unknown-routes.ts'

/** What `/ready` and `/v1/status` show. */
export interface StatusReport {
  /** Why the archive does not keep up, empty when it does. */
  readonly problems: readonly string[]
}

export interface ApiModules {
  /** Of the archive that this is the API of. */
  readonly dataDirNames: ReadonlySet<string>
  readonly status: () => Promise<StatusReport>
  readonly query: Query
  /** undefined: this sidecar meets no others. */
  readonly peers?: PeersPort | undefined
  /** undefined: this sidecar meets no others. */
  readonly challenges?: ChallengesPort | undefined
  /** Absent: nobody asks for them. */
  readonly eras?: ErasPort
  /** Absent: history is not answered. */
  readonly history?: ArchiveRpcModules | undefined
  /** Absent: nothing of it is answered. */
  readonly gateway?: GatewayModules | undefined
  /** Where the files of the page are that `GET /` gives; absent: there is none. */
  readonly explorerFolder?: string
  /** What is needed to import archive files; absent: nobody does. */
  readonly imports?: ImportModules
  /** What requests carry that sign, spend or read a file; undefined: these are refused. */
  readonly token?: string | undefined
}

const BODY_LIMIT_BYTES = 16 * 1024

/**
 * The sidecar's own HTTP API, on loopback: health for supervisors, status and queries for the command line, which
 * cannot open the databases while this process has them. A request that names a data directory is answered for this one
 * alone.
 *
 * - `GET /health` 200 while the process answers
 * - `GET /ready` 200 or 503 with the reasons
 * - `GET /v1/status` JSON
 * - `/v1/peers` ./peers.ts
 * - `/v1/challenges`, `/v1/draws` ./challenges.ts
 * - `/v1/rewards` ./rewards.ts
 * - `/v1/eras` ./eras.ts
 * - `GET /` and `/explorer/` ./explorer.ts
 * - `POST /` ./json-rpc/archive-rpc.ts
 * - blocks, operations, slots, periods, addresses, chunks and the stream of final slots: ./gateway/gateway.ts
 * - `/v1/imports` ./imports.ts
 * - `POST /v1/query` a query of ./queries.ts as JSON; the answer is NDJSON, with a row `{"working":true}` every other
 *   second while there is nothing else to say
 */
export function createApi(modules: ApiModules, options: { readonly heartbeatMs?: number } = {}): FastifyInstance {
  const server = createLimitedServer({ bodyLimit: BODY_LIMIT_BYTES, ...REFUSE_UNREAD })
  server.addHook('onRequest', async (request) => refuseForeignHosts(request.headers.host))
  server.addHook('onRequest', async ({ headers }, reply) => {
    const asked = headers[DATA_DIR_HEADER]
    if (asked === undefined) return
    if (typeof asked !== 'string' || !modules.dataDirNames.has(asked)) {
      throw new ArchiveError('API_DATA_DIR_OTHER', 'this massa-storage has another data directory open')
    }
    reply.header(DATA_DIR_HEADER, asked)
  })
  server.setErrorHandler((error, _request, reply) => {
    const message = error instanceof Error ? error.message : String(error)
    // Found by fastify: a body that is too long, or no JSON.
    if (!isArchiveError(error)) return sendProblem(reply, readStatus(error) ?? 500, 'API_REQUEST_REFUSED', message)
    return reply.code(statusOf(error.code)).send({ error: { code: error.code, message } })
  })
  checkShapes(server)
  refuseUnknownRoutes(server)
  server.get('/health', () => ({ status: 'ok' }))
  server.get('/ready', async (_request, reply) => {
    const { problems } = await modules.status()
    return reply.code(problems.length === 0 ? 200 : 503).send({ ready: problems.length === 0, problems })
  })
  server.get('/v1/status', () => modules.status())
  server.post('/v1/query', (request, reply) => {
    const aborted = new AbortController()
    reply.raw.once('close', () => aborted.abort())
    return sendRows(reply, runQuery(modules.query, request.body, aborted.signal), options.heartbeatMs)
  })
  addPeerRoutes(server, modules.peers)
  addChallengeRoutes(server, modules.challenges, { ...options, token: modules.token })
  addRewardRoutes(server, modules.query, { token: modules.token })
  addGatewayRoutes(server, modules.gateway ?? { history: undefined })
  if (modules.explorerFolder !== undefined) addExplorerPage(server, modules.explorerFolder)
  if (modules.eras) addEraRoutes(server, modules.eras)
  if (modules.history) addArchiveRpc(server, modules.history)
  if (modules.imports) addImportRoutes(server, modules.imports, { ...options, token: modules.token })
  return server
}

const STATUS_OF_CODE: Partial<Record<ErrorCode, number>> = {
  API_AUDIT_UNDER_WAY: 429,
  API_CHAIN_OFF: 409,
  API_CHALLENGES_FULL: 429,
  API_CHUNK_UNCLAIMED: 409,
  API_CHUNK_UNKNOWN: 404,
  API_NAME_AMBIGUOUS: 409,
  API_HISTORY_OFF: 409,
  API_PEER_INVALID: 400,
  API_PEER_UNCONNECTED: 409,
  API_QUERY_INVALID: 400,
  API_DATA_DIR_OTHER: 421,
  API_DATA_DIR_UNNAMED: 400,
  API_HOST_REFUSED: 403,
  API_IMPORT_APART: 409,
  API_RATE_EXCEEDED: 429,
  API_TOKEN_WRONG: 403,
  API_PEERS_OFF: 409,
  CHAIN_BALANCE_SHORT: 409,
  CHAIN_FEE_TOO_HIGH: 409,
  CHAIN_WALLET_LOW: 409,
}

/** What the registry and the chain refuse or fail to do is not said to be a failure of this sidecar. */
function statusOf(code: ErrorCode): number {
  const status = STATUS_OF_CODE[code]
  if (status !== undefined) return status
  if (code.startsWith('REGISTRY_') || code.startsWith('CHAIN_EVIDENCE_')) return 409
  return code.startsWith('CHAIN_') ? 502 : 500
}

function readStatus(error: unknown): number | undefined {
  return (error as { statusCode?: number }).statusCode
}

/**
 * A page in the operator's browser can reach loopback under a name of its own (DNS rebinding): only the names of
 * loopback are answered.
 *
 * @throws ArchiveError API_HOST_REFUSED
 */
function refuseForeignHosts(host: string | undefined): void {
  const name = (host ?? '').replace(/:\d+$/, '')
  if (['127.0.0.1', 'localhost', '[::1]'].includes(name)) return
  throw new ArchiveError('API_HOST_REFUSED', 'this API answers only under the names of loopback')
}

/** `GET /metrics` alone: it may be opened to a Prometheus elsewhere some day, the API may not. */
export function createMetricsServer(metrics: Metrics): FastifyInstance {
  const server = createLimitedServer({})
  server.get('/metrics', async (_request, reply) => {
    const { contentType, text } = await renderMetrics(metrics)
    return reply.type(contentType).send(text)
  })
  return server
}

/** @throws ArchiveError API_BIND_FAILED with the address */
export async function listen(server: FastifyInstance, bind: { host: string; port: number }): Promise<string> {
  try {
    return await server.listen(bind)
  } catch (cause) {
    const address = `${bind.host}:${bind.port}`
    throw new ArchiveError('API_BIND_FAILED', `cannot listen on ${address}`, { address }, cause)
  }
}
