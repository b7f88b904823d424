import { type ArchiveError, ByteReader, ByteWriter, type Clock, isArchiveError, type Spool } from '../core/index.ts'

const MARK = 'ownSequence'
const RECORD_VERSION = 1

/** The numbers of what this sidecar says of itself: they grow, also when the clock was ahead and is set right. */
export class OwnSequence {
  private readonly marks: Pick<Spool, 'putMark' | 'readMark' | 'sync'>
  private readonly clock: Clock
  private readonly onFailure: (error: ArchiveError) => void
  private last: bigint | undefined

  constructor(modules: {
    readonly marks: Pick<Spool, 'putMark' | 'readMark' | 'sync'>
    readonly clock: Clock
    /** The record of the last number is damaged: the clock says how to go on. */
    readonly onFailure: (error: ArchiveError) => void
  }) {
    this.marks = modules.marks
    this.clock = modules.clock
    this.onFailure = modules.onFailure
  }

  /**
   * The wall clock in milliseconds, or one more than the last number where that is more. It is on disk before it is
   * used. Not to be called while a call is under way.
   *
   * @throws ArchiveError of the store
   */
  async next(): Promise<bigint> {
    this.last ??= await this.read()
    const now = BigInt(Math.max(0, Math.floor(this.clock.nowMs())))
    const sequence = now > this.last ? now : this.last + 1n
    await this.marks.putMark(MARK, new ByteWriter(9).u8(RECORD_VERSION).u64(sequence).finish())
    await this.marks.sync()
    this.last = sequence
    return sequence
  }

  private async read(): Promise<bigint> {
    try {
      const bytes = await this.marks.readMark(MARK)
      return bytes ? decodeSequence(bytes) : 0n
    } catch (error) {
      if (!isArchiveError(error, 'STORE_VALUE_CORRUPT') && !isArchiveError(error, 'CORE_BYTES_INVALID')) throw error
      this.onFailure(error)
      return 0n
    }
  }
}

function decodeSequence(bytes: Uint8Array): bigint {
  const reader = new ByteReader(bytes)
  const version = reader.u8()
  if (version !== RECORD_VERSION) throw reader.error(`a sequence of version ${version}`)
  const sequence = reader.u64()
  reader.end()
  return sequence
}
