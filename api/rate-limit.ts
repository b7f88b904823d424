import type { FastifyInstance } from 'fastify'
import { ArchiveError, type Clock, TokenBucket } from '../core/index.ts'
import { isOwner, nameCaller } from './caller.ts'

/** A page of an explorer asks for some dozens of things at once. */
const BURST_SECONDS = 10
/** Callers that are remembered, some 200 bytes each; who was heard of longest ago begins anew. */
const MAX_CALLERS = 10_000

export interface RateLimitOptions {
  /** Of one caller; what takes much work counts several times. At least 1. */
  readonly requestsPerSecond: number
}

/** How often each caller may ask. */
export class RateLimit {
  private readonly options: RateLimitOptions
  private readonly clock: Clock
  private readonly callers = new Map<string, TokenBucket>()

  constructor(options: RateLimitOptions, clock: Clock) {
    this.options = options
    this.clock = clock
  }

  /** @throws ArchiveError API_RATE_EXCEEDED with `retryAfterS` */
  take(caller: string, cost: number): void {
    const { requestsPerSecond } = this.options
    const burst = requestsPerSecond * BURST_SECONDS
    const bucket = this.callers.get(caller) ?? new TokenBucket({ perSecond: requestsPerSecond, burst }, this.clock)
    this.callers.delete(caller)
    this.callers.set(caller, bucket)
    const [oldest] = this.callers.keys()
    if (this.callers.size > MAX_CALLERS && oldest !== undefined) this.callers.delete(oldest)
    if (bucket.take(Math.min(cost, burst))) return
    const message = `${caller} asked more than ${requestsPerSecond} times a second`
    throw new ArchiveError('API_RATE_EXCEEDED', message, { retryAfterS: Math.ceil(cost / requestsPerSecond) })
  }
}

/** Holds the routes of a scope to it, but for who runs this sidecar. Before the other hooks of the scope. */
export function limitRates(
  scope: FastifyInstance,
  limit: RateLimit,
  costOf: (request: { readonly url: string; readonly route: string }) => number = () => 1,
): void {
  scope.addHook('onRequest', async ({ headers, ip, url, routeOptions }) => {
    if (!isOwner(headers)) limit.take(nameCaller(headers, ip), costOf({ url, route: routeOptions.url ?? '' }))
  })
}
