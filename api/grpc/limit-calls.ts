import { ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js'
import { isArchiveError } from '../../core/index.ts'
import { refuseCall } from '../../telemetry/grpc/service-bounds.ts'
import { nameCaller } from '../caller.ts'
import type { RateLimit } from '../rate-limit.ts'

/** Holds calls to the rate of who makes them, before anything of them is read; a stream counts once, however long it is. */
export function limitCalls(rates: RateLimit): ServerInterceptor {
  return (_method, call) =>
    new ServerInterceptingCall(call, {
      start: (next) => {
        next({
          onReceiveMetadata: (metadata, pass) => {
            const forwarded = metadata.get('x-forwarded-for').join(',')
            // Of `address:port`, where the address may have colons of its own.
            const address = call.getPeer().replace(/:\d+$/, '')
            try {
              rates.take(nameCaller({ 'x-forwarded-for': forwarded }, address), 1)
            } catch (error) {
              if (!isArchiveError(error, 'API_RATE_EXCEEDED')) throw error
              const details = `${error.message}: again in ${error.context.retryAfterS} s`
              refuseCall(call, { code: status.RESOURCE_EXHAUSTED, details })
              return
            }
            pass(metadata)
          },
        })
      },
    })
}
