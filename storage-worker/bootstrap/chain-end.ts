import { type ChunkStore, concatBytes, type Period, splitBody, THREAD_COUNT } from '../../core/index.ts'
import type { ChainEnd } from './link-chain.ts'
import { linksOf, type PeriodLinks, readHeads } from './period-links.ts'

/** As a rule two periods with blocks tell all; a thread that is silent for longer is named by the blocks of others. */
const MAX_PERIODS = 16
/** Without a block, below these: a chain that stood still for 4.5 hours. */
const MAX_EMPTY_PERIODS = 1_024

/**
 * What the lowest archived periods say of the blocks below them.
 *
 * @param store - chunks that are not held may come from elsewhere: their ids bind them
 * @param first - the first archived period, not 0
 * @returns undefined when they do not say it of every thread, or not all of them can be had
 */
export async function readChainEnd(
  store: Pick<ChunkStore, 'readManifest' | 'readChunk'>,
  first: Period,
): Promise<ChainEnd | undefined> {
  const expected: (string | undefined)[] = Array.from({ length: THREAD_COUNT }, () => undefined)
  const seen = new Set<string>()
  let links: PeriodLinks | undefined
  let empty = 0
  for (let period = first; period < first + empty + MAX_PERIODS; period++) {
    const found = await readLinks(store, period)
    if (!found) return undefined
    links ??= found
    if (found.every((block) => block === undefined) && ++empty > MAX_EMPTY_PERIODS) return undefined
    for (const block of found) if (block) seen.add(block.id)
    for (const [thread, block] of found.entries()) {
      for (const [of, parent] of block?.parents.entries() ?? []) {
        // A block knows all that stand a period before it: what it names of another thread is the newest below `first`.
        const isTold = of === thread || period > first
        if (isTold && expected[of] === undefined && !seen.has(parent)) expected[of] = parent
      }
    }
    const told = expected.filter((id) => id !== undefined)
    if (told.length === THREAD_COUNT) return { first, links, expected: told }
  }
  return undefined
}

async function readLinks(
  store: Pick<ChunkStore, 'readManifest' | 'readChunk'>,
  period: Period,
): Promise<PeriodLinks | undefined> {
  const manifest = await store.readManifest(period)
  const chunks: Uint8Array[] = []
  for (const index of manifest?.chunks.keys() ?? []) {
    const chunk = await store.readChunk(period, index)
    if (!chunk) return undefined
    chunks.push(chunk)
  }
  if (!manifest) return undefined
  return linksOf(readHeads(splitBody(concatBytes(...chunks)).slots))
}
