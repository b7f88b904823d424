import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isArchiveError } from '../../core/index.ts'
import {
  acceptJsonRpc,
  answerPost,
  describeMethods,
  JsonRpcError,
  plainMethod,
  type RpcCall,
  refuseRequest,
  type Translate,
} from '../../telemetry/json-rpc/index.ts'
import { allowOrigins } from '../cross-origin.ts'
import { limitRates, type RateLimit } from '../rate-limit.ts'
import type { ArchiveContext, ArchiveIdentity, ArchiveMethod, History } from './archive-context.ts'
import { BLOCK_METHODS } from './block-methods.ts'
import { CallGate, serverBusy } from './call-gate.ts'
import { EVENT_METHODS } from './event-methods.ts'
import { boundMessages } from './message-budget.ts'
import { type NodePort, PROXIED_METHODS } from './node-proxy.ts'
import { OPERATION_METHODS } from './operation-methods.ts'
import { RecentHistory } from './recent-counts.ts'
import { STATUS_METHODS } from './status-methods.ts'

export interface ArchiveRpcModules {
  readonly history: History
  readonly identity: ArchiveIdentity
  readonly nowMs: () => number
  readonly node?: NodePort | undefined
  /** Absent: anybody may ask as often as he likes. */
  readonly rates?: RateLimit | undefined
  /** Whose pages may ask; absent: none but our own. */
  readonly allowedOrigins?: readonly string[] | undefined
}

/** Each may have a period of 10 MB in memory, and an answer. */
const CALLS = { running: 4, waiting: 256 }
/** At the node, beside them: it may take 30 s for an answer. */
const NODE_CALLS = { running: 16, waiting: 256 }
const MESSAGE_BYTES = 256 * 1024 * 1024

/** A node answers at any path; these are those that addresses of nodes have. */
const PATHS = ['/', '/rpc', '/api/v2'] as const

const METHODS: readonly ArchiveMethod[] = [
  ...STATUS_METHODS,
  ...BLOCK_METHODS,
  ...OPERATION_METHODS,
  ...EVENT_METHODS,
  plainMethod('rpc.discover', ({ identity }) =>
    describeMethods(METHODS, { title: 'Massa archive', version: identity.version }),
  ),
]
const METHOD_OF_NAME = new Map(METHODS.map((method) => [method.name, method]))

/** What this is, to who asks for something else. */
const NO_METHOD = `Method not found: this is an archive of final history, which answers ${[...METHOD_OF_NAME.keys()].join(', ')}`

/**
 * `POST /`, `/rpc` and `/api/v2`: final history in the JSON-RPC of a massa-node: its envelopes, batches, shapes, limits and texts
 * (docs/ARCHIVE_JSON_RPC.md).
 */
export function addArchiveRpc(server: FastifyInstance, modules: ArchiveRpcModules): void {
  const gates = { history: new CallGate(CALLS), node: new CallGate(NODE_CALLS) }
  const recent = new RecentHistory(modules.history)
  const node = modules.node && waitAside(modules.node, gates)
  server.register(async (scope) => {
    allowOrigins(scope, modules.allowedOrigins ?? [])
    if (modules.rates) limitRates(scope, modules.rates)
    acceptJsonRpc(scope)
    boundMessages(scope, MESSAGE_BYTES, { type: 'application/json; charset=utf-8', text: refuseRequest(serverBusy()) })
    // As at a node: keys of a provider stand there.
    const options = { config: { ignoresQuery: true } }
    const answer = (request: FastifyRequest, reply: FastifyReply) => {
      const gone = new AbortController()
      reply.raw.once('close', () => gone.abort())
      const context: ArchiveContext = { ...modules, node, recent, signal: gone.signal }
      return answerPost(request, reply, { run: (call) => runCall(context, gates, call), translate })
    }
    for (const path of PATHS) scope.post(path, options, answer)
  })
}

interface Gates {
  readonly history: CallGate
  readonly node: CallGate
}

/** Who asks for history, and for what is not archived the node, holds up nobody who asks for history. */
function waitAside(node: NodePort, gates: Gates): NodePort {
  return {
    call: (...asked) => gates.history.lend(() => gates.node.run(() => node.call(...asked))),
    list: (...asked) => gates.history.lend(() => gates.node.run(() => node.list(...asked))),
    pass: (...asked) => gates.node.run(() => node.pass(...asked)),
  }
}

async function runCall(context: ArchiveContext, gates: Gates, { method, params }: RpcCall): Promise<unknown> {
  const { node, signal } = context
  const found = METHOD_OF_NAME.get(method)
  if (!found && node && PROXIED_METHODS.has(method)) return node.pass({ method, params }, signal)
  if (!found) throw new JsonRpcError(-32601, NO_METHOD)
  return gates.history.run(async () => {
    signal.throwIfAborted()
    return found.run(context, params)
  })
}

/** What is on disk and cannot be read is no fault of who asks; where it is, is for the operator. */
const translate: Translate = (error) =>
  isArchiveError(error) ? new JsonRpcError(-32001, `Internal server error: ${error.code}`) : undefined
