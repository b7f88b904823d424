import { ArchiveError } from '../core/index.ts'
import { Patience, type StartTimer } from '../telemetry/patience.ts'

/** As a node's own limit of an answer. */
const MAX_ANSWER_BYTES = 52_428_800

export interface TransportOptions {
  readonly url: string
  readonly timeoutMs: number
  readonly startTimer?: StartTimer
}

/** One request to a node's JSON-RPC; `params` is the single parameter that all methods have. */
export type Transport = (method: string, params: unknown) => Promise<unknown>

let lastId = 0

/**
 * JSON-RPC over HTTP with a deadline and a bound on the answer, neither of which massa-web3's own client has.
 *
 * Throws ArchiveError CHAIN_NODE_UNREACHABLE, CHAIN_NODE_REFUSED (the node's code and text in the context),
 * CHAIN_ANSWER_INVALID
 */
export function createTransport(options: TransportOptions): Transport {
  return async (method, params) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: ++lastId, method, params: [params] })
    const { status, text } = await post(options, body)
    return readResult(text, { method, status, url: options.url })
  }
}

async function post(
  { url, timeoutMs, startTimer }: TransportOptions,
  body: string,
): Promise<{ status: number; text: string }> {
  const patience = new Patience(undefined, startTimer)
  try {
    const headers = { 'content-type': 'application/json' }
    return await patience.wait(timeoutMs, async () => {
      const { signal } = patience
      const response = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'error' })
      return { status: response.status, text: await readBounded(patience.read(response)) }
    })
  } catch (cause) {
    if (cause instanceof ArchiveError) throw cause
    const reason = patience.isOver ? `no answer within ${timeoutMs} ms` : reasonOf(cause)
    throw new ArchiveError(
      'CHAIN_NODE_UNREACHABLE',
      `the massa-node at ${url} does not answer: ${reason}`,
      { url, reason },
      cause,
    )
  }
}

async function readBounded(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let sizeBytes = 0
  for await (const chunk of body) {
    sizeBytes += chunk.length
    if (sizeBytes > MAX_ANSWER_BYTES) throw new ArchiveError('CHAIN_ANSWER_INVALID', 'an answer of more than 50 MB')
    text += decoder.decode(chunk, { stream: true })
  }
  return text
}

function reasonOf(cause: unknown): string {
  const inner = cause instanceof Error ? cause.cause : undefined
  const code = (inner as NodeJS.ErrnoException | undefined)?.code
  return code ?? (cause instanceof Error ? cause.message : String(cause))
}

function readResult(text: string, context: { method: string; status: number; url: string }): unknown {
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch (cause) {
    throw new ArchiveError(
      'CHAIN_ANSWER_INVALID',
      `the massa-node at ${context.url} does not answer with JSON`,
      context,
      cause,
    )
  }
  const { error, result } = (typeof answer === 'object' && answer !== null ? answer : {}) as Record<string, unknown>
  if (error !== undefined && error !== null) {
    const { code, message, data } = error as { code?: unknown; message?: unknown; data?: unknown }
    const words = [message, data].filter((part) => typeof part === 'string').join(': ')
    throw new ArchiveError('CHAIN_NODE_REFUSED', `the massa-node refused ${context.method}: ${words.slice(0, 500)}`, {
      method: context.method,
      nodeCode: typeof code === 'number' ? code : undefined,
      text: words.slice(0, 500),
    })
  }
  if (result === undefined) {
    throw new ArchiveError('CHAIN_ANSWER_INVALID', `the massa-node gave no result for ${context.method}`, context)
  }
  return result
}
