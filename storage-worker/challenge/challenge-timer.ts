import {
  type ArchiveError,
  type Clock,
  computeAuditFees,
  computePeriodReward,
  isArchiveError,
  Loop,
  PERIOD_MS,
  type Period,
  type RegistryNode,
  toHex,
} from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { Suspicion } from '../replication/suspicions.ts'
import type { RegistrySender } from '../sending/registry-sender.ts'
import type { ChainChallenger, ChallengeTarget } from './chain-challenger.ts'
import type { AuditDraw } from './draw-source.ts'
import type { RegistryLog } from './registry-log.ts'

/** Challenges after failed audits are no draws, and their ids say so (docs/FORMAT.md, Challenge draw). */
const AFTER_AUDITS = 'a-'
const ID_BYTES = 16
/** The contract's, and what an operation has room for. */
const MAX_AUDIT = 8
/** A suspected chunk is asked for on chain once in a day. */
const AGAIN_PERIODS = 5_400
/**
 * What was not issued is tried every two minutes: where the registry takes no audit of the node yet it is a trial run, which
 * costs nothing; where it was in no block, or the massa-node was away, nothing was spent.
 */
const AGAIN_SOON_PERIODS = 8
/** Refusals that time alone ends: with it other placements come to count, too. */
const NOT_YET: readonly string[] = [
  'REGISTRY_AUDIT_OPEN',
  'REGISTRY_NOT_HOLDER',
  'REGISTRY_PLACEMENT_AGE',
  'REGISTRY_TOO_SOON',
]

export interface ChallengeTimerOptions {
  readonly address: string
  /** From one draw to the next. */
  readonly frequencyPeriods: number
  /** Between two audits of one node by this challenger. */
  readonly minIntervalPeriods: number
  /** The most that fees of an audit may take of what the node earns from one to the next. */
  readonly maxFeePercent: number
  /** Of one operation; 0: the least that the node takes. */
  readonly feeNanoMas: bigint
}

export interface ChallengeTimerModules {
  readonly registryLog: Pick<RegistryLog, 'period'>
  readonly sender: Pick<RegistrySender, 'client'>
  readonly challenger: Pick<ChainChallenger, 'issue'>
  readonly draw: (period: Period, count: number) => Promise<AuditDraw | 'unarchived' | undefined>
  /** Chunks that nodes did not show twice in a row. */
  readonly listSuspicions: () => readonly Suspicion[]
  readonly findChunkId: (period: Period, index: number) => Promise<Uint8Array | undefined>
  /** As of a `ChunkEvidence`. */
  readonly gatherEvidence: (node: string, chunkId: Uint8Array, placementEra?: number) => Promise<Uint8Array | undefined>
  /** So many random bytes. */
  readonly random: (count: number) => Uint8Array
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Challenges by the clock of the chain: what a draw names in each period that `challenge_frequency_periods` divides, and
 * what nodes did not show to audits off chain. Does nothing while the registry does not let this node challenge.
 */
export class ChallengeTimer {
  private readonly options: ChallengeTimerOptions
  private readonly modules: ChallengeTimerModules
  private readonly loop: Loop
  private drawnPeriod: Period | undefined
  /** What was drawn for a period and not issued, and from when on it is tried again. */
  private retry: { readonly due: Period; readonly from: Period } | undefined
  /** Suspected chunks that were asked for, and from when on they may be again. */
  private readonly againFrom = new Map<string, Period>()
  private failure: ArchiveError | undefined

  /** @param everyMs - from one look to the next */
  constructor(everyMs: number, options: ChallengeTimerOptions, modules: ChallengeTimerModules) {
    this.options = options
    this.modules = modules
    const onFailure = (error: ArchiveError) => this.noteFailure(error)
    this.loop = new Loop({ everyMs }, { clock: modules.clock, look: () => this.look(), onFailure })
  }

  start(): Promise<void> {
    return this.loop.start()
  }

  stop(): Promise<void> {
    return this.loop.stop()
  }

  /** What `start` does again and again. Resolves when what is due is on its way. @throws ArchiveError CHAIN_*; of the store */
  async look(): Promise<void> {
    const { registryLog } = this.modules
    const { period } = registryLog
    if (period === undefined) return
    await this.drawAt(period)
    await this.escalate(period)
    this.failure = undefined
  }

  private async drawAt(period: Period): Promise<void> {
    const { frequencyPeriods, address } = this.options
    const { sender, draw } = this.modules
    const due = Math.floor(period / frequencyPeriods) * frequencyPeriods
    if (due === 0 || (this.retry?.due === due ? period < this.retry.from : due === this.drawnPeriod)) return
    this.drawnPeriod = undefined
    this.retry = undefined
    if (!(await sender.client.read('isChallenger', { address }))) {
      this.drawnPeriod = due
      return
    }
    const { maxOpenChallengesPerNode } = await sender.client.read('getConfig', {})
    const audit = await draw(due, Math.min(MAX_AUDIT, maxOpenChallengesPerNode))
    if (audit === 'unarchived') return
    if (audit && audit.node !== address) await this.issueDrawn(audit, period, due)
    // Not before: what could not be looked at is looked at again.
    this.drawnPeriod = due
  }

