import { type ArchiveError, type Clock, isArchiveError, Loop, type Spool } from '../core/index.ts'

/** What is kept under a name of the spool. */
export interface KeptMark {
  readonly name: string
  /** It is written so often at most. */
  readonly everyMs: number
  /** Another number whenever there is something else to be written. */
  readonly countChanges: () => number
  readonly encode: () => Uint8Array
  /** Puts in force what was kept. @throws ArchiveError CORE_BYTES_INVALID */
  readonly restore: (bytes: Uint8Array) => void
}

export interface MarkModules {
  readonly marks: Pick<Spool, 'putMark' | 'readMark' | 'sync'>
  readonly clock: Clock
  /** What keeps it from being written or read for now. */
  readonly onFailure: (error: ArchiveError) => void
}

/** Something that outlives a restart: on disk soon after it changed, and at once where somebody waits for it. */
export class MarkKeeper {
  private readonly kept: KeptMark
  private readonly modules: MarkModules
  private readonly loop: Loop
  private savedChanges = 0
  private writing: Promise<void> = Promise.resolve()

  constructor(kept: KeptMark, modules: MarkModules) {
    this.kept = kept
    this.modules = modules
    this.loop = new Loop(
      { everyMs: kept.everyMs, looksLast: true },
      { clock: modules.clock, look: () => this.save(), onFailure: modules.onFailure },
    )
  }

  /** Puts in force what was kept. A damaged record is lost, which is told: it is no reason not to start. */
  async load(): Promise<void> {
    try {
      const bytes = await this.modules.marks.readMark(this.kept.name)
      if (bytes) this.kept.restore(bytes)
    } catch (error) {
      if (!isArchiveError(error, 'STORE_VALUE_CORRUPT') && !isArchiveError(error, 'CORE_BYTES_INVALID')) throw error
      this.modules.onFailure(error)
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
    const { marks } = this.modules
    const changes = this.kept.countChanges()
    if (changes === this.savedChanges) return
    await marks.putMark(this.kept.name, this.kept.encode())
    await marks.sync()
    this.savedChanges = changes
  }
}
