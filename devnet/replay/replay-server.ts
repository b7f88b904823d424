import { setImmediate, setTimeout } from 'node:timers/promises'
import {
  EXECUTION_STATUS_FINAL,
  fromU64,
  NewSlotExecutionOutputsRequestCodec,
  type Period,
  SearchBlocksRequestCodec,
  type Slot,
  slotOfIndex,
  THREAD_COUNT,
} from '../../core/index.ts'
import type { PublicServiceServer, Subscriber } from '../../telemetry/grpc/public-service.ts'
import type { StreamRpc, UnaryRpc } from '../../telemetry/grpc/rpc-names.ts'
import { startDevnetService } from '../grpc/devnet-service.ts'
import { computeWholePeriods, type WholePeriods } from './head.ts'
import { answerUnaryCall } from './node-answers.ts'
import { ReplayState } from './replay-state.ts'
import type { Recording } from './timeline.ts'

/** A fast replay waits for a consumer that is further behind: two thirds of what a node remembers. */
const DEFAULT_LAG_PERIODS = 4
/** A consumer that makes no progress for so long has nothing more to gain from waiting (it sees a gap): one period more. */
const DEFAULT_STALL_MS = 3000
/** How often a fast replay looks where the consumer is, and a timed one what is due. */
const LOOK_INTERVAL_MS = 10
/** Moments played in one turn of the event loop. */
const MOMENTS_PER_TURN = 16

export interface ReplayOptions {
  readonly recording: Recording
  readonly host?: string
  /** 0, the default, takes any free port. */
  readonly port?: number
  /** 1 is the recorded speed. Without effect when `fast`. */
  readonly speed?: number
  /** As fast as the client takes it; nothing is forgotten that the client still lacks. */
  readonly fast?: boolean
  /** Never forget final blocks. */
  readonly keepAll?: boolean
  /** First period that the consumer lacks; without it, the period of the lowest slot that it last searched from. */
  readonly consumerPeriod?: () => Period | undefined
  readonly lagPeriods?: number
  readonly stallMs?: number
  /** Called once, when the last recorded moment has been played. */
  readonly onHead?: () => void
}

export interface ReplayServer {
  /** host:port */
  readonly url: string
  readonly port: number
  /** The last slot that is final in the recording. */
  readonly headSlot: Slot
  /** First and last period that can be archived whole from the recording. */
  readonly wholePeriods: WholePeriods | undefined
  /** Resolves when the last recorded moment has been played; never after stop. */
  readonly atHead: Promise<void>
  /** How far the recording has been played, ms of it: stands still only before the first call, when stuck and at the end. */
  playedMs(): number
  stop(): Promise<void>
}

/**
 * Plays a recording over gRPC as the recorded node would have answered at each moment. Time begins with the first call
 * of a client and stands still at the end of the recording; the server goes on answering.
 *
 * @throws ArchiveError DEVNET_LISTEN_FAILED
 */
export async function startReplayServer(options: ReplayOptions): Promise<ReplayServer> {
  const replay = new Replay(options)
  const server = await startDevnetService(replay, { host: options.host ?? '127.0.0.1', port: options.port ?? 0 })
  return {
    url: server.url,
    port: server.port,
    headSlot: slotOfIndex(options.recording.cursor.at(-1)?.slotIndex ?? 0),
    wholePeriods: computeWholePeriods(options.recording),
    atHead: replay.atHead,
    playedMs: () => replay.playedMs,
    stop: () => replay.stop(server),
  }
}

class Replay {
  readonly atHead: Promise<void>
  private readonly options: ReplayOptions
  private readonly recording: Recording
  private readonly state: ReplayState
  /** Every time at which something changes, ascending. */
  private readonly moments: readonly number[]
  private readonly subscribers = new Set<{ rpc: StreamRpc; subscriber: Subscriber }>()
  private readonly stopping = new AbortController()
  private readonly reachHead: () => void
  private running: Promise<void> | undefined
  private timeMs: number
  private nextStreamed = 0
  private searchedPeriod: Period | undefined

  constructor(options: ReplayOptions) {
    this.options = options
    this.recording = options.recording
    this.timeMs = options.recording.startMs
    this.moments = listMoments(options.recording)
    this.state = new ReplayState(options.recording, {
      nowMs: () => this.timeMs,
      mustRemember: (block) => options.keepAll === true || this.isLacking(block.slotIndex),
    })
    let reachHead = () => {}
    this.atHead = new Promise((resolve) => {
      reachHead = resolve
    })
    this.reachHead = reachHead
  }

  get playedMs(): number {
    return this.timeMs - this.recording.startMs
  }

  answer(rpc: UnaryRpc, request: Uint8Array): Uint8Array {
    this.begin()
    const answer = answerUnaryCall(rpc, request, this.state)
    if (rpc === 'SearchBlocks') this.noteSearch(request)
    return answer
  }

  subscribe(rpc: StreamRpc, subscriber: Subscriber): void {
    this.begin()
    for (const entry of this.subscribers) if (entry.subscriber.closed) this.subscribers.delete(entry)
    if (rpc === 'NewSlotExecutionOutputsServer' && !wantsFinal(subscriber.request)) return
    this.subscribers.add({ rpc, subscriber })
  }

