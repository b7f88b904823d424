import type { Clock, Period, Slot } from '../../../core/index.ts'
import { ChainDriver } from '../chain/chain-driver.ts'
import type { DevnetChainOptions } from '../chain/chain-options.ts'
import type { DevnetChain } from '../chain/devnet-chain.ts'
import { openStoredChain } from '../chain/open-stored-chain.ts'
import { type GrpcServer, startGrpcServer } from '../grpc/grpc-server.ts'
import { type JsonRpcServer, startJsonRpcServer } from '../json-rpc/json-rpc-server.ts'
import { AnswerFaults } from './answer-faults.ts'
import { ConsumerPace } from './consumer-pace.ts'

/** How fast time passes: a factor, or as fast as slots are made and taken up. */
export type Speed = number | 'turbo'

export interface NodePorts {
  /** 0 takes a free one. */
  readonly grpc: number
  readonly jsonRpc: number
}

export interface NodeProcessOptions {
  /** Of the chain. */
  readonly directory: string
  readonly chain: DevnetChainOptions
  readonly speed: Speed
  /** Of its driver. */
  readonly isBoundToClock?: boolean
  readonly ports: NodePorts
  /** Streams; true by default. */
  readonly enableBroadcast?: boolean
}

/** One screen about the node. */
export interface NodeReport {
  readonly chainId: string
  readonly genesisTimestampMs: number
  readonly speed: Speed
  readonly isPaused: boolean
  readonly enableBroadcast: boolean
  readonly lastSlot: Slot
  readonly finalSlot: Slot
  readonly poolSize: number
  readonly finalOperations: number
  /** Who searches blocks, and is waited for in turbo. */
  readonly consumers: number
  readonly streams: number
  /** Answers that are still to be spoilt to order. */
  readonly faults: number
}

/** A stored chain that moves in time and answers as a massa-node, on loopback; and what may be done to it. */
export class NodeProcess {
  private readonly chain: DevnetChain
  private readonly driver: ChainDriver
  private readonly pace: ConsumerPace
  private readonly faults: AnswerFaults
  private ports: NodePorts
  private speed: Speed
  private isPaused = false
  private enableBroadcast: boolean
  private grpc: GrpcServer | undefined
  private jsonRpc: JsonRpcServer | undefined
  private changing: Promise<void> = Promise.resolve()

  private constructor(options: NodeProcessOptions, modules: { readonly chain: DevnetChain; readonly clock: Clock }) {
    this.chain = modules.chain
    this.speed = options.speed
    this.ports = options.ports
    this.enableBroadcast = options.enableBroadcast ?? true
    this.faults = new AnswerFaults(modules.clock)
    this.pace = new ConsumerPace(modules.clock)
    this.driver = new ChainDriver({ isBoundToClock: options.isBoundToClock ?? false }, modules)
    this.setSpeed(options.speed)
  }

  /** @throws ArchiveError DEVNET_CHAIN_MISMATCH, DEVNET_CHAIN_UNAVAILABLE, DEVNET_DISK_FULL, DEVNET_LISTEN_FAILED */
  static async start(options: NodeProcessOptions, clock: Clock): Promise<NodeProcess> {
    const chain = await openStoredChain(options.directory, options.chain)
    const node = new NodeProcess(options, { chain, clock })
    try {
      await node.open()
    } catch (error) {
      await node.stop()
      throw error
    }
    node.driver.start()
    return node
  }

  /** host:port, as `grpc_urls` takes it. */
  get grpcUrl(): string {
    return `127.0.0.1:${this.ports.grpc}`
  }

  get jsonRpcUrl(): string {
    return `http://127.0.0.1:${this.ports.jsonRpc}`
  }

  /** Rejects when the chain cannot go on. */
  get failure(): Promise<never> {
    return this.driver.failure
  }

  report(): NodeReport {
    const { chain, speed, isPaused, enableBroadcast } = this
    return {
      chainId: chain.chainId.toString(),
      genesisTimestampMs: chain.genesisTimestampMs,
      speed,
      isPaused,
      enableBroadcast,
      lastSlot: chain.lastSlot,
      finalSlot: chain.finalSlot,
      poolSize: chain.poolSize,
      finalOperations: chain.executedOperationCount,
      consumers: this.pace.consumerCount,
      streams: this.grpc?.streamCount ?? 0,
      faults: this.faults.waiting,
    }
  }

  setSpeed(speed: Speed): void {
    this.speed = speed
    if (speed === 'turbo') this.driver.setTurbo({ mayGoOn: () => this.pace.mayGoOn(this.finalPeriod) })
    else this.driver.setSpeed(speed)
  }

  pause(): void {
    this.isPaused = true
    this.driver.pause()
  }

  resume(): void {
    this.isPaused = false
    this.driver.resume()
  }

  async missNext(thread: number, count: number): Promise<void> {
    this.chain.missNext(thread, count)
    await this.chain.written()
  }

  async forkNext(count: number, thread?: number): Promise<void> {
    this.chain.forkNext(count, thread)
    await this.chain.written()
  }

  async setRates(rates: { readonly missRate?: number; readonly orphanRate?: number }): Promise<void> {
    this.chain.setRates(rates)
    await this.chain.written()
  }

  dropStreams(): void {
    this.grpc?.dropStreams()
  }

  orderFault(fault: Parameters<AnswerFaults['order']>[0]): void {
    this.faults.order(fault)
  }

  /** The servers are away for a moment; afterwards streams are as told. */
  setBroadcast(enabled: boolean): Promise<void> {
    this.enableBroadcast = enabled
    return this.reopen()
  }

  /** As a node that was stopped and started: it has forgotten its history, for good. */
  restart(): Promise<void> {
    return this.reopen(() => this.chain.forgetHistory())
  }

  async stop(): Promise<void> {
    await this.changing
    this.faults.stop()
    await this.close()
    await this.driver.stop()
    await this.chain.close()
  }

  private get finalPeriod(): Period {
    return this.chain.finalSlot.period
  }

  /** @param change - made while both servers are away */
  private reopen(change?: () => Promise<void>): Promise<void> {
    const done = this.changing.then(async () => {
      await this.close()
      await change?.()
      this.pace.reopen()
      await this.open()
    })
    this.changing = done.catch(() => {})
    return done
  }

  private async open(): Promise<void> {
    const { chain, driver: clock, enableBroadcast } = this
    this.grpc = await startGrpcServer({ chain, clock }, { port: this.ports.grpc, enableBroadcast })
    this.grpc.intercept((rpc, request, honest, caller) => {
      if (rpc === 'SearchBlocks') this.pace.noteSearch(caller, request)
      return this.faults.apply(rpc, honest)
    })
    this.jsonRpc = await startJsonRpcServer({ chain, clock }, this.ports.jsonRpc)
    // Also after a restart they are where they were.
    this.ports = { grpc: this.grpc.port, jsonRpc: Number(new URL(this.jsonRpc.url).port) }
  }

  private async close(): Promise<void> {
    await Promise.all([this.grpc?.close(), this.jsonRpc?.close()])
    this.grpc = undefined
    this.jsonRpc = undefined
  }
}
