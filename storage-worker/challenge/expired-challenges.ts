import {
  type ArchiveError,
  type Clock,
  computeTurnRank,
  isArchiveError,
  Loop,
  type Network,
  PERIOD_MS,
  PERIODS_PER_RANK,
  type RegistryChallenge,
} from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { RegistrySender } from '../sending/registry-sender.ts'
import { OpenChallenges } from './open-challenges.ts'
import { computeSlotTimeMs, type RegistryLog } from './registry-log.ts'

/** Challenges of one call. */
const MAX_BATCH = 8
/** Of what one period issued all is judged in the same order, so that one call does for an audit. */
const PREFIX = 'massa-storage/resolve/1:'
const KEY = 'resolve'

export interface ExpiredChallengesOptions {
  readonly network: Network
  /** Massa address of this node. */
  readonly address: string
}

export interface ExpiredChallengesModules {
  /** Of a `PlacementWatch`. */
  readonly placement: {
    readonly inForce: { readonly snapshot: { readonly nodes: readonly { readonly address: string }[] } } | undefined
  }
  readonly registryLog: Pick<RegistryLog, 'listen' | 'period' | 'finalPeriod'>
  readonly sender: Pick<RegistrySender, 'client' | 'send' | 'listUnderWay'>
  readonly clock: Clock
  readonly log: Logger
}

/**
 * When this node may resolve a challenge that expired, in periods after its deadline: the issuer at once, then one node after
 * the other, so that one of them pays.
 *
 * @param addresses - Massa addresses of the nodes that may, in any order; who is not among them comes last
 */
export function computeResolveTurn(
  { issuedPeriod, issuer }: Pick<RegistryChallenge, 'issuedPeriod' | 'issuer'>,
  address: string,
  addresses: readonly string[],
): number {
  if (issuer === address) return 0
  const others = addresses.filter((other) => other !== issuer)
  const rank = computeTurnRank({ prefix: PREFIX, n: Number(issuedPeriod), address }, others) ?? others.length
  return (1 + rank) * PERIODS_PER_RANK
}

/** Has the registry judge challenges that nobody answered in time, each once in the network as a rule. */
export class ExpiredChallenges {
  private readonly options: ExpiredChallengesOptions
  private readonly modules: ExpiredChallengesModules
  private readonly loop: Loop
  private readonly open: OpenChallenges
  private timeoutMs: number | undefined
  private failure: ArchiveError | undefined

  /** @param everyMs - from one look to the next */
  constructor(everyMs: number, options: ExpiredChallengesOptions, modules: ExpiredChallengesModules) {
    this.options = options
    this.modules = modules
    this.open = new OpenChallenges(modules)
    this.loop = new Loop({ everyMs }, { clock: modules.clock, look: () => this.look() })
  }

  start(): Promise<void> {
    return this.loop.start()
  }

  stop(): Promise<void> {
    this.open.stop()
    return this.loop.stop()
  }

  /** One that was issued at some time, whether or not the massa-node still has the events of that. */
  watch(challengeId: string): void {
    this.open.watch(challengeId)
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

  private async listDue(): Promise<string[]> {
    const { registryLog, sender } = this.modules
    const { network, address } = this.options
    if (this.open.size === 0 || registryLog.period === undefined) return []
    this.timeoutMs ??= Number((await sender.client.read('getConfig', {})).challengeResponseTimeout)
    const { timeoutMs } = this
    const nowMs = computeSlotTimeMs(network, { period: registryLog.period, thread: 0 })
    const sent = new Set(sender.listUnderWay('resolve').flatMap((key) => key.split(' ')))
    // The settings may have changed since: what counts is in its record.
    const records = await this.open.list(
      (challengeId, issued) => !sent.has(challengeId) && nowMs > computeSlotTimeMs(network, issued) + timeoutMs,
    )
    const late = records.filter(({ deadline }) => nowMs > Number(deadline))
    if (late.length === 0) return []
    const addresses = await this.listNodes()
    return late
      .filter((record) => nowMs > Number(record.deadline) + computeResolveTurn(record, address, addresses) * PERIOD_MS)
      .map(({ id }) => id)
  }

  /** Who is registered, where no placement is in force yet: else all would have the same turn. */
  private async listNodes(): Promise<string[]> {
    const { placement, sender } = this.modules
    const nodes = placement.inForce?.snapshot.nodes ?? (await sender.client.readAllNodes())
    return nodes.map(({ address }) => address)
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
    void sending.catch((error: unknown) => this.noteSendFailure(challengeIds, error))
  }

  /** Somebody was first: that is no failure. */
  private noteSendFailure(challengeIds: readonly string[], error: unknown): void {
    if (this.loop.signal.aborted) return
    if (!isArchiveError(error)) this.modules.log.error({ err: error }, 'expired challenges not resolved')
    else if (error.code === 'REGISTRY_NOTHING_EXPIRED') this.open.readAgain(challengeIds)
    else this.noteFailure(error)
  }

  private noteFailure(error: ArchiveError): void {
    if (this.failure?.code === error.code) return
    this.failure = error
    this.modules.log.warn({ err: error, code: error.code }, 'expired challenges not resolved')
  }
}
