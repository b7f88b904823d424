import { createHash } from 'node:crypto'
import { CHANGING } from './answer.ts'
import { hasTag } from './send-bytes.ts'
import type { GatewayScope } from './typed-scope.ts'

/**
 * Names each JSON answer of a scope by what it says (`ETag`), and sends nothing to who has it (`If-None-Match`; RFC 9110, 13).
 * Behind what keeps answers: that one has to see them whole.
 */
export function tagAnswers(scope: GatewayScope): void {
  scope.addHook('onSend', async ({ method, headers }, reply, payload) => {
    if (method !== 'GET' || reply.statusCode !== 200 || typeof payload !== 'string') return undefined
    if (reply.getHeader('cache-control') !== CHANGING) return undefined
    const etag = `"${createHash('sha256').update(payload).digest('hex').slice(0, 32)}"`
    reply.header('etag', etag)
    if (!hasTag(headers['if-none-match'], etag)) return undefined
    reply.code(304).removeHeader('content-length')
    return null
  })
}
