import { type AttestedExecutions, parseAttestedExecutions } from '../archiver/attestation.ts'
import {
  ArchiveError,
  type Body,
  type ChunkStore,
  concatBytes,
  type ErrorCode,
  isArchiveError,
  type Manifest,
  type Period,
  parseBody,
  parseSeals,
} from '../core/index.ts'

export interface SearchWatch {
  /** Called with the periods looked at so far, while a search runs. */
  readonly onSearched?: (period: Period, remaining: number) => void
  /** Of a period not all chunks are held: what is sought may stand there. */
  readonly onPassedOver?: (period: Period) => void
  /** Where the history index says that it stands: looked at first, and believed nothing. */
  readonly likely?: readonly Period[]
}

const DAMAGE_CODES: ReadonlySet<ErrorCode> = new Set([
  'STORE_VALUE_CORRUPT',
  'STORE_VALUE_MISSING',
  'STORE_HOLDING_INVALID',
  'STORE_READ_FAILED',
])
/** In a message. */
const MOST_RUNS = 8

/** What stands beside BODY, read when it is needed. */
interface Beside {
  readonly seals: readonly Uint8Array[]
  readonly attested: AttestedExecutions | undefined
}

/**
 * Looks into likely periods, else through all from the newest: the history index may be absent or behind. A damaged period hides
 * no other: what is found has `unreadablePeriods` where there were any on the way.
 *
 * @throws ArchiveError STORE_VALUE_CORRUPT when nothing is found, and some cannot be read
 */
export async function searchPeriods(
  store: ChunkStore,
  { name, ...watch }: SearchWatch & { readonly name: string },
  look: (body: Body) => ((beside: Beside) => object) | undefined,
): Promise<object | undefined> {
  for (const period of watch.likely ?? []) {
    const found = await lookInto(store, period, look)
    if (found) return found
  }
  const unreadable: Period[] = []
  for await (const { manifest, body } of readBodies(store, unreadable, watch)) {
    const describe = look(body)
    if (!describe) continue
    const found = describe(await readBeside(store, manifest, body))
    return unreadable.length === 0 ? found : { ...found, unreadablePeriods: unreadable }
  }
  if (unreadable.length === 0) return undefined
  const message = `${name} is in no period that can be read; damaged: ${describePeriods(unreadable)}`
  throw new ArchiveError('STORE_VALUE_CORRUPT', message)
}

/** `undefined` also where it cannot be read: whoever goes through all periods says so. */
async function lookInto(
  store: ChunkStore,
  period: Period,
  look: (body: Body) => ((beside: Beside) => object) | undefined,
): Promise<object | undefined> {
  try {
    const manifest = await store.readManifest(period)
    if (!manifest) return undefined
    const body = await readBody(store, manifest)
    return look(body)?.(await readBeside(store, manifest, body))
  } catch (error) {
    if (!isDamage(error)) throw error
    return undefined
  }
}

/** From the newest, those that are whole here; what cannot be read is put into `unreadable`. */
async function* readBodies(
  store: ChunkStore,
  unreadable: Period[],
  { onSearched, onPassedOver }: SearchWatch,
): AsyncGenerator<{ readonly manifest: Manifest; readonly body: Body }> {
  const range = await store.readRange()
  if (!range) return
  let to = range.last
  for (;;) {
    let reading: Period | undefined
    try {
      for await (const { period, heldChunks } of store.listSummaries({ from: range.first, to, reverse: true })) {
        onSearched?.(period, period - range.first)
        if (heldChunks !== undefined) {
          onPassedOver?.(period)
          continue
        }
        reading = period
        const manifest = await store.readManifest(period)
        const body = manifest && (await readBody(store, manifest))
        reading = undefined
        if (body) yield { manifest, body }
      }
      return
    } catch (error) {
      if (!isDamage(error)) throw error
      // The listing itself reads a period whose summary is damaged.
      const period = reading ?? error.context.period
      if (typeof period !== 'number' || period > to) throw error
      unreadable.push(period)
      to = period - 1
    }
  }
}

/** Of a value, so that others may be sound; CORE_*: it is as it was written, and says nothing. */
function isDamage(error: unknown): error is ArchiveError {
  return isArchiveError(error) && (DAMAGE_CODES.has(error.code) || error.code.startsWith('CORE_'))
}

/** `3, 7 to 9`. @param periods - descending */
function describePeriods(periods: readonly Period[]): string {
  const runs: { first: Period; last: Period }[] = []
  for (const period of periods.toReversed()) {
    const run = runs.at(-1)
    if (run?.last === period - 1) run.last = period
    else runs.push({ first: period, last: period })
  }
  const shown = runs.slice(0, MOST_RUNS).map(({ first, last }) => (first === last ? `${first}` : `${first} to ${last}`))
  const more = runs.length > MOST_RUNS ? ` and others, ${periods.length} in all` : ''
  return `period${periods.length === 1 ? '' : 's'} ${shown.join(', ')}${more}`
}

async function readBeside(store: ChunkStore, manifest: Manifest, body: Body): Promise<Beside> {
  const seals = await store.readSeals(manifest.period)
  const executions = await store.readExecutionResults(manifest.period)
  return {
    seals: seals ? parseSeals(seals, body) : [],
    attested: executions ? parseAttestedExecutions(executions, manifest) : undefined,
  }
}

/** @throws ArchiveError STORE_VALUE_MISSING, STORE_VALUE_CORRUPT */
export async function readBody(store: ChunkStore, manifest: Manifest): Promise<Body> {
  const chunks: Uint8Array[] = []
  for (const index of manifest.chunks.keys()) chunks.push(await readChunk(store, manifest.period, index))
  return parseBody(concatBytes(...chunks))
}

/** @throws ArchiveError STORE_VALUE_MISSING, STORE_VALUE_CORRUPT */
export async function readChunk(store: ChunkStore, period: Period, index: number): Promise<Uint8Array> {
  const chunk = await store.readChunk(period, index)
  if (!chunk) throw missing(period, `chunk ${index}`)
  return chunk
}

export function missing(period: Period, what: string): ArchiveError {
  return new ArchiveError('STORE_VALUE_MISSING', `${what} of period ${period} is not on disk`, { period })
}
