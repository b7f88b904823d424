import { status } from '@grpc/grpc-js'
import { type Slot, slotOfIndex, THREAD_COUNT } from '../../core/index.ts'
import type { MessageSink } from '../../telemetry/grpc/public-service.ts'
import { EVERYTHING, type IndexRange } from '../../telemetry/grpc/request-checks.ts'
import { RpcError } from '../../telemetry/grpc/rpc-error.ts'
import type { History } from '../json-rpc/archive-context.ts'

/** Between looks for more: a period is archived every 16 s. */
const LOOK_MS = 1_000

/** What a client follows. */
export interface Wanted {
  /** Without a start `from` is 0. */
  readonly range: IndexRange | undefined
  readonly hasStart: boolean
  /** The message of an archived slot; `undefined`: nothing of it is wanted. Throws RpcError. */
  read(slot: Slot): Promise<Uint8Array | undefined>
}

export interface StreamModules {
  readonly history: Pick<History, 'readRange'>
  /** Takes turns at the disk. */
  readonly run: <T>(work: () => Promise<T>) => Promise<T>
  readonly sleep: (durationMs: number, signal: AbortSignal) => Promise<void>
  /** What a failure ends the stream with. */
  readonly translate: (error: unknown) => RpcError
}

interface Place {
  readonly wanted: Wanted
  /** Absent: the first slot that is not archived yet. */
  index: number | undefined
}

/**
 * Final slots for one client, one after the other and none left out: archived ones from the start of its range, then each as
 * it is archived. One message at a time is in memory; a slow client is waited for.
 */
export class FinalStream {
  private readonly modules: StreamModules
  private readonly sink: MessageSink
  /** Of waiting for more. */
  private nap = new AbortController()
  private place: Place | undefined
  private running: Promise<void> | undefined

  constructor(modules: StreamModules, sink: MessageSink) {
    this.modules = modules
    this.sink = sink
    sink.onClose(() => this.nap.abort())
  }

  /**
   * Goes on from the start of the range. Without one from where it is, or with what is archived next; at the end of one the
   * stream ends.
   */
  follow(wanted: Wanted): void {
    this.place = { wanted, index: wanted.hasStart ? wanted.range?.from : this.place?.index }
    this.nap.abort()
    this.running ??= this.run().finally(() => {
      this.running = undefined
    })
  }

  /** Resolves when nothing of it is under way. */
  async idle(): Promise<void> {
    await this.running
  }

  private async run(): Promise<void> {
    try {
      while (!this.sink.closed && this.place) await this.step(this.place)
    } catch (error) {
      this.sink.end(this.modules.translate(error))
    }
  }

  private async step(place: Place): Promise<void> {
    const { history, run, sleep } = this.modules
    const archived = await history.readRange()
    place.index ??= archived ? (archived.last + 1) * THREAD_COUNT : 0
    const slot = slotOfIndex(place.index)
    if (place.index >= (place.wanted.range ?? EVERYTHING).to) {
      if (this.place === place) this.sink.end()
      return
    }
    if (!archived || slot.period > archived.last) {
      this.nap = new AbortController()
      if (this.place === place && !this.sink.closed) await sleep(LOOK_MS, this.nap.signal)
      return
    }
    if (slot.period < archived.first) {
      const details = `period ${slot.period} is not archived here, the first one is ${archived.first}`
      throw new RpcError(status.OUT_OF_RANGE, details)
    }
    const message = await run(() => place.wanted.read(slot))
    // Other filters may have come meanwhile.
    if (this.place !== place) return
    place.index++
    if (message) await this.sink.send(message)
  }
}
