import type { FastifyInstance } from 'fastify'
import * as z from 'zod'
import { ArchiveError } from '../core/index.ts'

/** The peers of a running sidecar, as far as its operator may see and ban them. */
export interface PeersPort {
  report(): object
  /**
   * In force at once; resolves when it would outlive a restart.
   *
   * @returns until when, ms since 1970
   * @throws ArchiveError API_PEER_INVALID for what is no PeerId, or the own one; of the store
   */
  ban(peer: string, durationMs: number): Promise<number>
  /** @returns false when it was not banned @throws ArchiveError of the store */
  unban(peer: string): Promise<boolean>
}

const MAX_PEER_CHARACTERS = 128
/** A year: for ever is what the operator says again. */
const MAX_BAN_MS = 31_536_000_000

const peer = z.string().min(1).max(MAX_PEER_CHARACTERS)
const banRequest = z.strictObject({ peer, durationMs: z.int().min(1_000).max(MAX_BAN_MS) })
const unbanRequest = z.strictObject({ peer })

/**
 * - `GET /v1/peers` whom this sidecar knows, and who is banned
 * - `POST /v1/peers/ban` `{peer, durationMs}`, `POST /v1/peers/unban` `{peer}`
 *
 * @param peers - undefined where `p2p.enabled` is false: all answer API_PEERS_OFF
 */
export function addPeerRoutes(server: FastifyInstance, peers: PeersPort | undefined): void {
  const port = (): PeersPort => {
    if (peers) return peers
    throw new ArchiveError('API_PEERS_OFF', 'this sidecar meets no others: p2p.enabled is false')
  }
  server.get('/v1/peers', () => port().report())
  server.post('/v1/peers/ban', async (request) => {
    const { peer, durationMs } = parse(banRequest, request.body)
    return { peer, untilMs: await port().ban(peer, durationMs) }
  })
  server.post('/v1/peers/unban', async (request) => {
    const { peer } = parse(unbanRequest, request.body)
    return { peer, wasBanned: await port().unban(peer) }
  })
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body)
  if (result.success) return result.data
  throw new ArchiveError('API_QUERY_INVALID', `the request is not of the expected shape: ${result.error.message}`)
}