  private async issueDrawn(audit: AuditDraw, period: Period, due: Period): Promise<void> {
    const node = await this.findNode(audit.node)
    if (!node?.active || node.leaving) return
    const reason = await this.findReasonToWait(node, { period, challenges: audit.targets.length })
    if (reason !== undefined) {
      this.modules.log.debug({ node: audit.node, period: due, reason }, 'no challenge issued')
      return
    }
    const targets = await this.prove(audit)
    if (targets.length === 0) return
    this.issue(audit.node, targets, (error) => {
      if (error.code.startsWith('REGISTRY_') || due < (this.retry?.due ?? 0)) return
      this.retry = { due, from: period + AGAIN_SOON_PERIODS }
    })
  }

  /** Undefined when it has left: an anchored placement may still name it. */
  private async findNode(address: string): Promise<RegistryNode | undefined> {
    try {
      return await this.modules.sender.client.read('getNodeInfo', { address })
    } catch (error) {
      if (isArchiveError(error, 'REGISTRY_NODE_UNKNOWN')) return undefined
      throw error
    }
  }

  /** Why this node is not to be challenged by a draw now. */
  private async findReasonToWait(
    node: RegistryNode,
    { period, challenges }: { readonly period: Period; readonly challenges: number },
  ): Promise<string | undefined> {
    const { minIntervalPeriods, maxFeePercent, feeNanoMas } = this.options
    const { client } = this.modules.sender
    const sincePeriods = BigInt(period) - node.lastChallengedPeriod
    if (sincePeriods < BigInt(minIntervalPeriods)) return 'it was challenged not long ago'
    const config = await client.read('getConfig', {})
    const { minimalFeeNanoMas } = await client.chain.readStatus()
    // One that was never challenged earns since it registered.
    const earningPeriods = BigInt(period) - maxOf(node.lastChallengedPeriod, node.registeredPeriod)
    const earnedNanoMas = computePeriodReward(node, await client.readState(), config) * earningPeriods
    const feesNanoMas = computeAuditFees(challenges, feeNanoMas === 0n ? minimalFeeNanoMas : feeNanoMas)
    if (feesNanoMas * 100n > earnedNanoMas * BigInt(maxFeePercent)) return 'fees would take too much of what it earns'
    return undefined
  }

  private async escalate(period: Period): Promise<void> {
    const { listSuspicions, sender, findChunkId, random } = this.modules
    const suspicion = listSuspicions().find((each) => this.isDue(each, period))
    if (!suspicion) return
    const key = keyOf(suspicion)
    for (const [other, from] of this.againFrom) if (from <= period) this.againFrom.delete(other)
    const askAgainIn = (periods: number) => void this.againFrom.set(key, period + periods)
    askAgainIn(AGAIN_SOON_PERIODS)
    const { address } = this.options
    if (!(await sender.client.read('isChallenger', { address }))) return askAgainIn(AGAIN_PERIODS)
    const chunkId = await findChunkId(suspicion.period, suspicion.index)
    if (!chunkId) return askAgainIn(AGAIN_PERIODS)
    const nonce = new DataView(random(8).buffer).getBigUint64(0)
    const target = { challengeId: AFTER_AUDITS + toHex(random(ID_BYTES)), chunkId, nonce }
    const targets = await this.prove({ node: suspicion.address, targets: [target] })
    if (targets.length === 0) return
    askAgainIn(AGAIN_PERIODS)
    this.issue(suspicion.address, targets, (error) => {
      if (!error.code.startsWith('REGISTRY_') || NOT_YET.includes(error.code)) askAgainIn(AGAIN_SOON_PERIODS)
    })
  }

  /** With the evidence that the registry requires, if it does; those for which something lacks are left out. */
  private async prove({ node, targets, placementEra }: Omit<AuditDraw, 'signature'>): Promise<AuditDraw['targets']> {
    const { gatherEvidence, log } = this.modules
    const proven: ChallengeTarget[] = []
    for (const target of targets) {
      try {
        const evidence = await gatherEvidence(node, target.chunkId, placementEra)
        proven.push({ ...target, ...(evidence && { evidence }) })
      } catch (error) {
        if (!isArchiveError(error) || !/^(CHAIN_EVIDENCE|REGISTRY)_/.test(error.code)) throw error
        log.debug({ node, reason: error.code }, 'no challenge issued')
      }
    }
    return proven
  }

  private isDue(suspicion: Suspicion, period: Period): boolean {
    return period >= (this.againFrom.get(keyOf(suspicion)) ?? 0)
  }

  /** It is over long after: nothing waits for it. `onFailure`: it was not issued. */
  private issue(node: string, targets: AuditDraw['targets'], onFailure: (error: ArchiveError) => void): void {
    this.modules.challenger.issue(node, targets).catch((error: unknown) => {
      if (this.loop.signal.aborted) return
      if (isArchiveError(error)) onFailure(error)
      const { log } = this.modules
      if (!isArchiveError(error)) log.error({ node, err: error }, 'no challenge issued')
      // Another challenger was first, or this draw was issued before a restart.
      else if (error.code.startsWith('REGISTRY_')) log.debug({ node, reason: error.code }, 'no challenge issued')
      else log.warn({ node, err: error, code: error.code }, 'no challenge issued')
    })
  }

  private noteFailure(error: ArchiveError): void {
    if (this.failure?.code === error.code) return
    this.failure = error
    this.modules.log.warn({ err: error, code: error.code }, 'no challenges can be issued')
  }
}

/** What `min_challenge_interval` says, in periods. */
export function computeIntervalPeriods(intervalMs: number): number {
  return Math.ceil(intervalMs / PERIOD_MS)
}

function maxOf(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}

function keyOf({ address, period, index }: Suspicion): string {
  return `${address} ${period} ${index}`
}
