import { ArchiveError } from '../../core/index.ts'
import { never } from './node-clock.ts'
import type { SimTimer } from './scheduler.ts'
import type { Connection, SimNetwork } from './sim-network.ts'
import type { SimPeer } from './sim-peer.ts'

/** What may be under way unread in one direction, as the window of a stream. */
const WINDOW_BYTES = 4 * 1_048_576

export interface StreamBounds {
  readonly maxFrameBytes: number
  readonly maxWaitingBytes: number
}

/** One end of a stream between two simulated nodes: does what FramedStream does over libp2p. */
export class SimStream {
  readonly closed: Promise<void>
  /** Whose end this is. */
  readonly owner: SimPeer
  private readonly network: SimNetwork
  private readonly connection: Connection
  private readonly bounds: StreamBounds
  private other: SimStream | undefined
  private readonly inbox: Uint8Array[] = []
  private unreadBytes = 0
  private isEnded = false
  private failure: unknown
  private arrivesAtMs = 0
  /** Of whoever waits here: called when something has changed. */
  private readonly looks = new Set<() => void>()
  private resolveClosed: () => void = () => undefined

  private constructor(
    options: { readonly owner: SimPeer; readonly bounds: StreamBounds },
    modules: { readonly network: SimNetwork; readonly connection: Connection },
  ) {
    this.owner = options.owner
    this.bounds = options.bounds
    this.network = modules.network
    this.connection = modules.connection
    this.closed = new Promise((resolve) => {
      this.resolveClosed = resolve
    })
    this.connection.streams.add(this)
  }

  /** Both ends of a new one: of who opens it, and of the other. */
  static open(
    options: { readonly opener: SimPeer; readonly bounds: StreamBounds; readonly otherBounds: StreamBounds },
    modules: { readonly network: SimNetwork; readonly connection: Connection },
  ): readonly [SimStream, SimStream] {
    const { opener, bounds, otherBounds } = options
    const near = new SimStream({ owner: opener, bounds }, modules)
    const far = new SimStream({ owner: modules.connection.otherThan(opener), bounds: otherBounds }, modules)
    near.other = far
    far.other = near
    return [near, far]
  }

  get isOpen(): boolean {
    return this.failure === undefined && !this.isEnded
  }

  async read(deadlineMs: number): Promise<Uint8Array | undefined> {
    await this.wait(deadlineMs, 'no whole message came', () => this.inbox.length > 0 || this.isEnded)
    const frame = this.inbox.shift()
    if (!frame) return undefined
    this.unreadBytes -= frame.length
    this.other?.wake()
    if (frame.length <= this.bounds.maxFrameBytes) return frame
    const error = new ArchiveError('PROTOCOL_MESSAGE_INVALID', `a message of ${frame.length} bytes`)
    this.abort(error)
    throw error
  }

  async write(frame: Uint8Array, deadlineMs: number): Promise<void> {
    const { other } = this
    if (this.owner.isOver) await never()
    if (!other || this.failure !== undefined) throw unreachable(this.failure)
    other.unreadBytes += frame.length
    this.send(() => other.take(frame))
    await this.wait(deadlineMs, 'the peer takes no message', () => other.unreadBytes <= WINDOW_BYTES)
  }

  async close(_deadlineMs: number): Promise<void> {
    const { other } = this
    this.send(() => other?.end())
    this.end()
  }

  abort(reason: unknown): void {
    if (this.failure !== undefined) return
    this.failure = reason
    this.finish()
    const { other } = this
    this.send(() => other?.abort(unreachable(reason)))
  }

  /** In their order, whatever each takes; nothing comes through a cut or a connection that is gone. */
  private send(arrive: () => void): void {
    const { scheduler } = this.network
    this.arrivesAtMs = Math.max(this.arrivesAtMs, scheduler.nowMs + this.network.drawDelayMs(true))
    scheduler.after(this.arrivesAtMs - scheduler.nowMs, () => {
      if (this.connection.isOpen && !this.network.isCut(...this.connection.ends)) arrive()
    })
  }

  private take(frame: Uint8Array): void {
    if (this.failure !== undefined || this.owner.isOver) return
    this.inbox.push(frame)
    this.network.scheduler.trace(`frame ${this.owner.name} ${frame.length}`)
    const waitingBytes = this.inbox.reduce((sum, { length }) => sum + length, 0)
    if (waitingBytes > this.bounds.maxWaitingBytes + frame.length) {
      this.abort(new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'too much waits unread'))
    }
    this.wake()
  }

  private end(): void {
    this.isEnded = true
    this.finish()
  }

  private finish(): void {
    this.connection.streams.delete(this)
    this.resolveClosed()
    this.wake()
  }

  private wake(): void {
    for (const look of [...this.looks]) look()
  }

  private async wait(deadlineMs: number, what: string, isThere: () => boolean): Promise<void> {
    if (this.failure === undefined && isThere()) return
    let timer: SimTimer | undefined
    let look = (): void => undefined
    try {
      await new Promise<void>((resolve, reject) => {
        look = () => {
          if (this.owner.isOver) return
          if (this.failure !== undefined) reject(unreachable(this.failure))
          else if (isThere()) resolve()
        }
        this.looks.add(look)
        timer = this.network.scheduler.after(deadlineMs, () => this.abort(new Error(`${what} in ${deadlineMs} ms`)))
        look()
      })
    } finally {
      this.looks.delete(look)
      if (timer) timer.isCancelled = true
    }
  }
}

function unreachable(reason: unknown): ArchiveError {
  if (reason instanceof ArchiveError) return reason
  return new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'the stream was reset', {}, reason)
}
