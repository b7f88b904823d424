import type { ClientReadableStream } from '@grpc/grpc-js'
import {
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
import { executionFromOutput } from './execution-results.ts'
import type { Feed } from './feed.ts'
import type { NodeClient } from './node-client.ts'
import { fetchBodies, type Pull, pullOnce } from './pull-path.ts'

/** Blocks in hand before a stream is told to wait; a full one is some 800 kB. */
const MAX_BLOCKS_IN_HAND = 16
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
 * Whatever the node does, the follower goes on until it is stopped; only a wrong network ends it, through `onFatal`.
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
  private readonly streams = new Set<ClientReadableStream<Buffer>>()

  private readonly pull: Pull

  private up = false
  private version = ''
  private lastFinalSlot: Slot | undefined
  private lastError: string | undefined
  private polled = false
  private pollNow = new AbortController()

  private blocksInHand = 0
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
    this.pull = { node: options.node, client: options.client, feed: modules.feed }
  }

  start(): void {
    this.lastStreamedAtMs = this.clock.nowMs()
    // Streams first: what they bring from now on cannot be missed by the first poll.
    this.loops.push(
      this.keepStream('NewFilledBlocksServer', () => this.client.openFilledBlocks(), this.onFilledBlock),
      this.keepStream('NewSlotExecutionOutputsServer', () => this.client.openFinalOutputs(), this.onFinalOutput),
      this.pollLoop(),
    )
  }

  async stop(): Promise<void> {
    this.stopping.abort()
    this.pollNow.abort()
    for (const stream of this.streams) stream.cancel()
    await Promise.all(this.loops)
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
    try {
      const status = await this.client.getStatus()
      this.feed.onStatus(this.node, status)
      if (this.lastFinalSlot && slotIndex(status.lastFinalSlot) < slotIndex(this.lastFinalSlot)) {
        this.log.warn({ url: this.client.url, finalPeriod: status.lastFinalSlot.period }, 'node restarted')
        this.feed.onNodeRestart(this.node)
        this.polled = false
      }
      if (!this.up) this.log.info({ url: this.client.url, version: status.version }, 'node connected')
      this.up = true
      this.version = status.version
      this.lastFinalSlot = status.lastFinalSlot
      this.checkSilence(status.lastFinalSlot)
      await pullOnce(this.pull, status, this.silent ? undefined : this.firstStreamedSlot)
      this.polled = true
      this.lastError = undefined
    } catch (error) {
      if (this.stopping.signal.aborted) return
      if (isArchiveError(error, 'ARCHIVER_NETWORK_MISMATCH')) return this.onFatal(error)
      const text = error instanceof Error ? error.message : String(error)
      if (this.up || this.lastError === undefined) this.log.warn({ url: this.client.url, err: error }, 'node failed')
      this.lastError = text
      this.up = false
      this.feed.onNodeDown(this.node, error)
    }
  }

  /** A silent stream beside a moving final slot is a node that does not broadcast; beside a still one, an idle chain. */
  private checkSilence(lastFinalSlot: Slot): void {
    const quietMs = this.clock.nowMs() - this.lastStreamedAtMs
    const moved = slotIndex(lastFinalSlot) > this.cursorAtLastMessage
    if (this.cursorAtLastMessage < 0) this.cursorAtLastMessage = slotIndex(lastFinalSlot)
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
    while (!this.stopping.signal.aborted) {
      const stream = open()
      this.streams.add(stream)
      try {
        // Reading by iteration is the back-pressure: no further message is taken while one waits.
        for await (const bytes of stream) {
          retryMs = STREAM_RETRY_FIRST_MS
          await onMessage.call(this, bytes as Buffer)
        }
      } catch (error) {
        if (!this.stopping.signal.aborted)
          this.log.debug({ url: this.client.url, rpc: name, err: error }, 'stream ended')
      } finally {
        this.streams.delete(stream)
        stream.cancel()
      }
      if (this.stopping.signal.aborted) return
      await this.clock.sleep(retryMs, this.stopping.signal)
      retryMs = Math.min(retryMs * 2, STREAM_RETRY_MAX_MS)
    }
  }

  private async onFilledBlock(bytes: Buffer): Promise<void> {
    const filledBlock = NewFilledBlocksResponseCodec.decode(bytes).filledBlock
    if (!filledBlock) return
    const taken = this.takeStreamed(filledBlock)
    // Several blocks are verified at once; past the bound the stream waits for one of them.
    if (this.blocksInHand >= MAX_BLOCKS_IN_HAND) await taken
  }

  private async takeStreamed(filledBlock: Uint8Array): Promise<void> {
    this.blocksInHand++
    try {
      await this.feed.takeBlock(this.node, filledBlock)
    } catch (error) {
      this.log.error({ url: this.client.url, err: error }, 'block not spooled')
    } finally {
      this.blocksInHand--
    }
  }

  private async onFinalOutput(bytes: Buffer): Promise<void> {
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
    await this.feed.onExecution(slot, executionFromOutput(output.executionOutput))
    await this.feed.onClaims(this.node, [{ slot, id }], this.polled ? slot : undefined)
    if (id !== 'none' && !this.feed.isKnown(id) && this.blocksInHand < MAX_BLOCKS_IN_HAND) await this.fetchAtOnce(id)
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
