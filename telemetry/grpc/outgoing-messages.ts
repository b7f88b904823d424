import { Metadata, type ServerDuplexStream, type ServerWritableStream } from '@grpc/grpc-js'
import { findHttp2Stream } from './http2-stream.ts'
import type { MessageSink } from './public-service.ts'
import type { RpcError } from './rpc-error.ts'
import { endUnread } from './service-bounds.ts'

/** Under way to one client: a few quiet blocks, so that a fast one need not be waited for. */
const WINDOW_BYTES = 256 * 1024
/** Of a message in memory, beside its bytes. */
const MESSAGE_OVERHEAD_BYTES = 256
const CLOSING_EVENTS = ['cancelled', 'close'] as const

/** The server's side of a stream of messages to a client. */
export class OutgoingMessages implements MessageSink {
  private readonly call: ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>
  private readonly unreadMs: number | undefined
  private readonly closeListeners: (() => void)[] = []
  private ended = false
  private pendingBytes = 0
  /** Lets go who waits for room. */
  private release: () => void = () => {}
  private unwatch: () => void = () => {}

  /** @param unreadMs - in which a client takes up a message; absent: any time */
  constructor(call: ServerWritableStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>, unreadMs?: number) {
    this.call = call
    this.unreadMs = unreadMs
    for (const event of CLOSING_EVENTS) call.once(event, () => this.close())
    // A client that breaks off while it sends is no error of ours.
    call.on('error', () => this.close())
  }

  get closed(): boolean {
    return this.ended || this.call.cancelled || this.call.destroyed
  }

  sendHeaders(): void {
    this.call.sendMetadata(new Metadata())
  }

  write(message: Uint8Array): boolean {
    if (this.closed) return true
    return this.call.write(asBuffer(message))
  }

  async send(message: Uint8Array): Promise<void> {
    if (this.closed) return
    const bytes = message.length + MESSAGE_OVERHEAD_BYTES
    this.pendingBytes += bytes
    if (this.pendingBytes === bytes) this.watch()
    this.call.write(asBuffer(message), () => {
      this.pendingBytes -= bytes
      this.watch()
      if (this.pendingBytes < WINDOW_BYTES) this.release()
    })
    if (this.pendingBytes < WINDOW_BYTES) return
    await new Promise<void>((resolve) => {
      this.release = resolve
    })
  }

  async drained(): Promise<void> {
    // The stream itself knows: it may have drained while nobody listened, and says so only once.
    if (this.closed || !this.call.writableNeedDrain) return
    const events = ['drain', ...CLOSING_EVENTS] as const
    await new Promise<void>((resolve) => {
      const done = () => {
        for (const event of events) this.call.removeListener(event, done)
        resolve()
      }
      for (const event of events) this.call.on(event, done)
    })
  }

  onClose(listener: () => void): void {
    if (this.closed) listener()
    else this.closeListeners.push(listener)
  }

  end(error?: RpcError): void {
    if (this.closed) return
    const { call } = this
    this.close()
    if (error) call.emit('error', { code: error.code, details: error.details })
    else call.end()
  }

  /** From each message that is taken up to the next. */
  private watch(): void {
    this.unwatch()
    if (this.unreadMs === undefined || this.pendingBytes === 0 || this.ended) return
    this.unwatch = endUnread(findHttp2Stream(this.call), this.pendingBytes, this.unreadMs)
  }

  private close(): void {
    this.ended = true
    this.unwatch()
    this.release()
    for (const listener of this.closeListeners.splice(0)) listener()
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
