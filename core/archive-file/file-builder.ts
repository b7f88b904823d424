import { ArchiveError } from '../errors.ts'
import { computeBodyBytes, computeEraRoot, computePeriodRoot } from '../manifest.ts'
import { ERA_PERIODS } from '../units.ts'
import { encodeFileEra, type FileEra } from './era-evidence.ts'
import { type ArchiveFileHead, encodeFileHead, MAX_FILE_PERIODS } from './file-head.ts'
import {
  computeFileRoot,
  type EraPlace,
  encodeFileIndex,
  encodeTrailer,
  type FilePlace,
  type PeriodPlace,
  TRAILER_BYTES,
} from './file-index.ts'
import { encodeFileRecord } from './file-record.ts'
import { encodePeriodSection, type FilePeriod } from './period-section.ts'

/**
 * The bytes of an archive file, period by period: what a call gives is to be written behind what the calls before it gave.
 *
 * Keeps 44 bytes of each period, and nothing else.
 */
export class ArchiveFileBuilder {
  private readonly head: ArchiveFileHead
  private readonly periods: PeriodPlace[] = []
  private readonly eras: EraPlace[] = []
  private totalBytes = 0n
  private totalChunks = 0n
  private offset = 0

  /** @throws ArchiveError CORE_NUMBER_OUT_OF_RANGE when it is of no period, or more than 1,048,576 */
  constructor(head: ArchiveFileHead) {
    const count = head.last - head.first + 1
    if (count < 1 || count > MAX_FILE_PERIODS) {
      const message = `an archive file holds 1 to ${MAX_FILE_PERIODS} periods, not ${count}`
      throw new ArchiveError('CORE_NUMBER_OUT_OF_RANGE', message)
    }
    this.head = head
  }

  /** What a file begins with. */
  begin(): Uint8Array[] {
    const parts = [...encodeFileRecord('identity', encodeFileHead(this.head))]
    this.place(parts)
    return parts
  }

  /** The next period. @throws Error when it is another one */
  addPeriod(period: FilePeriod): Uint8Array[] {
    const { manifest } = period
    const due = this.head.first + this.periods.length
    if (manifest.period !== due || due > this.head.last) throw new Error(`period ${manifest.period} for ${due}`)
    if (due % ERA_PERIODS === 0) [this.totalBytes, this.totalChunks] = [0n, 0n]
    this.totalBytes += BigInt(computeBodyBytes(manifest))
    this.totalChunks += BigInt(manifest.chunks.length)
    const parts = encodePeriodSection(period)
    this.periods.push({ period: due, root: computePeriodRoot(manifest), ...this.place(parts) })
    return parts
  }

  /** The era that ended with the period that was added last, if all of it is in the file. */
  get endedEra(): Omit<FileEra, 'anchor'> | undefined {
    const last = this.periods.at(-1)?.period ?? 0
    if ((last + 1) % ERA_PERIODS !== 0 || this.periods.length < ERA_PERIODS) return undefined
    const era = Math.floor(last / ERA_PERIODS)
    const { totalBytes, totalChunks } = this
    const roots = this.periods.slice(-ERA_PERIODS).map(({ root }) => root)
    const root = computeEraRoot({ network: this.head.network, era, totalBytes, totalChunks }, roots)
    return { era, root, totalBytes, totalChunks }
  }

  addEra(era: FileEra): Uint8Array[] {
    const parts = [...encodeFileRecord('era', encodeFileEra(era))]
    this.eras.push({ era: era.era, ...this.place(parts) })
    return parts
  }

  /** What a file ends with. @throws Error when a period is missing */
  end(): { readonly parts: Uint8Array[]; readonly root: Uint8Array; readonly fileBytes: number } {
    const { first, last } = this.head
    if (this.periods.length !== last - first + 1)
      throw new Error(`${this.periods.length} periods of ${first} to ${last}`)
    const parts = [...encodeFileRecord('index', encodeFileIndex({ periods: this.periods, eras: this.eras }))]
    const index = this.place(parts)
    const root = computeFileRoot(this.periods.map((period) => period.root))
    const fileBytes = this.offset + TRAILER_BYTES
    parts.push(...encodeFileRecord('trailer', encodeTrailer({ fileBytes, index, root })))
    return { parts, root, fileBytes }
  }

  private place(parts: readonly Uint8Array[]): FilePlace {
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    this.offset += length
    return { offset: this.offset - length, length }
  }
}
