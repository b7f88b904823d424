import {
  type ByteReader,
  type ByteWriter,
  ERA_PERIODS,
  HASH_SLOTS,
  type Network,
  type Period,
  type SignatureArgument,
  signText,
  verifyText,
} from '../../core/index.ts'
import { MAX_HAVE_PAGE_BYTES, MAX_MISSING_RANGES } from '../limits.ts'
import { ANSWER_STATUS, type Refusal, readAnswerStatus } from './answer-status.ts'
import { readNetwork, readPeriod, writeNetwork, writePeriod } from './fields.ts'
import { computeSignedText, readSignature, writeSignature } from './signed.ts'
import { wireCodec } from './wire-codec.ts'

/** Hash slot and era. */
const ENTRY_BYTES = 2 + 4

export interface HaveRequest {
  readonly fromHashSlot: number
}

export const haveRequestCodec = wireCodec<HaveRequest>({
  name: 'HaveRequest',
  maxBytes: 1 + 2,
  write: (writer, { fromHashSlot }) => {
    writer.u16(fromHashSlot)
  },
  read: (reader) => {
    const fromHashSlot = reader.u16()
    if (fromHashSlot >= HASH_SLOTS) throw reader.error(`hash slot ${fromHashSlot} does not exist`)
    return { fromHashSlot }
  },
})

/** Eras [firstEra, endEra) of one hash slot are complete, but for the exceptions of the page. */
export interface HeldSlot {
  readonly hashSlot: number
  readonly endEra: number
}

/** Periods [fromPeriod, endPeriod) that are not archived, of which nothing is held. */
export interface MissingRange {
  readonly fromPeriod: Period
  readonly endPeriod: Period
}

/** One page of what a node holds of the hash slots that placement gives it. */
export interface HavePage {
  readonly network: Network
  /** Newest archived period when the page was made. */
  readonly headPeriod: Period
  /** Older eras were dropped; 0 with a node that keeps for ever. */
  readonly firstEra: number
  /** The page tells of hash slots [from, end); 16,384 is the end of the map. */
  readonly fromHashSlot: number
  readonly endHashSlot: number
  /** Ascending. */
  readonly held: readonly HeldSlot[]
  /** Eras that are not complete although their hash slot is told as held past them, ascending. */
  readonly exceptions: readonly { readonly hashSlot: number; readonly era: number }[]
  /** Of the whole map, the same on each page: of them nothing is held, in eras that are told as complete too. Ascending, apart. */
  readonly missingPeriods: readonly MissingRange[]
}

export interface SignedHavePage extends HavePage {
  readonly signature: SignatureArgument
}

export type HaveResponse = { readonly status: 'ok'; readonly page: SignedHavePage } | { readonly status: Refusal }

export const haveResponseCodec = wireCodec<HaveResponse>({
  name: 'HaveResponse',
  maxBytes: MAX_HAVE_PAGE_BYTES,
  write: (writer, response) => {
    writer.u8(ANSWER_STATUS[response.status])
    if (response.status !== 'ok') return
    writePage(writer, response.page)
    writeSignature(writer, response.page.signature)
  },
  read: (reader) => {
    const status = readAnswerStatus(reader)
    if (status !== 'ok') return { status }
    return { status, page: { ...readPage(reader), signature: readSignature(reader) } }
  },
})

/** @param seed - 32-byte secret of the Massa key */
export function signHavePage(seed: Uint8Array, page: HavePage): SignedHavePage {
  return { ...page, signature: signText(seed, computeHaveText(page)) }
}

export function verifyHavePage(page: SignedHavePage): boolean {
  return verifyText(computeHaveText(page), page.signature)
}

function computeHaveText(page: HavePage): string {
  return computeSignedText('have', (writer) => writePage(writer, page))
}

function writePage(writer: ByteWriter, page: HavePage): void {
  writeNetwork(writer, page.network)
  writePeriod(writer, page.headPeriod)
  writer.u32(page.firstEra).u16(page.fromHashSlot).u16(page.endHashSlot)
  writeEntries(writer, page.held, ({ endEra }) => endEra)
  writeEntries(writer, page.exceptions, ({ era }) => era)
  writer.u8(page.missingPeriods.length)
  for (const { fromPeriod, endPeriod } of page.missingPeriods) {
    writePeriod(writer, fromPeriod)
    writePeriod(writer, endPeriod)
  }
}

