import { decodeBase58Check } from '../../core/index.ts'

const PREFIX = 'D'
/** Version, thread, index (u64) and trail hash; the period is a varint between them. */
const FIXED_BYTES = 1 + 1 + 8 + 32
const MAX_PERIOD_BYTES = 10

/** What a massa-node says of a text that is no id of a deferred call; undefined for one. */
export function findDeferredCallIdFault(text: string): string | undefined {
  if (!text.startsWith(PREFIX)) {
    return `Deserialization error: Invalid prefix for DeferredCallId: ${text}`
  }
  const body = text.slice(PREFIX.length)
  for (let periodBytes = 1; periodBytes <= MAX_PERIOD_BYTES; periodBytes++) {
    if (isBase58Check(body, FIXED_BYTES + periodBytes)) return undefined
  }
  return `Deserialization error: Invalid base58 string for DeferredCallId: ${body}`
}

function isBase58Check(text: string, lengthBytes: number): boolean {
  try {
    decodeBase58Check(text, lengthBytes)
    return true
  } catch {
    return false
  }
}
