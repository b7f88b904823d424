import { constants } from 'node:http2'
import {
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status,
} from '@grpc/grpc-js'
import { findHttp2Stream, type Http2Stream } from './http2-stream.ts'
import { RpcError } from './rpc-error.ts'

/** What all clients of a service together may make it hold. A node has no such bounds, and all memory to itself. */
export interface ServiceBounds {
  /** Calls that are open, of all connections. */
  readonly calls: number
  /** Of one request. */
  readonly requestBytes: number
  /** Of unary answers on their way; short ones are not counted. */
  readonly answerBytes: number
  /** In which a client takes up a message; long ones have a second more for each MB. */
  readonly unreadMs: number
}

/** What a thousand of them take is little. */
const SHORT_BYTES = 65_536
const SLOWEST_BYTES_PER_MS = 1_000

/** Refuses calls beyond so many, before anything of them is read. */
export function boundCalls(most: number): ServerInterceptor {
  let openCalls = 0
  return (_method, call) => {
    const stream = findHttp2Stream(call)
    if (openCalls >= most) {
      const details = `${most} calls are open: try again later`
      return new ServerInterceptingCall(call, {
        start: () => refuseCall(call, { code: status.RESOURCE_EXHAUSTED, details }),
      })
    }
    openCalls++
    stream.once('close', () => {
      openCalls--
    })
    return new ServerInterceptingCall(call)
  }
}

/** Ends a call of which nothing was read yet, and takes no more of it. */
export function refuseCall(
  call: ServerInterceptingCallInterface,
  refusal: { readonly code: status; readonly details: string },
): void {
  const stream = findHttp2Stream(call)
  // Node 22 would send the end of the stream before the status, and that never.
  call.sendStatus(refusal)
  setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR))
}

/** Bounds answers that clients have not taken up yet. */
export class AnswerBudget {
  private readonly mostBytes: number
  private heldBytes = 0

  constructor(mostBytes: number) {
    this.mostBytes = mostBytes
  }

  /** Counts an answer until its call is over. @throws RpcError when there is no room for it */
  hold(bytes: number, stream: Http2Stream): void {
    if (bytes <= SHORT_BYTES) return
    if (this.heldBytes + bytes > this.mostBytes) {
      throw new RpcError(status.RESOURCE_EXHAUSTED, 'too much is on its way to clients: try again later')
    }
    this.heldBytes += bytes
    stream.once('close', () => {
      this.heldBytes -= bytes
    })
  }
}

/** Ends a call whose client takes nothing up. @returns to be called when he has the message */
export function endUnread(stream: Http2Stream, bytes: number, unreadMs: number): () => void {
  // What waits for him already would go out before any status.
  const end = () => stream.close(constants.NGHTTP2_CANCEL)
  const timer = setTimeout(end, unreadMs + bytes / SLOWEST_BYTES_PER_MS)
  return () => clearTimeout(timer)
}
