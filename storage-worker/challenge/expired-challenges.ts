import { sha256 } from '#crypto'
import {
  type ArchiveError,
  type Clock,
  concatBytes,
  isArchiveError,
  Loop,
  type Network,
  PERIOD_MS,
  type RegistryChallenge,
} from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { RegistryLogEntry } from '../registry-client.ts'
import type { RegistrySender } from '../sending/registry-sender.ts'
import { computeSlotTimeMs, type RegistryLog } from './registry-log.ts'

/** Challenges of one call. */
const MAX_BATCH = 8
/** Those that are watched; past it the oldest are somebody else's. */
const MAX_WATCHED = 10_000
/** The issuer's turn is at once; all others wait two periods and as many more as their hash says, so one of them pays. */
const FIRST_TURN_PERIODS = 2
const TURNS = 16
const KEY = 'resolve'

export interface ExpiredChallengesOptions {
  readonly network: Network
  /** Massa address of this node. */
  readonly address: string
}

export interface ExpiredChallengesModules {
  readonly registryLog: Pick<RegistryLog, 'listen' | 'period'>
  readonly sender: Pick<RegistrySender, 'client' | 'send' | 'listUnderWay'>
  readonly clock: Clock
  readonly log: Logger
}

/** When this node may resolve a challenge that expired, in periods after its deadline. */
export function computeResolveTurn({ id, issuer }: Pick<RegistryChallenge, 'id' | 'issuer'>, address: string): number {
  if (issuer === address) return 0
  const hash = sha256(concatBytes(new TextEncoder().encode(id), new TextEncoder().encode(address)))
  return FIRST_TURN_PERIODS + ((hash[0] ?? 0) % TURNS)
}

/** Has the registry judge challenges that nobody answered in time, each once in the network as a rule. */
export class ExpiredChallenges {
  private readonly options: ExpiredChallengesOptions
  private readonly modules: ExpiredChallengesModules
  private readonly loop: Loop
  /** Open as far as is known; the record when it was read. */
  private readonly open = new Map<string, { readonly issuedMs: number; record?: RegistryChallenge | undefined }>()
  private readonly unlisten: () => void
  private timeoutMs: number | undefined
  private failure: ArchiveError | undefined

  /** @param everyMs - from one look to the next */
  constructor(everyMs: number, options: ExpiredChallengesOptions, modules: ExpiredChallengesModules) {
    this.options = options
    this.modules = modules
    this.unlisten = modules.registryLog.listen((entry) => this.note(entry))
    this.loop = new Loop({ everyMs }, { clock: modules.clock, look: () => this.look() })
  }

  start(): Promise<void> {
    return this.loop.start()
  }

  stop(): Promise<void> {
    this.unlisten()
    return this.loop.stop()
  }

  /** What `start` does again and again. */
  async look(): Promise<void> {
    try {
      const due = await this.listDue()
      for (let at = 0; at < due.length; at += MAX_BATCH) this.resolve(due.slice(at, at + MAX_BATCH))
      this.failure = undefined
    } catch (error) {
      if (!isArchiveError(error)) throw error
      this.noteFailure(error)
    }
  }

  private note({ slot, event }: RegistryLogEntry): void {
    if (!('challengeId' in event)) return
    if (event.name !== 'CHALLENGE_ISSUED') {
      this.open.delete(event.challengeId)
      return
    }
    const [oldest] = this.open.keys()
    if (this.open.size >= MAX_WATCHED && oldest !== undefined) this.open.delete(oldest)
    this.open.set(event.challengeId, { issuedMs: computeSlotTimeMs(this.options.network, slot) })
  }

  private async listDue(): Promise<string[]> {
    const { registryLog, sender } = this.modules
    if (this.open.size === 0 || registryLog.period === undefined) return []
    this.timeoutMs ??= Number((await sender.client.read('getConfig', {})).challengeResponseTimeout)
    const nowMs = computeSlotTimeMs(this.options.network, { period: registryLog.period, thread: 0 })
    const sent = new Set(sender.listUnderWay('resolve').flatMap((key) => key.split(' ')))
    const due: string[] = []
    for (const [challengeId, watched] of [...this.open]) {
      if (sent.has(challengeId) || nowMs <= watched.issuedMs + this.timeoutMs) continue
      // The settings may have changed since: what counts is in its record.
      watched.record ??= await this.read(challengeId)
      const { record } = watched
      if (!record || record.resolved) this.open.delete(challengeId)
      else if (nowMs > Number(record.deadline) + computeResolveTurn(record, this.options.address) * PERIOD_MS) {
        due.push(challengeId)
      }
    }
    return due
  }

  private async read(challengeId: string): Promise<RegistryChallenge | undefined> {
    try {
      return await this.modules.sender.client.read('getChallenge', { challengeId })
    } catch (error) {
      if (isArchiveError(error, 'REGISTRY_CHALLENGE_UNKNOWN')) return undefined
      throw error
    }
  }

  private resolve(challengeIds: readonly string[]): void {
    const { sender } = this.modules
    const key = [KEY, ...challengeIds].join(' ')
    const sending = sender.send({
      purpose: 'resolve',
      key,
      call: 'resolveExpiredChallenges',
      args: { challengeIds: [...challengeIds] },
    })
    void sending.then(
      () => this.forget(challengeIds),
      (error: unknown) => this.noteSendFailure(challengeIds, error),
    )
  }

  private forget(challengeIds: readonly string[]): void {
    for (const challengeId of challengeIds) this.open.delete(challengeId)
  }

  /** Somebody was first: that is no failure. */
  private noteSendFailure(challengeIds: readonly string[], error: unknown): void {
    if (this.loop.signal.aborted) return
    if (!isArchiveError(error)) this.modules.log.error({ err: error }, 'expired challenges not resolved')
    else if (error.code === 'REGISTRY_NOTHING_EXPIRED') this.forget(challengeIds)
    else this.noteFailure(error)
  }

  private noteFailure(error: ArchiveError): void {
    if (this.failure?.code === error.code) return
    this.failure = error
    this.modules.log.warn({ err: error, code: error.code }, 'expired challenges not resolved')
  }
}
