import {
  type ArchiveError,
  type Clock,
  Loop,
  type Network,
  PERIOD_MS,
  type Period,
  SLOT_MS,
  type Slot,
} from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { ChainStatus } from '../chain-port.ts'
import type { RegistryClient, RegistryLogEntry } from '../registry-client.ts'

export interface RegistryLogOptions {
  readonly network: Network
  /** From one look to the next. */
  readonly everyMs: number
  /** How far the first look goes back, and further where a challenge is open from before. */
  readonly lookBackPeriods: number
}

export interface RegistryLogModules {
  readonly client: Pick<RegistryClient, 'readEvents' | 'readAllNodes' | 'chain'>
  readonly clock: Clock
  readonly log: Logger
}

/** An event of the registry, told when it is first seen, and once more when it is final; at once as final, or never so. */
export interface ToldEvent extends RegistryLogEntry {
  readonly isFinal: boolean
}

type Listener = (told: ToldEvent) => void

/** Slot time as the contract counts it, ms since 1970. */
export function computeSlotTimeMs({ genesisTimestampMs }: Network, { period, thread }: Slot): number {
  return Number(genesisTimestampMs) + period * PERIOD_MS + thread * SLOT_MS
}

/**
 * What happens in the registry, from candidate blocks on: a proof that waits for finality may come too late. What is not
 * final is read again and again, however long a node takes to execute it. An event that is dropped again is not taken back:
 * it is one that never is told as final by the time `finalPeriod` is past it.
 */
export class RegistryLog {
  private readonly options: RegistryLogOptions
  private readonly modules: RegistryLogModules
  private readonly loop: Loop
  private readonly listeners = new Set<Listener>()
  /** What was told and is not final. */
  private readonly told = new Map<string, number>()
  private fromPeriod: number | undefined
  private status: Pick<ChainStatus, 'period' | 'finalPeriod'> | undefined
  private looking: Promise<void> | undefined
  private failure: ArchiveError | undefined

  constructor(options: RegistryLogOptions, modules: RegistryLogModules) {
    this.options = options
    this.modules = modules
    this.loop = new Loop(
      { everyMs: options.everyMs },
      { clock: modules.clock, look: () => this.look(), onFailure: (error) => this.noteFailure(error) },
    )
  }

  start(): Promise<void> {
    return this.loop.start()
  }

  stop(): Promise<void> {
    return this.loop.stop()
  }

  /** @returns ends it */
  listen(listener: Listener): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Period of the chain at the last look; undefined before the first. */
  get period(): number | undefined {
    return this.status?.period
  }

  /** Newest period up to which all that is final was told; undefined before the first look. */
  get finalPeriod(): number | undefined {
    return this.status?.finalPeriod
  }

  /** Reads what is new; one reading at a time. @throws ArchiveError CHAIN_* */
  look(): Promise<void> {
    this.looking ??= this.read().finally(() => {
      this.looking = undefined
    })
    return this.looking
  }

  private async read(): Promise<void> {
    const { client, log } = this.modules
    const status = await client.chain.readStatus()
    const from = this.fromPeriod ?? (await this.findFirst(status.period))
    const entries = await client.readEvents(from)
    if (this.failure) log.info({}, 'registry answers again')
    this.failure = undefined
    this.status = status
    for (const entry of entries) this.tell({ ...entry, isFinal: entry.slot.period <= status.finalPeriod })
    this.fromPeriod = Math.max(from, status.finalPeriod + 1)
    for (const [key, of] of this.told) if (of < this.fromPeriod) this.told.delete(key)
  }

  /** Nodes know in which period what is open of them was issued, however long ago: as long as it is, they cannot leave. */
  private async findFirst(period: Period): Promise<Period> {
    const nodes = await this.modules.client.readAllNodes()
    const open = nodes.filter(({ openChallenges }) => openChallenges > 0)
    const issued = open.map(({ lastChallengedPeriod }) => Number(lastChallengedPeriod))
    return Math.max(0, Math.min(period - this.options.lookBackPeriods, ...issued))
  }

  private tell(told: ToldEvent): void {
    const key = JSON.stringify(told, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))
    if (this.told.has(key)) return
    this.told.set(key, told.slot.period)
    for (const listener of this.listeners) listener(told)
  }

  private noteFailure(error: ArchiveError): void {
    if (this.failure?.code === error.code) return
    this.failure = error
    this.modules.log.warn({ err: error, code: error.code }, 'registry cannot be read')
  }
}
