/** The HTTP/2 stream under a call, for what grpc-js does not do. */
export interface Http2Stream {
  readonly writable: boolean
  write(bytes: Uint8Array): boolean
  close(code: number): void
  once(event: 'close', listener: () => void): void
}

/** Interceptors are layers around the call that owns the stream. */
export function findHttp2Stream(call: unknown): Http2Stream {
  const layer = call as { readonly call?: unknown; readonly nextCall?: unknown; readonly stream?: Http2Stream }
  if (layer.stream) return layer.stream
  const inner = layer.nextCall ?? layer.call
  if (inner === undefined) throw new Error('the call has no HTTP/2 stream')
  return findHttp2Stream(inner)
}
