import type { ClientReadableStream } from '@grpc/grpc-js'
import {
  ArchiveError,
  type BlockIdText,
  type Clock,
  EXECUTION_STATUS_FINAL,
  isArchiveError,
  NewFilledBlocksResponseCodec,
  NewSlotExecutionOutputsResponseCodec,
  type Slot,
  slotFromProtobuf,
  slotIndex,
} from '../core/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { exceedsEntries } from './entry-limit.ts'
import { executionFromOutput } from './execution-results.ts'
import type { Feed } from './feed.ts'
import { guardLoop } from './guard-loop.ts'
import type { NodeClient, NodeStatus } from './node-client.ts'
import { fetchBodies, type Pull, pullOnce, takeExecution } from './pull-path.ts'

/** Blocks in hand before a stream is told to wait; a full one is some 800 kB. */
const MAX_BLOCKS_IN_HAND = 16
/** Events or changed operations of one slot. */
const MAX_OUTPUT_ENTRIES = 100_000
const EVENTS_PATH = [1, 2]
const CHANGES_PATH = [1, 2, 4]
const STREAM_RETRY_FIRST_MS = 1_000
const STREAM_RETRY_MAX_MS = 30_000

export type FollowMode = 'connecting' | 'push' | 'pull'

export interface FollowerStatus {
  readonly url: string
  readonly up: boolean
  readonly mode: FollowMode
  readonly version: string
  readonly lastFinalSlot: Slot | undefined
  readonly lastError: string | undefined
}

/**
 * Follows one massa-node: polls it for correctness, listens to its streams for latency (docs/ARCHITECTURE.md).
 *
 * Whatever the node does, the follower goes on until it is stopped; only a wrong network, or a bug of ours, ends it, through `onFatal`.
 */
export class NodeFollower {
  private readonly node: number
  private readonly client: NodeClient
  private readonly pollIntervalMs: number
  private readonly streamSilenceMs: number
  private readonly feed: Feed
  private readonly clock: Clock
  private readonly log: Logger
  private readonly onFatal: (error: unknown) => void
  private readonly stopping = new AbortController()
  private readonly loops: Promise<void>[] = []
  private readonly inHand = new Set<Promise<void>>()

  private readonly pull: Pull

  private up = false
  private version = ''
  private lastFinalSlot: Slot | undefined
  private lastError: string | undefined
  private pollNow = new AbortController()
  /** Polls are numbered: streams are opened after one that began later than the last stream ended found the right network. */
  private pollNumber = 0
  private checkedPoll = 0
  private checked = new AbortController()

  /** Messages of streams that could not be taken. */
  private badMessages = 0
  private firstStreamedSlot: Slot | undefined
  private lastStreamedIndex: number | undefined
  private lastStreamedAtMs = 0
  private cursorAtLastMessage = -1
  private silent = false

  constructor(
    options: {
      readonly node: number
      readonly client: NodeClient
      readonly pollIntervalMs: number
      readonly streamSilenceMs: number
    },
    modules: {
      readonly feed: Feed
      readonly clock: Clock
      readonly log: Logger
      readonly onFatal: (error: unknown) => void
    },
  ) {
    this.node = options.node
    this.client = options.client
    this.pollIntervalMs = options.pollIntervalMs
    this.streamSilenceMs = options.streamSilenceMs
    this.feed = modules.feed
    this.clock = modules.clock
    this.log = modules.log
    this.onFatal = modules.onFatal
    this.pull = {
      node: options.node,
      client: options.client,
      feed: modules.feed,
      log: modules.log,
      unanswered: new Map(),
    }
  }

  start(): void {
    this.lastStreamedAtMs = this.clock.nowMs()
    const streams = [
      this.keepStream('NewFilledBlocksServer', () => this.client.openFilledBlocks(), this.onFilledBlock),
      this.keepStream('NewSlotExecutionOutputsServer', () => this.client.openFinalOutputs(), this.onFinalOutput),
    ]
    this.loops.push(
      ...streams.map((stream) => guardLoop('stream', stream, this.onFatal)),
      guardLoop('poll', this.pollLoop(), this.onFatal),
    )
  }

