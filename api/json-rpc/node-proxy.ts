import { isUtf8 } from 'node:buffer'
import { JsonRpcError, JsonText, MAX_ANSWER_BYTES, type RpcCall, TypedJson } from '../../telemetry/json-rpc/index.ts'
import { Patience, type StartTimer } from '../../telemetry/patience.ts'

/** What a node answers on its public port and no archive does; nothing of its private port is passed on. */
export const PROXIED_METHODS: ReadonlySet<string> = new Set([
  'execute_read_only_bytecode',
  'execute_read_only_call',
  'get_addresses',
  'get_addresses_bytecode',
  'get_addresses_datastore_keys',
  'get_cliques',
  'get_datastore_entries',
  'get_deferred_call_ids_by_slot',
  'get_deferred_call_info',
  'get_deferred_call_quote',
  'get_slots_transfers',
  'get_stakers',
  'send_operations',
])

/** Longer than a read-only call takes on a busy node. */
const TIMEOUT_MS = 30_000

/** What is asked of a node. */
export type NodePort = Pick<NodeProxy, 'call' | 'list' | 'pass'>

/** A node's public JSON-RPC, asked in the place of who asks us. */
export class NodeProxy {
  private readonly url: string
  private readonly timeoutMs: number
  private readonly startTimer: StartTimer | undefined

  constructor(options: { readonly url: string; readonly timeoutMs?: number; readonly startTimer?: StartTimer }) {
    this.url = options.url
    this.timeoutMs = options.timeoutMs ?? TIMEOUT_MS
    this.startTimer = options.startTimer
  }

  /** @throws JsonRpcError the node's own; or that it did not answer, in time or at all */
  call(method: string, params: readonly unknown[], signal: AbortSignal): Promise<JsonText> {
    return this.pass({ method, params: JSON.stringify(params) }, signal)
  }

  /** As `call`, of what answers with a list. @returns JSON of each item */
  async list(method: string, params: readonly unknown[], signal: AbortSignal): Promise<string[]> {
    const json = new TypedJson((await this.call(method, params, signal)).text)
    if (json.peek() !== '[') throw failed('it answered with no list')
    return json.list((item) => item.skip())
  }

  /** As `call`, with the parameters as they came. */
  async pass({ method, params }: RpcCall, signal: AbortSignal): Promise<JsonText> {
    const parameters = params === undefined ? '' : `,"params":${params}`
    return readAnswer(
      await this.post(`{"jsonrpc":"2.0","id":1,"method":${JSON.stringify(method)}${parameters}}`, signal),
    )
  }

  private async post(body: string, signal: AbortSignal): Promise<string> {
    const patience = new Patience(signal, this.startTimer)
    const headers = { 'content-type': 'application/json' }
    try {
      return await patience.wait(this.timeoutMs, async () => {
        const answer = await fetch(this.url, {
          method: 'POST',
          headers,
          body,
          redirect: 'error',
          signal: patience.signal,
        })
        return readText(patience.read(answer))
      })
    } catch (error) {
      if (error instanceof JsonRpcError) throw error
      signal.throwIfAborted()
      throw failed('it does not answer')
    }
  }
}

/** @throws JsonRpcError when it is longer than an answer may be */
async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > MAX_ANSWER_BYTES) throw failed('its answer is too long')
    chunks.push(chunk)
  }
  const whole = Buffer.concat(chunks)
  if (!isUtf8(whole)) throw failed('its answer is no text')
  return whole.toString()
}

/** Numbers keep all their digits: the result is passed on as it stands. */
function readAnswer(text: string): JsonText {
  const parsed = parseObject(text)
  if (!parsed) throw failed('its answer is no JSON-RPC')
  const error = parsed.error as
    | { readonly code?: unknown; readonly message?: unknown; readonly data?: unknown }
    | undefined
  if (typeof error?.code === 'number' && typeof error.message === 'string') {
    throw new JsonRpcError(error.code, error.message, typeof error.data === 'string' ? error.data : undefined)
  }
  let result: string | undefined
  const json = new TypedJson(text)
  json.peek()
  json.eachMember((key) => {
    if (key !== 'result') return false
    result = json.skip()
    return true
  })
  if (result === undefined) throw failed('its answer is no JSON-RPC')
  return new JsonText(result)
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : undefined
  } catch {
    return undefined
  }
}

function failed(why: string): JsonRpcError {
  return new JsonRpcError(-32001, `Internal server error: the node of this archive was asked, and ${why}`)
}
