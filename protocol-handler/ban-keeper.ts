import { type ArchiveError, type Clock, isArchiveError, Loop, type Spool } from '../core/index.ts'
import { decodeBans, encodeBans, MAX_KEPT_BANS } from './ban-record.ts'
import type { PeerScores } from './peer-scores.ts'

const MARK = 'peerBans'
/** Strangers who come to be banned make the disk write no more often than this. */
const LOOK_MS = 10_000

/** Bans outlive a restart: each is on disk within ten seconds, and at once where the operator waits for it. */
export class BanKeeper {
  private readonly scores: PeerScores
  private readonly marks: Pick<Spool, 'putMark' | 'readMark' | 'sync'>
  private readonly clock: Clock
  private readonly onFailure: (error: ArchiveError) => void
  private readonly loop: Loop
  private savedChanges = 0
  private writing: Promise<void> = Promise.resolve()

  constructor(modules: {
    readonly scores: PeerScores
    readonly marks: Pick<Spool, 'putMark' | 'readMark' | 'sync'>
    readonly clock: Clock
    /** What keeps bans from being written or read for now. */
    readonly onFailure: (error: ArchiveError) => void
  }) {
    this.scores = modules.scores
    this.marks = modules.marks
    this.clock = modules.clock
    this.onFailure = modules.onFailure
    this.loop = new Loop(
      { everyMs: LOOK_MS, looksLast: true },
      { clock: modules.clock, look: () => this.save(), onFailure: modules.onFailure },
    )
  }

  /** Puts in force what was kept. Bans whose record is damaged are lost, which is told: it is no reason not to start. */
  async load(): Promise<void> {
    try {
      const bytes = await this.marks.readMark(MARK)
      if (bytes) this.scores.restore(decodeBans(bytes, this.clock.nowMs()))
    } catch (error) {
      if (!isArchiveError(error, 'STORE_VALUE_CORRUPT') && !isArchiveError(error, 'CORE_BYTES_INVALID')) throw error
      this.onFailure(error)
    }
  }

  /** Runs until `stop`. @throws what is no ArchiveError: a bug */
  start(): Promise<void> {
    return this.loop.start()
  }

  /** What changed last is kept, too. */
  stop(): Promise<void> {
    return this.loop.stop()
  }

  /** Writes what changed since the last time; resolves when it survives a loss of power. @throws ArchiveError of the store */
  save(): Promise<void> {
    const saved = this.writing.then(() => this.write())
    this.writing = saved.catch(() => undefined)
    return saved
  }

  private async write(): Promise<void> {
    const { changes } = this.scores
    if (changes === this.savedChanges) return
    await this.marks.putMark(MARK, encodeBans(this.scores.keep(MAX_KEPT_BANS), this.clock.nowMs()))
    await this.marks.sync()
    this.savedChanges = changes
  }
}
