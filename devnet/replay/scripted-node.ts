import { NewFilledBlocksResponseCodec, type Slot, slotIndex } from '../../core/index.ts'
import type { PublicServiceServer, Subscriber } from '../../telemetry/grpc/public-service.ts'
import type { RpcError } from '../../telemetry/grpc/rpc-error.ts'
import type { StreamRpc, UnaryRpc } from '../../telemetry/grpc/rpc-names.ts'
import { encodeFilledBlock, type MadeBlock, type MadeChain } from '../chain-maker.ts'
import { startDevnetService, type UnaryAnswer } from '../grpc/devnet-service.ts'
import { answerUnaryCall } from './node-answers.ts'
import { ScriptedState } from './scripted-state.ts'

/** Finality comes about three periods after a block (facts: massa-node 0.1). */
const FINALITY_SLOTS = 96

/** Answers a call in the node's place; `undefined` leaves it to the node. `honest` gives the node's own answer. */
export type Interceptor = (
  request: Uint8Array,
  honest: () => Uint8Array,
) => UnaryAnswer | Error | undefined | Promise<UnaryAnswer | Error | undefined>

export interface ScriptedNodeOptions {
  readonly chain: MadeChain
  /** False: the streams open and stay silent. Default true. */
  readonly broadcast?: boolean
  /** How many slots the newest block is ahead of the last final slot. Default 96, about what a node shows. */
  readonly finalitySlots?: number
  readonly port?: number
}

/**
 * A massa-node that does as it is told, over real gRPC: honest unless a test says otherwise through `state`,
 * `intercept` and the emit functions. Time moves by `advanceTo` alone.
 */
export class ScriptedNode {
  readonly chain: MadeChain
  readonly state: ScriptedState
  broadcast: boolean
  /** Calls and opened streams so far, by RPC. */
  readonly counts = new Map<UnaryRpc | StreamRpc, number>()
  private readonly options: ScriptedNodeOptions
  private readonly interceptors = new Map<UnaryRpc, Interceptor>()
  private readonly subscribers = new Set<{ rpc: StreamRpc; subscriber: Subscriber }>()
  private readonly waiting = new Set<{ isOver: () => boolean; resolve: () => void }>()
  private server: PublicServiceServer | undefined

  constructor(options: ScriptedNodeOptions) {
    this.options = options
    this.chain = options.chain
    this.state = new ScriptedState(options.chain)
    this.broadcast = options.broadcast ?? true
    this.state.headIndex += options.finalitySlots ?? FINALITY_SLOTS
  }

  /** host:port, once started. */
  get url(): string {
    if (!this.server) throw new Error('the scripted node is not started')
    return this.server.url
  }

  /** Starts to listen; after a stop on the same port, as a restarted node does. @throws ArchiveError DEVNET_LISTEN_FAILED */
  async start(): Promise<void> {
    const port = this.server?.port ?? this.options.port ?? 0
    this.server = await startDevnetService(
      {
        answer: (rpc, request) => this.answer(rpc, request),
        subscribe: (rpc, subscriber) => this.subscribe(rpc, subscriber),
      },
      { host: '127.0.0.1', port },
    )
  }

  async stop(): Promise<void> {
    this.subscribers.clear()
    await this.server?.stop()
  }

  /**
   * Makes every slot up to `slot` final, and the blocks of the next `finalitySlots` known. What becomes known or final
   * by it is broadcast, blocks first, in order of slots.
   */
  advanceTo(slot: Slot): void {
    const { state } = this
    const finalIndex = Math.max(state.finalIndex, slotIndex(slot))
    const wasFinal = state.finalIndex
    this.advanceHeadTo(finalIndex + (this.options.finalitySlots ?? FINALITY_SLOTS))
    state.finalIndex = finalIndex
    if (!this.broadcast) return
    for (let index = wasFinal + 1; index <= finalIndex; index++) {
      this.emit('NewSlotExecutionOutputsServer', state.encodeFinal(index, state.finalIdAt(index)))
    }
  }

  /** Makes the blocks up to a slot index known, and broadcasts them, without moving finality. */
  advanceHeadTo(index: number): void {
    const wasHead = this.state.headIndex
    this.state.headIndex = Math.max(wasHead, index)
    for (let i = wasHead + 1; i <= this.state.headIndex; i++) {
      const block = this.chain.blocks.get(i)
      if (block && this.broadcast) this.emitFilledBlock(block)
    }
  }

  /** Sends a block (or any FilledBlock bytes) to the subscribers of the stream, `broadcast` or not. */
  emitFilledBlock(block: MadeBlock | Uint8Array): void {
    const filledBlock = block instanceof Uint8Array ? block : encodeFilledBlock(block)
    this.emit('NewFilledBlocksServer', NewFilledBlocksResponseCodec.encode({ filledBlock }))
  }

  /** Sends a FINAL message, `broadcast` or not: this id, or a miss without one. */
  emitFinal(slot: Slot, id?: string): void {
    this.emit('NewSlotExecutionOutputsServer', this.state.encodeFinal(slotIndex(slot), id))
  }

  /** Any bytes, as a message of a stream. */
  emit(rpc: StreamRpc, message: Uint8Array): void {
    for (const entry of this.subscribers) if (entry.rpc === rpc) entry.subscriber.write(message)
  }

  /** Ends all streams, with an error or as if done. */
  endStreams(error?: RpcError): void {
    for (const { subscriber } of this.subscribers) subscriber.end(error)
    this.subscribers.clear()
  }

  /** Replaces the node's answers to one RPC; without `interceptor` they are honest again. */
  intercept(rpc: UnaryRpc, interceptor?: Interceptor): void {
    if (interceptor) this.interceptors.set(rpc, interceptor)
    else this.interceptors.delete(rpc)
  }

  countOf(rpc: UnaryRpc | StreamRpc): number {
    return this.counts.get(rpc) ?? 0
  }

  /** Resolves when an RPC was called (a stream: opened) `times` times in all. */
  async whenCalled(rpc: UnaryRpc | StreamRpc, times = 1): Promise<void> {
    const isOver = () => this.countOf(rpc) >= times
    if (isOver()) return
    await new Promise<void>((resolve) => this.waiting.add({ isOver, resolve }))
  }

  private async answer(rpc: UnaryRpc, request: Uint8Array): Promise<UnaryAnswer> {
    this.count(rpc)
    const honest = () => answerUnaryCall(rpc, request, this.state)
    const answer = (await this.interceptors.get(rpc)?.(request, honest)) ?? honest()
    if (answer instanceof Error) throw answer
    return answer
  }

  private subscribe(rpc: StreamRpc, subscriber: Subscriber): void {
    for (const entry of this.subscribers) if (entry.subscriber.closed) this.subscribers.delete(entry)
    this.subscribers.add({ rpc, subscriber })
    this.count(rpc)
  }

  private count(rpc: UnaryRpc | StreamRpc): void {
    this.counts.set(rpc, this.countOf(rpc) + 1)
    for (const waiter of this.waiting) {
      if (!waiter.isOver()) continue
      this.waiting.delete(waiter)
      waiter.resolve()
    }
  }
}