  async stop(): Promise<void> {
    this.end()
    await Promise.all(this.loops)
    await Promise.all(this.inHand)
  }

  private end(): void {
    this.up = false
    this.stopping.abort()
    this.pollNow.abort()
    this.checked.abort()
    this.client.close()
  }

  status(): FollowerStatus {
    const mode = !this.up ? 'connecting' : this.silent || this.firstStreamedSlot === undefined ? 'pull' : 'push'
    const { url } = this.client
    return {
      url,
      up: this.up,
      mode,
      version: this.version,
      lastFinalSlot: this.lastFinalSlot,
      lastError: this.lastError,
    }
  }

  private async pollLoop(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const startedMs = this.clock.nowMs()
      await this.poll()
      this.pollNow = new AbortController()
      const restMs = Math.max(0, this.pollIntervalMs - (this.clock.nowMs() - startedMs))
      if (!this.stopping.signal.aborted) await this.clock.sleep(restMs, this.pollNow.signal)
    }
  }

  private async poll(): Promise<void> {
    const number = ++this.pollNumber
    try {
      const status = await this.client.getStatus()
      if (this.stopping.signal.aborted) return
      this.feed.onStatus(this.node, status)
      if (this.lastFinalSlot && slotIndex(status.lastFinalSlot) < slotIndex(this.lastFinalSlot)) {
        this.log.warn({ url: this.client.url, finalPeriod: status.lastFinalSlot.period }, 'node restarted')
        this.feed.onNodeRestart(this.node)
      }
      if (!this.up) this.onConnected(status)
      this.version = status.version
      this.lastFinalSlot = status.lastFinalSlot
      this.checkedPoll = number
      this.checked.abort()
      this.checkSilence(status.lastFinalSlot)
      await pullOnce(this.pull, status, this.silent ? undefined : this.firstStreamedSlot)
      this.lastError = undefined
    } catch (error) {
      if (this.stopping.signal.aborted) return
      if (isArchiveError(error, 'ARCHIVER_NETWORK_MISMATCH')) {
        this.end()
        return this.onFatal(error)
      }
      const text = error instanceof Error ? error.message : String(error)
      if (this.up || this.lastError === undefined) this.log.warn({ url: this.client.url, err: error }, 'node failed')
      this.lastError = text
      this.up = false
      this.feed.onNodeDown(this.node, error)
    }
  }

  private onConnected(status: NodeStatus): void {
    this.log.info({ url: this.client.url, version: status.version }, 'node connected')
    this.up = true
    // Silence is counted from when the node could have spoken.
    this.lastStreamedAtMs = this.clock.nowMs()
    this.cursorAtLastMessage = slotIndex(status.lastFinalSlot)
  }

  /** A silent stream beside a moving final slot is a node that does not broadcast; beside a still one, an idle chain. */
  private checkSilence(lastFinalSlot: Slot): void {
    const quietMs = this.clock.nowMs() - this.lastStreamedAtMs
    const moved = slotIndex(lastFinalSlot) > this.cursorAtLastMessage
    if (this.silent || !moved || quietMs < this.streamSilenceMs) return
    this.silent = true
    this.log.warn({ url: this.client.url, code: 'ARCHIVER_STREAM_SILENT', quietMs }, 'streams are silent')
  }

  private async keepStream(
    name: string,
    open: () => ClientReadableStream<Buffer>,
    onMessage: (bytes: Buffer) => Promise<void>,
  ): Promise<void> {
    let retryMs = STREAM_RETRY_FIRST_MS
    let endedAt = 0
    while (await this.whenChecked(endedAt)) {
      const stream = open()
      try {
        // Reading by iteration is the back-pressure: no further message is taken while one waits.
        for await (const bytes of stream) {
          if (this.stopping.signal.aborted) break
          retryMs = STREAM_RETRY_FIRST_MS
          await onMessage.call(this, bytes as Buffer).catch((error: unknown) => this.onBadMessage(name, error))
        }
      } catch (error) {
        this.onStreamError(name, error)
      } finally {
        stream.cancel()
      }
      endedAt = this.pollNumber
      await this.clock.sleep(retryMs, this.stopping.signal)
      retryMs = Math.min(retryMs * 2, STREAM_RETRY_MAX_MS)
    }
  }

  /** False when the follower is stopping. */
  private async whenChecked(after: number): Promise<boolean> {
    while (!this.stopping.signal.aborted && this.checkedPoll <= after) {
      if (this.checked.signal.aborted) this.checked = new AbortController()
      await this.clock.sleep(60_000, this.checked.signal)
    }
    return !this.stopping.signal.aborted
  }

  private onStreamError(rpc: string, cause: unknown): void {
    if (this.stopping.signal.aborted) return
    const error = this.client.wrapStreamError(rpc, cause)
    const fields = { url: this.client.url, rpc, err: error }
    if (isArchiveError(error, 'ARCHIVER_MESSAGE_TOO_LARGE'))
      this.log.warn({ ...fields, code: error.code }, 'stream ended')
    else this.log.debug(fields, 'stream ended')
  }

  /** One message is lost, the stream goes on: a poll brings what matters of it. Said at the 1st, 10th, 100th, ... */
  private onBadMessage(rpc: string, error: unknown): void {
    this.badMessages++
    const code = isArchiveError(error) ? error.code : 'CORE_PROTOBUF_INVALID'
    const fields = { url: this.client.url, rpc, code, count: this.badMessages, err: error }
    if (Number.isInteger(Math.log10(this.badMessages))) this.log.warn(fields, 'message of a stream not taken')
  }

  private async onFilledBlock(bytes: Buffer): Promise<void> {
    const filledBlock = NewFilledBlocksResponseCodec.decode(bytes).filledBlock
    if (!filledBlock) return
    const taken = this.takeStreamed(filledBlock).finally(() => this.inHand.delete(taken))
    this.inHand.add(taken)
    // Several blocks are verified at once; past the bound the stream waits for one of them.
    if (this.inHand.size >= MAX_BLOCKS_IN_HAND) await taken
  }

  private async takeStreamed(filledBlock: Uint8Array): Promise<void> {
    try {
      await this.feed.takeBlock(this.node, filledBlock)
    } catch (error) {
      this.log.error({ url: this.client.url, err: error }, 'block not spooled')
    }
  }

  private async onFinalOutput(bytes: Buffer): Promise<void> {
    if (
      exceedsEntries(bytes, MAX_OUTPUT_ENTRIES, EVENTS_PATH) ||
      exceedsEntries(bytes, MAX_OUTPUT_ENTRIES, CHANGES_PATH)
    ) {
      throw new ArchiveError('CORE_PROTOBUF_INVALID', 'an execution output is not protobuf, or has too many entries')
    }
    const { output } = NewSlotExecutionOutputsResponseCodec.decode(bytes)
    if (output?.status !== EXECUTION_STATUS_FINAL || !output.executionOutput) return
    const slot = slotFromProtobuf(output.executionOutput.slot)
    const id = (output.executionOutput.blockId?.value || 'none') as BlockIdText | 'none'
    const index = slotIndex(slot)
    const jumped = this.lastStreamedIndex !== undefined && index !== this.lastStreamedIndex + 1
    this.lastStreamedIndex = index
    this.lastStreamedAtMs = this.clock.nowMs()
    this.cursorAtLastMessage = Math.max(this.cursorAtLastMessage, index)
    if (this.firstStreamedSlot === undefined || jumped) this.firstStreamedSlot = slot
    if (this.silent) {
      this.silent = false
      this.log.info({ url: this.client.url }, 'streams speak again')
    }
    if (jumped) this.pollNow.abort()
    await takeExecution(this.pull, slot, () => executionFromOutput(output.executionOutput ?? {}))
    await this.feed.onClaims(this.node, [{ slot, id }])
    if (id !== 'none' && !this.feed.isKnown(id) && this.inHand.size < MAX_BLOCKS_IN_HAND) await this.fetchAtOnce(id)
  }

  /** Final and not on disk: the node may forget it within seconds. */
  private async fetchAtOnce(id: BlockIdText): Promise<void> {
    try {
      await fetchBodies(this.pull, [id])
    } catch (error) {
      this.log.debug({ url: this.client.url, err: error }, 'final block not fetched yet')
    }
  }
}
