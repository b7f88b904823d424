import { type ArchiveError, type Clock, challengeRecordKey, isArchiveError, Loop, PERIOD_MS } from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import { orAborted } from '../replication/or-aborted.ts'
import type { RegistrySender } from '../sending/registry-sender.ts'
import type { ChallengeEntry, ChallengeHistory } from './challenge-history.ts'
import { computeLeastBatch, MAX_PRUNED } from './least-batch.ts'

/** An hour: a record waits a day before it may go. */
const EVERY_MS = 225 * PERIOD_MS
/** A key with an id of 64 digits, the value, and what the chain counts for an entry. */
const RECORD_BYTES = 'chal_'.length + 64 + 176 + 4
/** Own clock and chain may differ, and the period of the block is a later one than that of the note. */
const MARGIN_PERIODS = 8
/** Records that one request looks for. */
const KEYS_AT_ONCE = 100
/** More than a history keeps. */
const ALL = 1_000_000

export interface RecordPrunerOptions {
  /** Of one operation; 0: the least that the node takes. */
  readonly feeNanoMas: bigint
}

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
  private readonly options: RecordPrunerOptions
  private readonly modules: RecordPrunerModules
  private readonly loop: Loop
  /** Ids without a record. */
  private readonly gone = new Set<string>()
  private failure: ArchiveError | undefined

  constructor(options: RecordPrunerOptions, modules: RecordPrunerModules) {
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
    if (ids.length === 0) return
    const { minimalFeeNanoMas } = await sender.client.chain.readStatus()
    const { feeNanoMas } = this.options
    const least = computeLeastBatch(feeNanoMas === 0n ? minimalFeeNanoMas : feeNanoMas, RECORD_BYTES)
    for (let at = 0; ids.length - at >= least; at += MAX_PRUNED) {
      const batch = ids.slice(at, at + MAX_PRUNED)
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
