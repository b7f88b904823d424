import { isArchiveError, type Period, type RegistryChallenge, type RegistryEvent, type Slot } from '../../core/index.ts'
import type { RegistrySender } from '../sending/registry-sender.ts'
import type { RegistryLog, ToldEvent } from './registry-log.ts'

/** Those that are watched at once; past it the oldest go. */
const MAX_WATCHED = 10_000

export type ChallengeEvent = Extract<RegistryEvent, { challengeId: string }>
export type ChallengeEndEvent = Exclude<ChallengeEvent, { name: 'CHALLENGE_ISSUED' }>

export interface OpenChallengesModules {
  readonly registryLog: Pick<RegistryLog, 'listen' | 'period' | 'finalPeriod'>
  readonly sender: Pick<RegistrySender, 'client'>
  /** Only what it says yes to is watched. */
  readonly isWatched?: (event: ChallengeEvent) => boolean
  /** One whose record was read is over, as a block says that may still be dropped. */
  readonly onOver?: (event: ChallengeEndEvent, slot: Slot, record: RegistryChallenge) => void
}

interface Watched {
  readonly issued: Slot
  isFinal: boolean
  record: RegistryChallenge | undefined
  /** Of the block that ends it. */
  endPeriod: Period | undefined
  /** When it was first read as resolved. */
  resolvedPeriod: Period | undefined
}

/**
 * Challenges that are open as far as candidate blocks say. A block may be dropped: one that is over is kept until that is
 * final, and is open again when it was not; one that was issued is forgotten when its block is in no chain, and is another
 * challenge when it comes again in another block.
 */
export class OpenChallenges {
  private readonly modules: OpenChallengesModules
  private readonly watched = new Map<string, Watched>()
  private readonly unlisten: () => void

  constructor(modules: OpenChallengesModules) {
    this.modules = modules
    this.unlisten = modules.registryLog.listen((told) => this.note(told))
  }

  stop(): void {
    this.unlisten()
  }

  get size(): number {
    return this.listIds().length
  }

  /** The record of one; undefined when it is not open. @throws ArchiveError CHAIN_* */
  async find(challengeId: string): Promise<RegistryChallenge | undefined> {
    const challenge = this.watched.get(challengeId)
    return challenge && challenge.endPeriod === undefined ? await this.read(challengeId, challenge) : undefined
  }

  has(challengeId: string): boolean {
    return this.watched.has(challengeId)
  }

  /**
   * Records of those that are open, the oldest first.
   *
   * @param wants - whether the chain is asked for one, by the slot of its issue
   * @throws ArchiveError CHAIN_*
   */
  async list(wants: (challengeId: string, issued: Slot) => boolean = () => true): Promise<RegistryChallenge[]> {
    const records: RegistryChallenge[] = []
    for (const challengeId of this.listIds()) {
      const challenge = this.watched.get(challengeId)
      if (!challenge || !wants(challengeId, challenge.issued)) continue
      const record = await this.read(challengeId, challenge)
      if (record) records.push(record)
    }
    return records
  }

  /** One that was issued at some time, and may be open still: the chain knows. */
  watch(challengeId: string): void {
    if (!this.watched.has(challengeId)) this.add(challengeId, { period: 0, thread: 0 }, true)
  }

  /** Has the chain asked again for their records: it says something else of them. */
  readAgain(challengeIds: readonly string[]): void {
    for (const challengeId of challengeIds) {
      const challenge = this.watched.get(challengeId)
      if (challenge) challenge.record = undefined
    }
  }

  /** Ids of those that are open, after what is final by now. */
  private listIds(): string[] {
    const { finalPeriod = -1 } = this.modules.registryLog
    for (const [challengeId, challenge] of this.watched) {
      if (!challenge.isFinal && challenge.issued.period <= finalPeriod) this.watched.delete(challengeId)
      // Its end would have been told as final.
      else if ((challenge.endPeriod ?? Number.POSITIVE_INFINITY) <= finalPeriod) challenge.endPeriod = undefined
    }
    return [...this.watched].filter(([, { endPeriod }]) => endPeriod === undefined).map(([challengeId]) => challengeId)
  }

  private note({ slot, event, isFinal }: ToldEvent): void {
    const { isWatched, onOver } = this.modules
    if (!('challengeId' in event) || isWatched?.(event) === false) return
    const { challengeId } = event
    const known = this.watched.get(challengeId)
    if (event.name === 'CHALLENGE_ISSUED') {
      if (known && isSameSlot(known.issued, slot)) known.isFinal = isFinal
      else this.add(challengeId, slot, isFinal)
      return
    }
    if (!known) return
    // It was over before it was seen open where there is no record: history that the first look goes back to.
    if (known.record && known.endPeriod === undefined) onOver?.(event, slot, known.record)
    known.endPeriod = slot.period
    if (isFinal) this.watched.delete(challengeId)
  }

  private add(challengeId: string, issued: Slot, isFinal: boolean): void {
    const [oldest] = this.watched.keys()
    if (this.watched.size >= MAX_WATCHED && oldest !== undefined) this.watched.delete(oldest)
    const unknown = { record: undefined, endPeriod: undefined, resolvedPeriod: undefined }
    this.watched.set(challengeId, { issued, isFinal, ...unknown })
  }

  private async read(challengeId: string, challenge: Watched): Promise<RegistryChallenge | undefined> {
    if (challenge.record) return challenge.record
    const { registryLog, sender } = this.modules
    let record: RegistryChallenge
    try {
      record = await sender.client.read('getChallenge', { challengeId })
    } catch (error) {
      // What the registry says of one is no reason to leave the others: its block was dropped, and may come again.
      if (!isArchiveError(error) || !error.code.startsWith('REGISTRY_')) throw error
      if (challenge.isFinal && error.code === 'REGISTRY_CHALLENGE_UNKNOWN') this.watched.delete(challengeId)
      return undefined
    }
    if (!record.resolved) {
      challenge.record = record
      return record
    }
    // The event comes with the next look, or was missed.
    challenge.resolvedPeriod ??= registryLog.period
    if ((registryLog.finalPeriod ?? -1) >= (challenge.resolvedPeriod ?? 0)) this.watched.delete(challengeId)
    return undefined
  }
}

function isSameSlot(a: Slot, b: Slot): boolean {
  return a.period === b.period && a.thread === b.thread
}
