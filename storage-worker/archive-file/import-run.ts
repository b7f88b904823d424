import { markFromFile } from '../../archiver/attestation.ts'
import {
  ArchiveError,
  type ChunkStore,
  concatBytes,
  isArchiveError,
  type Period,
  type PeriodPlace,
  parsePeriodSection,
  splitBody,
} from '../../core/index.ts'
import { readChainEnd } from '../bootstrap/chain-end.ts'
import { LinkChain } from '../bootstrap/link-chain.ts'
import { LinkWindow, type OpenBlock, type WindowPeriod } from '../bootstrap/link-window.ts'
import { linksOf, type PeriodLinks, readHeads } from '../bootstrap/period-links.ts'
import { checkPeriods, isRestart, unknownEnd } from './check-file.ts'
import type { CheckedPeriod } from './check-period.ts'
import type { ArchiveFile } from './file-reader.ts'
import type { ImportModules } from './import-file.ts'

/** Of periods that wait for the blocks further down that prove their empty slots: seconds of a full chain. */
const MAX_WAITING_BYTES = 64_000_000
/** Parts that the store joins into one write, and memory of them. */
const WRITES_AT_ONCE = 16
const WRITTEN_BYTES_AT_ONCE = 32_000_000
/** Periods below the file that are looked at for its lowest empty slots: a thread that is silent for longer proves nothing. */
const MAX_BELOW = 64
/** A block that is not found in so many periods is not waited for. */
const MAX_SEARCHED = 4_096
/** Enough to see whether the file stands on what is archived below it. */
const JOINT_PERIODS = 4

interface Waiting extends WindowPeriod {
  /** Absent: it is archived, and only proves what stands above it. */
  readonly checked?: CheckedPeriod
  readonly place?: PeriodPlace
}

export interface RunModules extends ImportModules {
  readonly onWritten: (place: PeriodPlace, isProven: boolean) => void
}

/** Periods of a file that follow one another and of which the archive has none whole, written from the top down. */
export class RunImport {
  private readonly file: ArchiveFile
  /** Descending. */
  private readonly places: readonly PeriodPlace[]
  private readonly isRooted: (period: Period) => boolean
  private readonly modules: RunModules
  private window: LinkWindow<Waiting>
  /** Whether what is archived above proves what is found. */
  private isLinked = false
  private readonly writing: {
    readonly place: PeriodPlace
    readonly isProven: boolean
    readonly done: Promise<void>
  }[] = []

  constructor(
    options: {
      readonly file: ArchiveFile
      readonly places: readonly PeriodPlace[]
      /** Whether a root that is trusted binds that of a period. */
      readonly isRooted: (period: Period) => boolean
    },
    modules: RunModules,
  ) {
    this.file = options.file
    this.places = options.places
    this.isRooted = options.isRooted
    this.modules = modules
    this.window = new LinkWindow(unknownEnd(this.top + 1))
  }

  async run(signal: AbortSignal): Promise<void> {
    const { places, isRooted } = this
    const { store, cpu } = this.modules
    try {
      const isTopped = (await store.readManifest(this.top + 1)) !== undefined
      const end = isTopped ? await readChainEnd(store, this.top + 1) : undefined
      if (end) this.window = new LinkWindow(end)
      else await this.checkJoint()
      this.isLinked = end !== undefined
      for await (const { place, checked, error, ...rest } of checkPeriods(this.file, { places, isRooted }, cpu)) {
        signal.throwIfAborted()
        if (!checked || !('links' in rest)) throw error
        this.checkBound(checked)
        await this.add(place, checked, rest.links)
      }
      await this.lookBelow()
      await this.writeRest()
      while (this.writing.length > 0) await this.finishWrite()
    } finally {
      await Promise.allSettled(this.writing.map(({ done }) => done))
    }
  }

  private get top(): Period {
    return this.places[0]?.period ?? 0
  }

  private get bottom(): Period {
    return this.places.at(-1)?.period ?? 0
  }

  /** An operation that its id does not bind is what somebody says it is. */
  private checkBound({ isBound, period }: CheckedPeriod): void {
    if (isBound) return
    const number = period.manifest.period
    const message = `period ${number} holds an operation whose bytes its id does not bind, or a block of a newer version`
    throw new ArchiveError('STORE_FILE_UNBOUND', message, { period: number })
  }

  private async add(place: PeriodPlace, checked: CheckedPeriod, links: PeriodLinks): Promise<void> {
    const { period, length: sizeBytes } = place
    if (!this.window.add({ period, sizeBytes, checked, place }, links)) throw unlinked(period)
    await this.writeProven()
    const { maxWaitingBytes = MAX_WAITING_BYTES } = this.modules
    if (this.window.sizeBytes > maxWaitingBytes) await this.prove()
    if (!isRestart(period, links)) return
    // Its blocks name none below them.
    await this.writeRest()
    this.window = new LinkWindow(unknownEnd(period))
    this.isLinked = false
  }

  private async writeProven(): Promise<void> {
    for (let next = this.window.takeProven(); next; next = this.window.takeProven())
      await this.write(next, this.isLinked)
  }

