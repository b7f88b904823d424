import type { FastifyRequest } from 'fastify'
import { DATA_DIR_HEADER } from '../data-dir-header.ts'
import { CHANGING } from './answer.ts'
import type { GatewayScope } from './typed-scope.ts'

/** Some 16,000 answers of a block or an operation. */
const MAX_BYTES = 16 * 1024 * 1024
/** Longer ones are proofs and chunks: few would push out all others. */
const MAX_ANSWER_BYTES = 64 * 1024
/** For what an answer takes beside its text: path, place in the map. */
const ENTRY_BYTES = 256

interface KeptAnswer {
  readonly text: string
  readonly type: string
  /** Of the archive, of which it says what there is. */
  readonly version: number
}

/** Answers as they were sent, by path and query; what was asked for longest ago goes first. */
export class AnswerCache {
  private readonly answers = new Map<string, KeptAnswer>()
  private heldBytes = 0

  get bytes(): number {
    return this.heldBytes
  }

  find(url: string, version: number): KeptAnswer | undefined {
    const kept = this.answers.get(url)
    if (!kept) return undefined
    this.answers.delete(url)
    if (kept.version !== version) {
      this.heldBytes -= sizeOf(url, kept)
      return undefined
    }
    this.answers.set(url, kept)
    return kept
  }

  keep(url: string, answer: KeptAnswer): void {
    if (answer.text.length > MAX_ANSWER_BYTES) return
    this.drop(url)
    this.answers.set(url, answer)
    this.heldBytes += sizeOf(url, answer)
    for (const oldest of this.answers.keys()) {
      if (this.heldBytes <= MAX_BYTES) return
      this.drop(oldest)
    }
  }

  private drop(url: string): void {
    const kept = this.answers.get(url)
    if (!kept) return
    this.answers.delete(url)
    this.heldBytes -= sizeOf(url, kept)
  }
}

/**
 * Answers of a scope are given again without looking into the archive, as long as no period came or went: what was deleted is not
 * answered for.
 *
 * @param version - another number whenever one did
 */
export function keepAnswers(scope: GatewayScope, version: () => number): void {
  const cache = new AnswerCache()
  const versions = new WeakMap<FastifyRequest, number>()
  scope.addHook('onRequest', async (request, reply) => {
    const { url } = request
    // Of before the work: what comes meanwhile may be missing in the answer.
    versions.set(request, version())
    const kept = isForAll(request) ? cache.find(url, version()) : undefined
    if (kept) return reply.header('cache-control', CHANGING).type(kept.type).send(kept.text)
  })
  scope.addHook('onSend', async (request, reply, payload) => {
    if (!isForAll(request) || reply.statusCode !== 200 || typeof payload !== 'string') return
    const version = versions.get(request)
    if (version === undefined || reply.getHeader('cache-control') !== CHANGING) return
    cache.keep(request.url, { text: payload, type: String(reply.getHeader('content-type')), version })
  })
}

/** Who runs the sidecar may be told more under the same address than others. */
function isForAll({ method, headers }: FastifyRequest): boolean {
  return method === 'GET' && headers[DATA_DIR_HEADER] === undefined
}

function sizeOf(url: string, { text }: KeptAnswer): number {
  return url.length + text.length + ENTRY_BYTES
}
