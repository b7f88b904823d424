import { timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { ArchiveError } from '../core/index.ts'
import { TOKEN_HEADER } from './token-header.ts'

/**
 * Refuses who cannot read the data directory of this sidecar.
 *
 * @param token - undefined: none is good enough
 * @throws ArchiveError API_TOKEN_WRONG
 */
export function checkToken(request: FastifyRequest, token: string | undefined): void {
  const given = request.headers[TOKEN_HEADER]
  if (token !== undefined && typeof given === 'string') {
    const [ours, theirs] = [Buffer.from(token), Buffer.from(given)]
    if (ours.length === theirs.length && timingSafeEqual(ours, theirs)) return
  }
  throw new ArchiveError(
    'API_TOKEN_WRONG',
    `this needs the token of api.token in the data directory as ${TOKEN_HEADER}`,
  )
}
