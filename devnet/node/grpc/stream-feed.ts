import type { MessageSink } from '../../../telemetry/grpc/public-service.ts'
import type { RpcError } from '../../../telemetry/grpc/rpc-error.ts'
import type { BroadcastRing } from './broadcast-ring.ts'

/** The message for a client; undefined when its filters let nothing through. */
export type Selector<T> = (item: T) => Uint8Array | undefined

/** One kind of stream. */
export interface StreamFeed {
  /** Begins to listen for a client; nothing is sent before the first filters are set. */
  open(sink: MessageSink): OpenFeed
}

export interface OpenFeed {
  /** In place of those before. @throws RpcError */
  setFilters(request: Uint8Array): void
}

export interface FeedRules<T> {
  readonly ring: BroadcastRing<T>
  /** Throws RpcError. */
  select(request: Uint8Array): Selector<T>
  /** What a stream ends with that lost items; without it they are left out and nobody is told. */
  lossError?(lost: number): RpcError
}

/** Sends what a ring holds to a client one message at a time, so that a slow one costs no memory but the ring. */
export function createFeed<T>(rules: FeedRules<T>): StreamFeed {
  return {
    open: (sink) => {
      let select: Selector<T> | undefined
      let isRunning = false
      const run = async () => {
        if (isRunning || !select) return
        isRunning = true
        for (let next = reader.take(); next && !sink.closed; next = reader.take()) {
          if ('lost' in next) {
            const error = rules.lossError?.(next.lost)
            if (error) sink.end(error)
            continue
          }
          const message = select(next.message)
          if (message) await sink.send(message)
        }
        isRunning = false
      }
      const reader = rules.ring.open(() => queueMicrotask(() => void run()))
      sink.onClose(() => reader.close())
      return {
        setFilters: (request) => {
          select = rules.select(request)
          void run()
        },
      }
    },
  }
}
