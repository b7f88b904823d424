import {
  computeGenesisBlock,
  type Period,
  type PeriodPlace,
  parsePeriodSection,
  type StoreIdentity,
  THREAD_COUNT,
} from '../../core/index.ts'
import { ANY_BLOCK, type ChainEnd } from '../bootstrap/link-chain.ts'
import { linksOf, type PeriodLinks } from '../bootstrap/period-links.ts'
import { readAhead } from './byte-source.ts'
import { type CheckedPeriod, checkFilePeriod, type FileCpu } from './check-period.ts'
import type { ArchiveFile } from './file-reader.ts'

/** Periods, and bytes of them, that are checked at a time: work for every thread, and 64 MB of memory. */
const PERIODS_AT_ONCE = 16
const BYTES_AT_ONCE = 32_000_000

/** Periods of a file. */
export interface FilePlaces {
  readonly places: readonly PeriodPlace[]
  readonly isRooted?: (period: Period) => boolean
}

/** What became of a period of a file, and of its block headers. */
export type PeriodVerdict =
  | {
      readonly place: PeriodPlace
      readonly checked: CheckedPeriod
      readonly links: PeriodLinks
      readonly error?: never
    }
  | { readonly place: PeriodPlace; readonly error: unknown; readonly checked?: never }

/**
 * Checks periods of a file by themselves, in the order of `places`, several at a time.
 *
 * @param wanted.isRooted - whether a root that is trusted binds that of a period; absent: none does
 * @returns with `error` for what is not as it should be, or cannot be read
 */
export async function* checkPeriods(
  file: ArchiveFile,
  { places, isRooted = () => false }: FilePlaces,
  cpu: FileCpu,
): AsyncGenerator<PeriodVerdict> {
  const underWay: { readonly bytes: number; readonly verdict: Promise<PeriodVerdict> }[] = []
  let bytesUnderWay = 0
  const take = async (): Promise<PeriodVerdict | undefined> => {
    const first = underWay.shift()
    bytesUnderWay -= first?.bytes ?? 0
    return first?.verdict
  }
  try {
    for await (const { place, bytes } of readAhead(file.source, places)) {
      while (
        underWay.length >= PERIODS_AT_ONCE ||
        (underWay.length > 0 && bytesUnderWay + place.length > BYTES_AT_ONCE)
      ) {
        const verdict = await take()
        if (verdict) yield verdict
      }
      underWay.push({
        bytes: place.length,
        verdict: checkPeriod(bytes, { identity: file.identity, place, isRooted: isRooted(place.period) }, cpu),
      })
      bytesUnderWay += place.length
    }
    for (let verdict = await take(); verdict; verdict = await take()) yield verdict
  } finally {
    await Promise.all(underWay.map(({ verdict }) => verdict))
  }
}

async function checkPeriod(
  bytes: Uint8Array,
  of: { readonly identity: StoreIdentity; readonly place: PeriodPlace; readonly isRooted: boolean },
  cpu: FileCpu,
): Promise<PeriodVerdict> {
  const { place } = of
  try {
    const checked = await checkFilePeriod(parsePeriodSection(bytes, place), of, cpu)
    return { place, checked, links: linksOf(checked.heads) }
  } catch (error) {
    return { place, error }
  }
}

/** Where nothing is known of what must stand below `first`. */
export function unknownEnd(first: Period): ChainEnd {
  const none = Array.from({ length: THREAD_COUNT }, () => undefined)
  return { first, links: none, expected: none.map(() => ANY_BLOCK) }
}

/** Whether the chain was restarted there: its blocks follow from constants, and name none before them. */
export function isRestart(period: Period, links: PeriodLinks): boolean {
  if (period === 0) return false
  return links.every((block, thread) => {
    if (!block || block.parents.length > 0) return false
    return block.id === Buffer.from(computeGenesisBlock({ period, thread }).id).toString('hex')
  })
}