  private async writeRest(): Promise<void> {
    for (const waiting of this.window.takeRest()) await this.write(waiting, false)
  }

  /** What waits takes too much memory: the blocks that it waits for are looked for further down, and where none is it waits no more. */
  private async prove(): Promise<void> {
    for (const open of this.window.listOpen()) {
      const period = await this.findBlock(open)
      if (period === undefined) return this.writeRest()
      if (!this.window.show(open.thread, period)) throw unlinked(period)
    }
    await this.writeProven()
  }

  private async findBlock({ thread, id, beforePeriod }: OpenBlock): Promise<Period | undefined> {
    for (let period = beforePeriod - 1; period >= Math.max(0, beforePeriod - MAX_SEARCHED); period--) {
      const links = await this.readLinks(period)
      if (!links) return undefined
      if (links[thread]) return links[thread].id === id ? period : undefined
    }
    return undefined
  }

  /** What is archived below proves which slots of the lowest periods are empty, or that they are of another chain. */
  private async lookBelow(): Promise<void> {
    const { store } = this.modules
    for (let period = this.bottom - 1; period >= this.bottom - MAX_BELOW && this.window.waitingPeriods > 0; period--) {
      const links = await readArchivedLinks(store, period)
      if (!links) return
      if (!this.window.add({ period, sizeBytes: 0 }, links)) throw unlinked(this.bottom)
      await this.writeProven()
    }
  }

  /** Where nothing is archived above, what is archived below must be what the lowest periods name, before anything is written. */
  private async checkJoint(): Promise<void> {
    const { store } = this.modules
    const { bottom } = this
    if (bottom === 0 || !(await store.readManifest(bottom - 1))) return
    const end = await readChainEnd(this.viewFile(), bottom)
    if (!end) return
    const chain = new LinkChain(end)
    for (let period = bottom - 1; period >= Math.max(0, bottom - JOINT_PERIODS); period--) {
      const links = await readArchivedLinks(store, period)
      if (!links) return
      if (!chain.add(period, links)) throw unlinked(bottom)
    }
  }

  /** Links of a period of the file, else of the archive. Ids bind what they say: nothing else of it is checked. */
  private async readLinks(period: Period): Promise<PeriodLinks | undefined> {
    return readArchivedLinks(this.viewFile(), period)
  }

  /** The file where it has a period, else the archive. */
  private viewFile(): LinkSource {
    const { store } = this.modules
    const { periods, source } = this.file
    const first = periods[0]?.period ?? 0
    const read = async (period: Period) => {
      const place = periods[period - first]
      return place && parsePeriodSection(await source.read(place.offset, place.length), place)
    }
    let last: { readonly period: Period; readonly section: ReturnType<typeof read> } | undefined
    const readOnce = (period: Period) => {
      if (last?.period !== period) last = { period, section: read(period) }
      return last.section
    }
    return {
      readManifest: async (period) => (await readOnce(period))?.manifest ?? store.readManifest(period),
      readChunk: async (period, index) => (await readOnce(period))?.chunks[index] ?? store.readChunk(period, index),
    }
  }

  private async write({ checked, place }: Waiting, isProven: boolean): Promise<void> {
    if (!checked || !place) return
    const { manifest, seals, executionResults } = checked.period
    const done = this.modules.store.writePart({
      manifest,
      operations: checked.operations,
      chunks: new Map(checked.chunks.entries()),
      seals,
      executionResults: markFromFile(executionResults),
    })
    // Heard when its turn comes.
    done.catch(() => undefined)
    this.writing.push({ place, isProven: isProven || this.isRooted(place.period), done })
    while (this.writing.length >= WRITES_AT_ONCE || this.writingBytes > WRITTEN_BYTES_AT_ONCE) await this.finishWrite()
  }

  private get writingBytes(): number {
    return this.writing.reduce((sum, { place }) => sum + place.length, 0)
  }

  private async finishWrite(): Promise<void> {
    const first = this.writing.shift()
    if (!first) return
    await first.done
    await this.modules.onImported?.(first.place.period)
    this.modules.onWritten(first.place, first.isProven)
  }
}

type LinkSource = Pick<ChunkStore, 'readManifest' | 'readChunk'>

/** @returns undefined where it is not archived, or not all of it is here or can be read */
async function readArchivedLinks(store: LinkSource, period: Period): Promise<PeriodLinks | undefined> {
  if (period < 0) return undefined
  try {
    const manifest = await store.readManifest(period)
    const chunks = await Promise.all((manifest?.chunks ?? []).map((_, index) => store.readChunk(period, index)))
    const held = chunks.filter((chunk) => chunk !== undefined)
    if (!manifest || held.length < chunks.length) return undefined
    return linksOf(readHeads(splitBody(concatBytes(...held)).slots))
  } catch (error) {
    if (isArchiveError(error)) return undefined
    throw error
  }
}

function unlinked(period: Period): ArchiveError {
  const message = `blocks of period ${period} are not those that the blocks above it name, or do not name those below it`
  return new ArchiveError('STORE_FILE_UNLINKED', message, { period })
}