  async stop(server: PublicServiceServer): Promise<void> {
    this.stopping.abort()
    await server.stop()
    await this.running
  }

  private begin(): void {
    this.running ??= this.options.fast ? this.playFast() : this.playTimed(this.options.speed ?? 1)
  }

  private async playTimed(speed: number): Promise<void> {
    const startedMs = performance.now()
    while (this.timeMs < this.recording.endMs && !this.stopping.signal.aborted) {
      const elapsedMs = (performance.now() - startedMs) * speed
      this.moveTo(Math.min(this.recording.endMs, this.recording.startMs + elapsedMs))
      await setTimeout(LOOK_INTERVAL_MS, undefined, { signal: this.stopping.signal }).catch(() => {})
    }
    this.finish()
  }

  private async playFast(): Promise<void> {
    const pace = new ConsumerPace(
      this.options.lagPeriods ?? DEFAULT_LAG_PERIODS,
      this.options.stallMs ?? DEFAULT_STALL_MS,
    )
    for (const [played, moment] of this.moments.entries()) {
      while (!this.stopping.signal.aborted && !pace.allows(this.finalPeriodAt(moment), this.consumerPeriod())) {
        await setTimeout(LOOK_INTERVAL_MS, undefined, { signal: this.stopping.signal }).catch(() => {})
      }
      if (this.stopping.signal.aborted) return
      this.moveTo(moment)
      for (const { subscriber } of this.subscribers) await subscriber.drained()
      if (played % MOMENTS_PER_TURN === 0) await setImmediate()
    }
    this.finish()
  }

  private finish(): void {
    if (this.stopping.signal.aborted) return
    this.options.onHead?.()
    this.reachHead()
  }

  private moveTo(timeMs: number): void {
    this.timeMs = timeMs
    const { streamed } = this.recording
    for (let next = streamed[this.nextStreamed]; next && next.atMs <= timeMs; next = streamed[this.nextStreamed]) {
      this.nextStreamed++
      for (const { rpc, subscriber } of this.subscribers) if (rpc === next.stream) subscriber.write(next.message)
    }
  }

  /** Period of the last final slot at a moment not before now. */
  private finalPeriodAt(momentMs: number): Period {
    const was = this.timeMs
    this.timeMs = momentMs
    const period = Math.floor(this.state.finalSlotIndex() / THREAD_COUNT)
    this.timeMs = was
    return period
  }

  private consumerPeriod(): Period {
    const first = Math.floor(((this.recording.cursor[0]?.slotIndex ?? 0) + 1) / THREAD_COUNT)
    return (this.options.consumerPeriod ? this.options.consumerPeriod() : this.searchedPeriod) ?? first
  }

  /** Only a fast replay outruns the time a node gives to fetch its blocks. */
  private isLacking(slotIndex: number): boolean {
    return this.options.fast === true && Math.floor(slotIndex / THREAD_COUNT) >= this.consumerPeriod()
  }

  private noteSearch(request: Uint8Array): void {
    const starts = (SearchBlocksRequestCodec.decode(request).filters ?? []).flatMap((filter) => {
      const start = filter.slotRange?.startSlot
      return start ? Number(fromU64(start.period)) : []
    })
    if (starts.length > 0) this.searchedPeriod = Math.max(...starts)
  }
}

/** Decides when a fast replay may go on, so that its consumer is never left behind for good. */
class ConsumerPace {
  private readonly lagPeriods: number
  private readonly stallMs: number
  private extraPeriods = 0
  private consumer: Period | undefined
  private movedAtMs = performance.now()

  constructor(lagPeriods: number, stallMs: number) {
    this.lagPeriods = lagPeriods
    this.stallMs = stallMs
  }

  allows(finalPeriod: Period, consumer: Period): boolean {
    const nowMs = performance.now()
    if (consumer !== this.consumer) {
      this.consumer = consumer
      this.movedAtMs = nowMs
      this.extraPeriods = 0
    }
    const ahead = finalPeriod - consumer
    if (ahead <= this.lagPeriods + this.extraPeriods) return true
    if (nowMs - this.movedAtMs < this.stallMs) return false
    this.extraPeriods++
    this.movedAtMs = nowMs
    return false
  }
}

function listMoments(recording: Recording): number[] {
  const times = new Set<number>([recording.endMs])
  for (const { atMs } of recording.streamed) times.add(atMs)
  for (const { atMs } of recording.cursor) times.add(atMs)
  for (const block of recording.blocks.values()) {
    times.add(block.knownAtMs)
    if (block.settledAtMs !== undefined) times.add(block.settledAtMs)
  }
  return [...times].filter((time) => time >= recording.startMs && time <= recording.endMs).sort((a, b) => a - b)
}

/** Recordings hold FINAL outputs: a client that asks for candidates alone gets silence. */
function wantsFinal(request: Uint8Array): boolean {
  const { filters = [] } = NewSlotExecutionOutputsRequestCodec.decode(request)
  return filters.every((filter) => filter.status === undefined || filter.status === EXECUTION_STATUS_FINAL)
}
