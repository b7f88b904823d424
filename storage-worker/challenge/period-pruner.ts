import {
  type ArchiveError,
  type Clock,
  computeTurnRank,
  ERA_PERIODS,
  isArchiveError,
  Loop,
  PERIOD_MS,
} from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import { orAborted } from '../replication/or-aborted.ts'
import type { RegistrySender } from '../sending/registry-sender.ts'
import { computeLeastBatch, MAX_PRUNED } from './least-batch.ts'

/** Twice in an era: what is due waits for whoever is first in the next one if this one is away. */
const EVERY_MS = (ERA_PERIODS / 2) * PERIOD_MS
const KEY_PREFIX = 'period_'
const TURN_PREFIX = 'massa-storage/prune/1:'
/** A key with a period of 7 digits, the value, and what the chain counts for an entry. */
const RECORD_BYTES = KEY_PREFIX.length + 7 + 64 + 4

export interface PeriodPrunerOptions {
  /** Massa address of this node. */
  readonly address: string
  /** Of one operation; 0: the least that the node takes. */
  readonly feeNanoMas: bigint
}

export interface PeriodPrunerModules {
  readonly sender: Pick<RegistrySender, 'client' | 'send'>
  /** Of a `PlacementWatch`. */
  readonly placement: {
    readonly inForce: { readonly snapshot: { readonly nodes: readonly { readonly address: string }[] } } | undefined
  }
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Has the registry delete records of periods once they may be: audits and distributions leave them, and their coins come back to
 * who deletes them. Anybody may: in each era another node does, so that none pays for what another one deleted before.
 */
export class PeriodPruner {
  private readonly options: PeriodPrunerOptions
  private readonly modules: PeriodPrunerModules
  private readonly loop: Loop
  private failure: ArchiveError | undefined

  constructor(options: PeriodPrunerOptions, modules: PeriodPrunerModules) {
    this.options = options
    this.modules = modules
    const onFailure = (error: ArchiveError) => this.noteFailure(error)
    this.loop = new Loop({ everyMs: EVERY_MS }, { clock: modules.clock, look: () => this.look(), onFailure })
  }

  start(): Promise<void> {
    return this.loop.start()
  }

  /** A call that is under way goes on without it. */
  stop(): Promise<void> {
    return this.loop.stop()
  }

  /** What `start` does again and again. @throws ArchiveError REGISTRY_*, CHAIN_* */
  async look(): Promise<void> {
    const { client } = this.modules.sender
    const { period, minimalFeeNanoMas } = await client.chain.readStatus()
    if (!this.isFirst(Math.floor(period / ERA_PERIODS))) return
    const { recordRetentionPeriods } = await client.read('getConfig', {})
    const keptFrom = period - 2 * Number(recordRetentionPeriods)
    const keys = await client.chain.listDatastoreKeys(client.address, KEY_PREFIX)
    const periods = keys.map((key) => Number(key.slice(KEY_PREFIX.length))).filter((of) => of < keptFrom)
    const { feeNanoMas } = this.options
    const least = computeLeastBatch(feeNanoMas === 0n ? minimalFeeNanoMas : feeNanoMas, RECORD_BYTES)
    await this.prune(
      periods.sort((a, b) => a - b),
      least,
    )
    this.failure = undefined
  }

  private isFirst(era: number): boolean {
    const nodes = this.modules.placement.inForce?.snapshot.nodes ?? []
    const addresses = nodes.map(({ address }) => address)
    return computeTurnRank({ prefix: TURN_PREFIX, n: era, address: this.options.address }, addresses) === 0
  }

  private async prune(periods: readonly number[], least: number): Promise<void> {
    const { sender, log } = this.modules
    for (let at = 0; periods.length - at >= least; at += MAX_PRUNED) {
      const ids = periods.slice(at, at + MAX_PRUNED).map(String)
      const key = ['prune', KEY_PREFIX, ...ids].join(' ')
      await orAborted(
        sender.send({ purpose: 'prune', key, call: 'prune', args: { kind: 'period', ids } }),
        this.loop.signal,
      )
      log.info({ count: ids.length }, 'records of periods pruned')
    }
  }

  private noteFailure(error: ArchiveError): void {
    if (this.failure?.code === error.code || isArchiveError(error, 'REGISTRY_NOTHING_PRUNED')) return
    this.failure = error
    this.modules.log.warn({ err: error, code: error.code }, 'records of periods not pruned')
  }
}
