import {
  type ArchiveError,
  BYTE_PRICE_NANO_MAS,
  type Clock,
  computeDistributionWait,
  computeDuePeriod,
  type ErrorCode,
  isArchiveError,
  Loop,
  type Period,
} from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import { orAborted } from '../replication/or-aborted.ts'
import type { RegistrySender, SendOrder } from '../sending/registry-sender.ts'

/** A record `period_`: key, value and overhead, at most. What is not used comes back. */
const PERIOD_COINS_NANO_MAS = 96n * BYTE_PRICE_NANO_MAS
/** Somebody was first, or the registry takes none now: nothing is left to do. */
const DONE: readonly ErrorCode[] = [
  'REGISTRY_PERIOD_DISTRIBUTED',
  'REGISTRY_PERIOD_NOT_OVER',
  'REGISTRY_PAUSED',
  'REGISTRY_NOTHING_TO_CLAIM',
]

export interface RewardDutyOptions {
  /** Massa address that we speak for. */
  readonly address: string
  /** From one look at the chain to the next, ms. */
  readonly everyMs: number
  /** From one distribution to the next. */
  readonly distributionPeriods: number
  /** What is vested is claimed from this amount on, if it is more than the fee; 0: never. */
  readonly claimThresholdNanoMas: bigint
  /** Of one operation; 0: the least that the node takes. */
  readonly feeNanoMas: bigint
}

export interface RewardDutyModules {
  readonly sender: Pick<RegistrySender, 'client' | 'send'>
  /** Of a `PlacementWatch`. */
  readonly placement: {
    readonly inForce: { readonly snapshot: { readonly nodes: readonly { readonly address: string }[] } } | undefined
    readonly isCurrent: boolean
  }
  /** Newest final period that is known. */
  readonly finalPeriod: () => Period | undefined
  readonly clock: Clock
  readonly log: Logger
}

type RewardCall = 'distributeRewards' | 'claimRewards'

/**
 * Distributes rewards when it is this node's turn and nobody has, and claims what is worth the fee.
 *
 * In each period it looks at the registry and does what lacks, so it may end and begin again at any time.
 */
export class RewardDuty {
  private readonly options: RewardDutyOptions
  private readonly modules: RewardDutyModules
  private readonly loop: Loop
  private readonly failures = new Map<RewardCall, ArchiveError>()
  /** Last final period that was looked at. */
  private seen: Period | undefined
  /** What was last seen to be due, and when by the clock of the chain. */
  private due: { readonly period: Period; readonly since: Period } | undefined
  /** Last one that is known to be distributed. */
  private distributed: Period | undefined
  private isLowTold = false

  constructor(options: RewardDutyOptions, modules: RewardDutyModules) {
    this.options = options
    this.modules = modules
    this.loop = new Loop({ everyMs: options.everyMs }, { clock: modules.clock, look: () => this.look() })
  }

  /** Runs until `stop`. @throws what is no ArchiveError: a bug */
  start(): Promise<void> {
    return this.loop.start()
  }

  /** A call that is under way goes on without it. */
  stop(): Promise<void> {
    return this.loop.stop()
  }

  /** Why one of the calls is not made from here, if so. */
  failing(call: RewardCall): ArchiveError | undefined {
    return this.failures.get(call)
  }

  /** Does what is due, once in each final period. */
  async look(): Promise<void> {
    const period = this.modules.finalPeriod()
    if (period === undefined || period === this.seen) return
    this.seen = period
    await Promise.all([
      this.attempt('distributeRewards', () => this.distribute(period)),
      this.attempt('claimRewards', () => this.claim()),
    ])
  }

  private async distribute(period: Period): Promise<void> {
    const { placement, sender } = this.modules
    const { address, distributionPeriods } = this.options
    const duePeriod = computeDuePeriod(period, distributionPeriods)
    if (duePeriod === undefined || duePeriod === this.distributed) return
    if (!placement.inForce || !placement.isCurrent) return
    const addresses = placement.inForce.snapshot.nodes.map((node) => node.address)
    const waitPeriods = computeDistributionWait({ duePeriod, address }, addresses)
    if (waitPeriods === undefined) return
    const { period: now } = await sender.client.chain.readStatus()
    if (this.due?.period !== duePeriod) this.due = { period: duePeriod, since: now }
    if (now < this.due.since + waitPeriods) return
    const { lastDistributedPeriod, paused } = await sender.client.readState()
    if (lastDistributedPeriod >= BigInt(duePeriod)) this.distributed = duePeriod
    else if (!paused) await this.send(distributeOrder(duePeriod))
  }

  private async claim(): Promise<void> {
    const { sender, log } = this.modules
    const { claimThresholdNanoMas, address } = this.options
    if (claimThresholdNanoMas === 0n) return
    const pending = await this.readPending(address)
    if (pending < claimThresholdNanoMas) return
    const feeNanoMas = this.options.feeNanoMas || (await sender.client.chain.readStatus()).minimalFeeNanoMas
    if (pending > feeNanoMas) await this.send(CLAIM_ORDER)
    else if (!this.isLowTold) {
      this.isLowTold = true
      log.warn({ amountNanoMas: pending, feeNanoMas }, 'what is due for a claim waits until it is more than the fee')
    }
  }

  /** nanoMAS; nothing for a node that is not registered. */
  private async readPending(address: string): Promise<bigint> {
    try {
      const { pendingRewards } = await this.modules.sender.client.read('getNodeInfo', { address })
      return pendingRewards
    } catch (error) {
      if (isArchiveError(error, 'REGISTRY_NODE_UNKNOWN')) return 0n
      throw error
    }
  }

  private async send(order: SendOrder<RewardCall>): Promise<void> {
    await orAborted(this.modules.sender.send(order), this.loop.signal)
  }

  private async attempt(call: RewardCall, act: () => Promise<void>): Promise<void> {
    try {
      await act()
      this.failures.delete(call)
    } catch (error) {
      if (!isArchiveError(error)) throw error
      if (this.loop.signal.aborted) return
      if (DONE.includes(error.code)) {
        this.failures.delete(call)
        this.modules.log.debug({ call, code: error.code }, 'nothing left to do')
      } else this.tellFailure(call, error)
    }
  }

  private tellFailure(call: RewardCall, error: ArchiveError): void {
    const isNew = this.failures.get(call)?.code !== error.code
    this.failures.set(call, error)
    if (isNew) this.modules.log.warn({ call, err: error, code: error.code }, 'rewards not handled from here')
  }
}

function distributeOrder(duePeriod: Period): SendOrder<'distributeRewards'> {
  return {
    purpose: 'distribute',
    key: `distribute/${duePeriod}`,
    call: 'distributeRewards',
    args: { period: BigInt(duePeriod) },
    coinsNanoMas: PERIOD_COINS_NANO_MAS,
  }
}

const CLAIM_ORDER: SendOrder<'claimRewards'> = { purpose: 'claim', key: 'claim', call: 'claimRewards', args: {} }
