import { JsonRpcError } from './json-rpc-error.ts'
import { JsonText } from './json-text.ts'
import { batchResponseTooBig, isTooLong, responseTooBig } from './limits.ts'
import { ListAnswer } from './list-answer.ts'
import { TypedJson } from './typed-json.ts'

/* Requests and answers of JSON-RPC 2.0, as the node's library reads and writes them. */

const MAX_BATCH = 16
const PARSE_ERROR = { code: -32700, message: 'Parse error' }
const INVALID_REQUEST = { code: -32600, message: 'Invalid request' }

/** JSON text: a u64, a string or null. */
type RequestId = string

const NO_ID: RequestId = 'null'
const U64_LIMIT = 2n ** 64n

export interface RpcCall {
  readonly method: string
  /** JSON text as it came. */
  readonly params: string | undefined
}

/** @returns the result: a ListAnswer, a JsonText or what JSON can say; or throws a JsonRpcError or what `Translate` knows */
export type RunCall = (call: RpcCall) => Promise<unknown>

/** What the error of a call is to a node; `undefined`: a fault of ours, which is no answer. */
export type Translate = (error: unknown) => JsonRpcError | undefined

/** @returns the JSON text of the answer; '' when there is none: to notifications */
export async function answerBody(body: string, run: RunCall, translate?: Translate): Promise<string> {
  if (!isJson(body)) return failure(NO_ID, PARSE_ERROR)
  const json = new TypedJson(body)
  if (json.peek() === '{') return await answerOne(body, { run, translate }, PARSE_ERROR)
  const requests = json.list((item) => item.skip())
  if (requests.length === 0) return failure(NO_ID, INVALID_REQUEST)
  if (requests.length > MAX_BATCH) {
    const data = `Exceeded max limit of ${MAX_BATCH}`
    return failure(NO_ID, { code: -32010, message: 'The batch request was too large', data })
  }
  const answers: string[] = []
  // Both brackets.
  let bytes = 2
  for (const request of requests) {
    const answer = await answerOne(request, { run, translate }, INVALID_REQUEST)
    if (answer === '') continue
    bytes += Buffer.byteLength(answer) + (answers.length === 0 ? 0 : 1)
    // What the others would say is not asked any more.
    if (isTooLong(bytes)) return refuseRequest(batchResponseTooBig())
    answers.push(answer)
  }
  return answers.length === 0 ? '' : `[${answers.join(',')}]`
}

/** The answer to bytes that are no UTF-8. @param body - as far as it can be read */
export function refuseBytes(body: string): string {
  const id = isJson(body) ? readMembers(body).id : undefined
  return id === undefined ? MALFORMED : failure(id, INVALID_REQUEST)
}

/** The answer to what is no JSON-RPC at all. */
export const MALFORMED = failure(NO_ID, PARSE_ERROR)

/** The answer to a request that was not looked into. */
export function refuseRequest(error: JsonRpcError): string {
  return failure(NO_ID, describeError(error))
}

export function failTooLarge(limitBytes: number): string {
  const data = `Exceeded max limit of ${limitBytes}`
  return failure(NO_ID, { code: -32007, message: 'Request is too big', data })
}

interface Answering {
  readonly run: RunCall
  readonly translate: Translate | undefined
}

async function answerOne(text: string, { run, translate }: Answering, nameless: object): Promise<string> {
  const { id, method, params, version } = readMembers(text)
  if (version !== '2.0' || typeof method !== 'string') {
    return id === undefined ? failure(NO_ID, nameless) : failure(id, INVALID_REQUEST)
  }
  // A notification, or one with an id that is none.
  if (id === undefined) return ''
  try {
    const result = await run({ method, params })
    const text = await writeResult(result)
    const answer = `{"jsonrpc":"2.0","id":${id},"result":${text}}`
    if (isTooLong(Buffer.byteLength(answer))) throw responseTooBig()
    return answer
  } catch (error) {
    const known = error instanceof JsonRpcError ? error : translate?.(error)
    if (!known) throw error
    return failure(id, describeError(known))
  }
}

async function writeResult(result: unknown): Promise<string> {
  if (result instanceof JsonText) return result.text
  return result instanceof ListAnswer ? await result.write() : JSON.stringify(result)
}

interface Members {
  readonly id: RequestId | undefined
  readonly method: unknown
  readonly params: string | undefined
  readonly version: unknown
}

function readMembers(text: string): Members {
  const members = new Map<string, string>()
  const doubles = new Set<string>()
  try {
    const json = new TypedJson(text)
    if (json.peek() === '{') {
      json.eachMember((key) => {
        if (members.has(key)) doubles.add(key)
        members.set(key, json.skip())
        return true
      })
    }
  } catch (error) {
    // A key that is no text: of such a request nothing is known.
    if (!(error instanceof JsonRpcError)) throw error
    members.clear()
  }
  // What is there twice is as good as absent: without its id a request is a notification.
  for (const key of doubles) members.delete(key)
  const read = (key: string): unknown => {
    const member = members.get(key)
    return member === undefined ? undefined : JSON.parse(member)
  }
  const params = members.get('params')
  return {
    id: parseId(members.get('id')),
    method: read('method'),
    params: params === 'null' ? undefined : params,
    version: read('jsonrpc'),
  }
}

function parseId(text: string | undefined): RequestId | undefined {
  if (text?.startsWith('"')) return JSON.stringify(JSON.parse(text))
  const isInteger = text !== undefined && /^\d+$/.test(text) && BigInt(text) < U64_LIMIT
  return isInteger || text === 'null' ? text : undefined
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function describeError({ code, message, data }: JsonRpcError): object {
  return data === undefined ? { code, message } : { code, message, data }
}

function failure(id: RequestId, error: object): string {
  return `{"jsonrpc":"2.0","id":${id},"error":${JSON.stringify(error)}}`
}
