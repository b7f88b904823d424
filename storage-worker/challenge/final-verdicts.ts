import {
  type ArchiveError,
  type ChallengeOutcome,
  type Clock,
  challengeRecordKey,
  Loop,
  PERIOD_MS,
  readChallengeOutcome,
} from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { RegistrySender } from '../sending/registry-sender.ts'
import { CHAIN_ENDS } from './chain-ends.ts'
import type { ChallengeEntry, ChallengeHistory } from './challenge-history.ts'
import { tellResult } from './tell-result.ts'

/** Records that one request looks for. */
const KEYS_AT_ONCE = 100
/** An operation lives for ten periods and is final some four later: what is in no final block by then was dropped. */
const LOST_PERIODS = 64

export interface FinalVerdictsModules {
  readonly sender: Pick<RegistrySender, 'client'>
  readonly history: Pick<ChallengeHistory, 'append' | 'listCandidates' | 'rateOf'>
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Reads the ends of challenges again once they are final, and corrects the history where a block that said otherwise was
 * dropped. What the history has as candidate it looks at after a restart, too.
 */
export class FinalVerdicts {
  private readonly modules: FinalVerdictsModules
  private readonly loop: Loop
  private readonly waiting = new Map<string, ChallengeEntry>()
  private hasScanned = false
  private failure: ArchiveError | undefined

  constructor(modules: FinalVerdictsModules) {
    this.modules = modules
    const onFailure = (error: ArchiveError) => this.noteFailure(error)
    this.loop = new Loop({ everyMs: PERIOD_MS }, { clock: modules.clock, look: () => this.look(), onFailure })
  }

  start(): Promise<void> {
    return this.loop.start()
  }

  stop(): Promise<void> {
    return this.loop.stop()
  }

  /** One that the history has as candidate. */
  note(entry: ChallengeEntry): void {
    this.waiting.set(entry.challengeId, entry)
  }

  /** What `start` does again and again. @throws ArchiveError CHAIN_*, CORE_BYTES_INVALID; of the store */
  async look(): Promise<void> {
    if (!this.hasScanned) {
      for (const entry of await this.modules.history.listCandidates()) this.note(entry)
      this.hasScanned = true
    }
    const entries = [...this.waiting.values()]
    for (let at = 0; at < entries.length; at += KEYS_AT_ONCE) await this.check(entries.slice(at, at + KEYS_AT_ONCE))
    this.failure = undefined
  }

  private async check(entries: readonly ChallengeEntry[]): Promise<void> {
    const { client } = this.modules.sender
    const keys = entries.map(({ challengeId }) => challengeRecordKey(challengeId))
    const records = await client.chain.readDatastore(client.address, keys, { isFinal: true })
    for (const [i, entry] of entries.entries()) {
      const record = records[i]
      const outcome = record ? readChallengeOutcome(record) : await this.judgeAbsent(entry)
      if (outcome !== 'open') await this.close(entry, outcome)
    }
  }

  /** Its block was dropped and came in no other; or its record was pruned, and then what was seen is all that is known. */
  private async judgeAbsent({ issuedAtMs }: ChallengeEntry): Promise<ChallengeOutcome | 'pruned'> {
    const { clock, sender } = this.modules
    const agePeriods = Math.floor((clock.nowMs() - issuedAtMs) / PERIOD_MS)
    if (agePeriods < LOST_PERIODS) return 'open'
    const { recordRetentionPeriods } = await sender.client.read('getConfig', {})
    return agePeriods < recordRetentionPeriods ? 'void' : 'pruned'
  }

  private async close(entry: ChallengeEntry, outcome: Exclude<ChallengeOutcome, 'open'> | 'pruned'): Promise<void> {
    const { history, log } = this.modules
    const { isCandidate, ...told } = entry
    const final = outcome === 'pruned' ? told : { ...told, ...CHAIN_ENDS[outcome] }
    await history.append(final)
    this.waiting.delete(entry.challengeId)
    if (final.result === told.result) return
    const { node, chunkId: chunk, result } = final
    log.warn({ node, chunk, result, other: told.result }, 'a challenge ended otherwise than a dropped block said')
    await tellResult(final, history, log)
  }

  private noteFailure(error: ArchiveError): void {
    if (this.failure?.code === error.code) return
    this.failure = error
    this.modules.log.warn({ err: error, code: error.code }, 'ends of challenges are not known to be final')
  }
}
