import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ClientReadableStream } from '@grpc/grpc-js'
import {
  ArchiveError,
  type BlockIdText,
  type Clock,
  EXECUTION_STATUS_FINAL,
  isArchiveError,
  type MessageCodec,
  NewFilledBlocksResponseCodec,
  NewSlotExecutionOutputsResponseCodec,
  type Slot,
  slotFromProtobuf,
  slotIndex,
} from '../core/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { MAX_ID_LENGTH } from './block-id-text.ts'
import { exceedsEntries } from './entry-limit.ts'
import { executionFromOutput, type SlotExecution } from './execution-results.ts'
import type { Feed } from './feed.ts'
import { guardLoop } from './guard-loop.ts'
import { MessagesInHand } from './messages-in-hand.ts'
import type { NodeClient, NodeStatus } from './node-client.ts'
import { pullExecutions, takeExecution } from './pull-executions.ts'
import { fetchBodies, type Pull, pullOnce } from './pull-path.ts'
import { isBug, isStoreFailure, StoreWatch } from './store-watch.ts'

/** Looking at a block and handing it over takes milliseconds: large ones that arrived together get a turn each. */
const LARGE_MESSAGE_BYTES = 65_536
/** Events or changed operations of one slot. */
const MAX_OUTPUT_ENTRIES = 100_000
const EVENTS_PATH = [1, 2]
const CHANGES_PATH = [1, 2, 4]
const FINAL_OUTPUTS = 'NewSlotExecutionOutputsServer'
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
 * Whatever the node does, the follower goes on until it is stopped; only a wrong network, or a bug of ours, ends it,
 * through `onFatal`. A store that takes nothing is not the node's fault: the node stays up, and is asked again.
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
  private readonly blocksInHand = new MessagesInHand()
  private readonly finalsInHand = new MessagesInHand()
  /** Settles when the claims of all final slots so far have begun to be taken. */
  private claimsBegun: Promise<unknown> = Promise.resolve()

  private readonly pull: Pull
  /** Two, since what one way brings may be refused while the other brings nothing that has to be written. */
  private readonly pollWatch: StoreWatch
  private readonly streamWatch: StoreWatch
  private readonly executionWatch: StoreWatch
  /** The question for execution results that is under way: it holds no poll up. */
  private askingExecutions: Promise<void> | undefined
  private executionsFail = false

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
  /** Of the first slot whose results the open stream will bring; those before it are asked for. */
  private nextStreamedIndex: number | undefined
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
    const phrases = { failed: 'poll not stored', again: 'polls stored again' }
    this.pollWatch = new StoreWatch(phrases, modules.log, { url: options.client.url })
    const streamPhrases = { failed: 'message of a stream not stored', again: 'streams stored again' }
    this.streamWatch = new StoreWatch(streamPhrases, modules.log, { url: options.client.url })
    const executionPhrases = { failed: 'execution results not stored', again: 'execution results stored again' }
    this.executionWatch = new StoreWatch(executionPhrases, modules.log, { url: options.client.url })
    this.pull = {
      node: options.node,
      client: options.client,
      feed: modules.feed,
      log: modules.log,
      unanswered: new Map(),
    }
  }

  start(): void {
    this.lastStreamedAtMs = this.clock.monotonicMs()
    const streams = [
      this.keepStream('NewFilledBlocksServer', () => this.client.openFilledBlocks(), this.onFilledBlock),
      this.keepStream(FINAL_OUTPUTS, () => this.client.openFinalOutputs(), this.onFinalOutput),
    ]
    this.loops.push(
      ...streams.map((stream) => guardLoop('stream', stream, this.onFatal)),
      guardLoop('poll', this.pollLoop(), this.onFatal),
    )
  }

  async stop(): Promise<void> {
    this.end()
    await Promise.all(this.loops)
    await this.blocksInHand.untilEmpty()
    await this.finalsInHand.untilEmpty()
    await this.askingExecutions
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
      const startedMs = this.clock.monotonicMs()
      await this.poll()
      this.pollNow = new AbortController()
      const restMs = Math.max(0, this.pollIntervalMs - (this.clock.monotonicMs() - startedMs))
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
      await pullOnce(this.pull, status)
      this.askExecutions(status.lastFinalSlot)
      this.lastError = undefined
      this.pollWatch.onSuccess()
    } catch (error) {
      if (this.stopping.signal.aborted) return
      if (isArchiveError(error, 'ARCHIVER_NETWORK_MISMATCH')) {
        this.end()
        return this.onFatal(error)
      }
      if (isBug(error)) throw error
      if (isStoreFailure(error)) return void this.pollWatch.onError(error)
      const text = error instanceof Error ? error.message : String(error)
      if (this.up || this.lastError === undefined) this.log.warn({ url: this.client.url, err: error }, 'node failed')
      this.lastError = text
      this.up = false
      this.feed.onNodeDown(this.node, error)
    }
  }

  private askExecutions(upTo: Slot): void {
    if (this.askingExecutions) return
    const asking = this.pullExecutions(upTo).finally(() => {
      this.askingExecutions = undefined
    })
    this.askingExecutions = guardLoop('execution results', asking, this.onBug)
  }

  /** A node that does not answer it may do well otherwise: it stays up, and is asked again after the next poll. */
  private async pullExecutions(upTo: Slot): Promise<void> {
    try {
      await pullExecutions(this.pull, upTo, this.silent ? undefined : this.nextStreamedIndex)
      this.executionWatch.onSuccess()
      this.executionsFail = false
    } catch (error) {
      if (isBug(error)) throw error
      if (isStoreFailure(error)) return void this.executionWatch.onError(error)
      if (this.stopping.signal.aborted) return
      if (!this.executionsFail) this.log.warn({ url: this.client.url, err: error }, 'execution results not given')
      this.executionsFail = true
    }
  }

  private onConnected(status: NodeStatus): void {
    this.log.info({ url: this.client.url, version: status.version }, 'node connected')
    this.up = true
    // Silence is counted from when the node could have spoken.
    this.lastStreamedAtMs = this.clock.monotonicMs()
    this.cursorAtLastMessage = slotIndex(status.lastFinalSlot)
  }

  /** A silent stream beside a moving final slot is a node that does not broadcast; beside a still one, an idle chain. */
  private checkSilence(lastFinalSlot: Slot): void {
    const quietMs = this.clock.monotonicMs() - this.lastStreamedAtMs
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
          await guardLoop(name, this.takeMessage(name, onMessage.call(this, bytes as Buffer)), this.onBug)
        }
      } catch (error) {
        this.onStreamError(name, error)
      } finally {
        stream.cancel()
        if (name === FINAL_OUTPUTS) this.nextStreamedIndex = undefined
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

  private readonly onBug = (error: ArchiveError): void => {
    if (this.stopping.signal.aborted) return
    this.end()
    this.onFatal(error)
  }

  /** One message is lost, the stream goes on: a poll brings what matters of it. */
  private async takeMessage(rpc: string, taken: Promise<void>): Promise<void> {
    try {
      await taken
    } catch (error) {
      if (isBug(error)) throw error
      if (isStoreFailure(error)) this.streamWatch.onError(error)
      else this.onBadMessage(rpc, error as ArchiveError)
    }
  }

  /** Said at the 1st, 10th, 100th, ... */
  private onBadMessage(rpc: string, error: ArchiveError): void {
    this.badMessages++
    const fields = { url: this.client.url, rpc, code: error.code, count: this.badMessages, err: error }
    if (Number.isInteger(Math.log10(this.badMessages))) this.log.warn(fields, 'message of a stream not taken')
  }

  private async onFilledBlock(bytes: Buffer): Promise<void> {
    const { filledBlock } = decode(NewFilledBlocksResponseCodec, bytes)
    if (!filledBlock) return
    const work = this.takeMessage('NewFilledBlocksServer', this.takeStreamed(filledBlock))
    this.blocksInHand.add(guardLoop('streamed block', work, this.onBug), bytes.length)
    if (this.blocksInHand.isFull) await this.blocksInHand.untilRoom()
    else if (bytes.length >= LARGE_MESSAGE_BYTES) await nextTurn()
  }

  private async takeStreamed(filledBlock: Uint8Array): Promise<void> {
    const result = await this.feed.takeBlock(this.node, filledBlock)
    if (result === 'spooled') this.streamWatch.onSuccess()
  }

  private async onFinalOutput(bytes: Buffer): Promise<void> {
    if (
      exceedsEntries(bytes, MAX_OUTPUT_ENTRIES, EVENTS_PATH) ||
      exceedsEntries(bytes, MAX_OUTPUT_ENTRIES, CHANGES_PATH)
    ) {
      throw new ArchiveError('CORE_PROTOBUF_INVALID', 'an execution output is not protobuf, or has too many entries')
    }
    const { output } = decode(NewSlotExecutionOutputsResponseCodec, bytes)
    if (output?.status !== EXECUTION_STATUS_FINAL || !output.executionOutput) return
    const slot = slotFromProtobuf(output.executionOutput.slot)
    const id = (output.executionOutput.blockId?.value || 'none') as BlockIdText | 'none'
    const index = slotIndex(slot)
    const jumped = this.lastStreamedIndex !== undefined && index !== this.lastStreamedIndex + 1
    this.lastStreamedIndex = index
    this.lastStreamedAtMs = this.clock.monotonicMs()
    this.cursorAtLastMessage = Math.max(this.cursorAtLastMessage, index)
    if (this.firstStreamedSlot === undefined || jumped) this.firstStreamedSlot = slot
    if (this.nextStreamedIndex === undefined || jumped) this.nextStreamedIndex = index
    if (this.silent) {
      this.silent = false
      this.log.info({ url: this.client.url }, 'streams speak again')
    }
    if (jumped) this.pollNow.abort()
    const isKnown = id === 'none' || this.feed.isKnown(id)
    const taken = this.takeFinal(slot, id, () => executionFromOutput(output.executionOutput ?? {}))
    if (!isKnown) {
      await taken
      return await this.fetchUnknown(id)
    }
    const work = this.takeMessage(FINAL_OUTPUTS, taken)
    this.finalsInHand.add(guardLoop('final slot', work, this.onBug), bytes.length)
    await this.finalsInHand.untilRoom()
  }

  /** Several are written at once, but slots are claimed in the order in which they were named. */
  private async takeFinal(slot: Slot, id: BlockIdText | 'none', readExecution: () => SlotExecution): Promise<void> {
    const executed = takeExecution(this.pull, slot, readExecution)
    const begun = Promise.allSettled([executed, this.claimsBegun]).then(() => {
      // From now on it is missing only if it was not taken.
      const next = slotIndex(slot) + 1
      if (this.nextStreamedIndex !== undefined) this.nextStreamedIndex = Math.max(this.nextStreamedIndex, next)
      return { claimed: this.feed.onClaims(this.node, [{ slot, id }]) }
    })
    this.claimsBegun = begun
    await (await begun).claimed
    await executed
  }

  private async fetchUnknown(id: BlockIdText): Promise<void> {
    if (this.feed.isKnown(id) || id.length > MAX_ID_LENGTH || this.blocksInHand.isFull) return
    await this.fetchAtOnce(id)
  }

  /** Final and not on disk: the node may forget it within seconds. */
  private async fetchAtOnce(id: BlockIdText): Promise<void> {
    try {
      await fetchBodies(this.pull, [id])
    } catch (error) {
      if (isBug(error) || isStoreFailure(error)) throw error
      this.log.debug({ url: this.client.url, err: error }, 'final block not fetched yet')
    }
  }
}

function decode<T>(codec: MessageCodec<T>, bytes: Uint8Array): T {
  try {
    return codec.decode(bytes)
  } catch (cause) {
    throw new ArchiveError('CORE_PROTOBUF_INVALID', 'a message of a stream is not protobuf', {}, cause)
  }
}