/** In one piece: a map is made anew every period, of up to 16,384 hash slots. */
function writeEntries<T extends { readonly hashSlot: number }>(
  writer: ByteWriter,
  entries: readonly T[],
  eraOf: (entry: T) => number,
): void {
  const bytes = new Uint8Array(ENTRY_BYTES * entries.length)
  const view = new DataView(bytes.buffer)
  for (const [i, entry] of entries.entries()) {
    view.setUint16(ENTRY_BYTES * i, entry.hashSlot)
    view.setUint32(ENTRY_BYTES * i + 2, eraOf(entry))
  }
  writer.u16(entries.length).raw(bytes)
}

function readPage(reader: ByteReader): HavePage {
  const network = readNetwork(reader)
  const headPeriod = readPeriod(reader)
  const firstEra = reader.u32()
  const fromHashSlot = reader.u16()
  const endHashSlot = reader.u16()
  if (endHashSlot > HASH_SLOTS || fromHashSlot >= endHashSlot) {
    throw reader.error(`hash slots ${fromHashSlot} to ${endHashSlot}`)
  }
  const inPage = (hashSlot: number): void => {
    if (hashSlot < fromHashSlot || hashSlot >= endHashSlot) throw reader.error(`hash slot ${hashSlot} of another page`)
  }
  const endEras = new Map<number, number>()
  const held: HeldSlot[] = []
  for (let i = reader.u16(); i > 0; i--) {
    const slot = { hashSlot: reader.u16(), endEra: reader.u32() }
    inPage(slot.hashSlot)
    if (slot.hashSlot <= (held.at(-1)?.hashSlot ?? -1)) throw reader.error('hash slots are not ascending')
    if (slot.endEra < firstEra) throw reader.error(`eras ${firstEra} to ${slot.endEra}`)
    endEras.set(slot.hashSlot, slot.endEra)
    held.push(slot)
  }
  const exceptions: { hashSlot: number; era: number }[] = []
  for (let i = reader.u16(); i > 0; i--) {
    const exception = { hashSlot: reader.u16(), era: reader.u32() }
    const before = exceptions.at(-1)
    const ascends =
      !before ||
      exception.hashSlot > before.hashSlot ||
      (exception.hashSlot === before.hashSlot && exception.era > before.era)
    if (!ascends) throw reader.error('exceptions are not ascending')
    const endEra = endEras.get(exception.hashSlot) ?? 0
    if (exception.era < firstEra || exception.era >= endEra) throw reader.error('an exception to nothing')
    exceptions.push(exception)
  }
  const missingPeriods = readMissingPeriods(reader, { first: firstEra * ERA_PERIODS, end: headPeriod })
  return { network, headPeriod, firstEra, fromHashSlot, endHashSlot, held, exceptions, missingPeriods }
}

/** @param told - the periods that the page tells of, but for the last, which is archived */
function readMissingPeriods(
  reader: ByteReader,
  told: { readonly first: Period; readonly end: Period },
): readonly MissingRange[] {
  const count = reader.u8()
  if (count > MAX_MISSING_RANGES) throw reader.error(`${count} runs of missing periods`)
  const ranges: MissingRange[] = []
  for (let i = 0; i < count; i++) {
    const range = { fromPeriod: readPeriod(reader), endPeriod: readPeriod(reader) }
    const { fromPeriod, endPeriod } = range
    const before = ranges.at(-1)
    if (fromPeriod >= endPeriod) throw reader.error(`missing periods ${fromPeriod} to ${endPeriod}`)
    // Two that touch are one.
    if (before && fromPeriod <= before.endPeriod) throw reader.error('missing periods are not ascending')
    if (fromPeriod < told.first || endPeriod > told.end) throw reader.error('missing periods of which nothing is told')
    ranges.push(range)
  }
  return ranges
}
