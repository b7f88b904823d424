import { type Clock, encodeRegistryCall, type OperationBody, parseAddress } from '../../core/index.ts'
import type { Speed } from '../node/process/node-process.ts'
import type { NodeCalls } from './node-link.ts'
import { SignedSender } from './signed-sender.ts'

const SENDER_COUNT = 8
/** Of chain time between two operations: four in a period. */
const INTERVAL_MS = 4_000
/** In turbo, and at most at any speed. */
const MIN_INTERVAL_MS = 100
const CALL_GAS = 50_000_000n
/** A node forgets a final call within fewer, at any speed. */
const RECENT_CALLS = 64
const TRANSFER_NANO_MAS = 1_000_000n
/** What the first call puts into the pool of rewards: for months of a small network at the rate of the defaults. */
const POOL_NANO_MAS = 1_000_000_000_000n

/** What one operation of the traffic is. */
export type TrafficKind = 'transfer' | 'roll-buy' | 'roll-sell' | 'contract-call' | 'failing-call'

/** In turn: mostly transfers, a roll that is bought and sold, and one call that fails for a good reason. */
const TURNS: readonly TrafficKind[] = [
  'transfer',
  'contract-call',
  'transfer',
  'roll-buy',
  'transfer',
  'failing-call',
  'transfer',
  'roll-sell',
]

export interface TrafficCounts {
  readonly sent: number
  /** Not taken by the node, or the node was away. */
  readonly refused: number
}

/** Those who send it, and need coins for it. */
export function makeTrafficSenders(seed: string, chainId: bigint): SignedSender[] {
  return Array.from({ length: SENDER_COUNT }, (_, i) => new SignedSender(`${seed} traffic ${i}`, chainId))
}

/** Background traffic: an operation now and then, until it is stopped. A node that is away is tried again. */
export class Traffic {
  private readonly link: NodeCalls
  private readonly clock: Clock
  private readonly senders: readonly SignedSender[]
  private readonly registry: Uint8Array
  private readonly stopping = new AbortController()
  private running: Promise<void> | undefined
  private turn = 0
  private sent = 0
  private refused = 0
  private speed: Speed
  private calls: readonly string[] = []

  constructor(
    options: { readonly senders: readonly SignedSender[]; readonly registryAddress: string; readonly speed: Speed },
    modules: { readonly link: NodeCalls; readonly clock: Clock },
  ) {
    this.senders = options.senders
    this.registry = parseAddress(options.registryAddress)
    this.speed = options.speed
    this.link = modules.link
    this.clock = modules.clock
  }

  get counts(): TrafficCounts {
    return { sent: this.sent, refused: this.refused }
  }

  /** Ids of the contract calls that were taken lately, oldest first. */
  get recentCalls(): readonly string[] {
    return this.calls
  }

  setSpeed(speed: Speed): void {
    this.speed = speed
  }

  start(): void {
    this.running ??= this.run()
  }

  async stop(): Promise<void> {
    this.stopping.abort()
    await this.running
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping
    while (!signal.aborted) {
      await this.sendNext()
      const intervalMs = this.speed === 'turbo' ? 0 : INTERVAL_MS / this.speed
      await this.clock.sleep(Math.max(MIN_INTERVAL_MS, intervalMs), signal)
    }
  }

  private async sendNext(): Promise<void> {
    const turn = this.turn++
    const kind = TURNS[turn % TURNS.length] ?? 'transfer'
    const sender = this.senderOf(turn)
    if (!sender) return
    try {
      const { lastSlot } = await this.link.report()
      const id = await sender.send(this.link, lastSlot.period, this.makeBody(kind, turn))
      this.sent++
      if (kind === 'contract-call') this.calls = [...this.calls, id].slice(-RECENT_CALLS)
    } catch {
      // The node is restarting, or says no to this one: the next is tried in its turn.
      this.refused++
    }
  }

  /** Everybody in turn does everything; who sells a roll is who has just bought one. */
  private senderOf(turn: number): SignedSender | undefined {
    const round = Math.floor(turn / TURNS.length)
    const place = TURNS[turn % TURNS.length] === 'roll-sell' ? TURNS.indexOf('roll-buy') : turn % TURNS.length
    return this.senders[(place + round) % this.senders.length]
  }

  private makeBody(kind: TrafficKind, turn: number): OperationBody {
    const recipient = this.senders[(turn + 1) % this.senders.length]?.addressBytes ?? this.registry
    // The amount makes each operation unlike all others: a second one of the same bytes is the same operation.
    const amountNanoMas = TRANSFER_NANO_MAS + BigInt(turn)
    switch (kind) {
      case 'transfer':
        return { kind: 'transaction', recipient, amountNanoMas }
      case 'roll-buy':
        return { kind, rollCount: 1n }
      case 'roll-sell':
        return { kind, rollCount: 1n }
      case 'contract-call':
        return this.makeCall(
          'fundRewards',
          encodeRegistryCall('fundRewards', {}),
          turn === TURNS.indexOf(kind) ? POOL_NANO_MAS : amountNanoMas,
        )
      case 'failing-call':
        // Nobody here is a node with rewards: the contract refuses.
        return this.makeCall('claimRewards', encodeRegistryCall('claimRewards', {}), amountNanoMas)
    }
  }

  private makeCall(functionName: string, parameter: Uint8Array, coinsNanoMas: bigint): OperationBody {
    return { kind: 'call-sc', maxGas: CALL_GAS, coinsNanoMas, target: this.registry, functionName, parameter }
  }
}
