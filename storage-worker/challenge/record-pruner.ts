import { type ArchiveError, type Clock, challengeRecordKey, isArchiveError, Loop, PERIOD_MS } from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import { orAborted } from '../replication/or-aborted.ts'
import type { RegistrySender } from '../sending/registry-sender.ts'
import type { ChallengeEntry, ChallengeHistory } from './challenge-history.ts'

/** An hour: a record waits a day before it may go. */
const EVERY_MS = 225 * PERIOD_MS
/** Ids that `prune` takes (docs/CONTRACT.md, Functions). */
const MAX_BATCH = 20
/** Each brings 0.0249 MAS back, and a call costs 0.01: of fewer the fee would be more than a twentieth. */
const MIN_BATCH = 8
/** Own clock and chain may differ, and the period of the block is a later one than that of the note. */
const MARGIN_PERIODS = 8
/** Records that one request looks for. */
const KEYS_AT_ONCE = 100
/** More than a history keeps. */
const ALL = 1_000_000

export interface RecordPrunerModules {
  readonly sender: Pick<RegistrySender, 'client' | 'send'>
  readonly history: Pick<ChallengeHistory, 'list'>
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Has the registry delete records of challenges that this node issued, once they may be: their coins come back to who deletes
 * them, and for as long again that may be none but the issuer.
 */
export class RecordPruner {
  private readonly modules: RecordPrunerModules
  private readonly loop: Loop
  /** Ids without a record. */
  private readonly gone = new Set<string>()
  private failure: ArchiveError | undefined

  constructor(modules: RecordPrunerModules) {
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

  /** What `start` does again and again. @throws ArchiveError REGISTRY_*, CHAIN_*; of the store */
  async look(): Promise<void> {
    const { sender, history, clock } = this.modules
    const { recordRetentionPeriods } = await sender.client.read('getConfig', {})
    const dueMs = clock.nowMs() - (Number(recordRetentionPeriods) + MARGIN_PERIODS) * PERIOD_MS
    const entries = await history.list(ALL)
    const isDue = ({ kind, result, isCandidate, issuedAtMs, challengeId }: ChallengeEntry) =>
      kind === 'challenge' && result !== 'open' && !isCandidate && issuedAtMs <= dueMs && !this.gone.has(challengeId)
    const ids = entries.filter(isDue).map(({ challengeId }) => challengeId)
    // What the history forgets need not be remembered here.
    const known = new Set(entries.map(({ challengeId }) => challengeId))
    for (const id of this.gone) if (!known.has(id)) this.gone.delete(id)
    await this.prune(await this.listPresent(ids.reverse()))
    this.failure = undefined
  }

  private async listPresent(ids: readonly string[]): Promise<string[]> {
    const { client } = this.modules.sender
    const present: string[] = []
    for (let at = 0; at < ids.length; at += KEYS_AT_ONCE) {
      const asked = ids.slice(at, at + KEYS_AT_ONCE)
      const records = await client.chain.readDatastore(client.address, asked.map(challengeRecordKey))
      for (const [i, id] of asked.entries()) {
        if (records[i]) present.push(id)
        else this.gone.add(id)
      }
    }
    return present
  }

  private async prune(ids: readonly string[]): Promise<void> {
    const { sender, log } = this.modules
    for (let at = 0; ids.length - at >= MIN_BATCH; at += MAX_BATCH) {
      const batch = ids.slice(at, at + MAX_BATCH)
      const key = ['prune', ...batch].join(' ')
      const order = { purpose: 'prune', key, call: 'prune', args: { kind: 'challenge', ids: batch } } as const
      await orAborted(sender.send(order), this.loop.signal)
      log.info({ count: batch.length }, 'records of challenges pruned')
    }
  }

  private noteFailure(error: ArchiveError): void {
    if (this.failure?.code === error.code || isArchiveError(error, 'REGISTRY_NOTHING_PRUNED')) return
    this.failure = error
    this.modules.log.warn({ err: error, code: error.code }, 'records of challenges not pruned')
  }
}
