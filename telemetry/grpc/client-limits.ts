import { constants } from 'node:http2'
import { ServerInterceptingCall, type ServerInterceptor, status } from '@grpc/grpc-js'
import { findHttp2Stream } from './http2-stream.ts'

/** How long a client may keep a connection or a call without getting on. */
export interface GrpcClientLimits {
  /** Between pings on a connection: who is there answers them, whether he has anything to ask or not. */
  readonly pingMs: number
  /** Without an answer to one he is cut off. */
  readonly pongMs: number
  /** To the end of the request of a call; a conversation has none. */
  readonly requestMs: number
}

/** What stands still for a while is a busy machine; a request of 50 MiB comes in a second. */
export const GRPC_CLIENT_LIMITS: GrpcClientLimits = { pingMs: 10_000, pongMs: 10_000, requestMs: 30_000 }

/** Ends calls whose requests do not come, as a node ends what takes too long. */
export function endSlowRequests(requestMs: number): ServerInterceptor {
  return (method, call) => {
    if (method.requestStream) return new ServerInterceptingCall(call)
    const timer = setTimeout(() => {
      call.sendStatus({ code: status.CANCELLED, details: 'Timeout expired' })
      // Else what still comes is read and thrown away for as long as it comes.
      findHttp2Stream(call).close(constants.NGHTTP2_NO_ERROR)
    }, requestMs)
    const stop = () => clearTimeout(timer)
    return new ServerInterceptingCall(call, {
      start: (next) => {
        next({
          onReceiveHalfClose: (pass) => {
            stop()
            pass()
          },
          onCancel: stop,
        })
      },
    })
  }
}
