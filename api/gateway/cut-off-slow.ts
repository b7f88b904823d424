import type { FastifyReply } from 'fastify'

/** In which a piece of a stream, 1 MiB at most, is taken up. */
export const PIECE_MS = 60_000

/**
 * Gives the pieces of an answer on, and cuts off who does not take one up in time: he keeps a place that others wait for. That he
 * sends something meanwhile, as who pretends to be there does, changes nothing.
 */
export async function* cutOffSlow<T extends Uint8Array | string>(
  pieces: AsyncIterable<T>,
  { raw }: FastifyReply,
  pieceMs: number,
): AsyncGenerator<T> {
  for await (const piece of pieces) {
    const timer = setTimeout(() => raw.destroy(), pieceMs)
    try {
      yield piece
    } finally {
      clearTimeout(timer)
    }
  }
}
