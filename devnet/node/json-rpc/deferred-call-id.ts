import { decodeBase58Check } from '../../../core/index.ts'
import { badRequest } from '../json-rpc-error.ts'

const PREFIX = 'D'
/** Version, thread, index (u64) and trail hash; the period is a varint between them. */
const FIXED_BYTES = 1 + 1 + 8 + 32
const MAX_PERIOD_BYTES = 10

/** @throws JsonRpcError for a text that is no id */
export function checkDeferredCallId(text: string): void {
  if (!text.startsWith(PREFIX)) {
    throw badRequest(`Deserialization error: Invalid prefix for DeferredCallId: ${text}`)
  }
  const body = text.slice(PREFIX.length)
  for (let periodBytes = 1; periodBytes <= MAX_PERIOD_BYTES; periodBytes++) {
    if (isBase58Check(body, FIXED_BYTES + periodBytes)) return
  }
  throw badRequest(`Deserialization error: Invalid base58 string for DeferredCallId: ${body}`)
}

function isBase58Check(text: string, lengthBytes: number): boolean {
  try {
    decodeBase58Check(text, lengthBytes)
    return true
  } catch {
    return false
  }
}
