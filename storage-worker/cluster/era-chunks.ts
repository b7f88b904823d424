import { type ChunkStore, type Clock, computeHashSlot, ERA_PERIODS, HASH_SLOTS, type Period } from '../../core/index.ts'

/** Everything else has its turn after so long; an era takes some ms. */
const SLICE_MS = 5

export type EraChunksStore = Pick<ChunkStore, 'listSummaries' | 'readHolding' | 'readManifest'>

/** How many chunks the periods of an era, or of a part of it, have in each hash slot, and how many of them this disk lacks. */
export interface EraChunks {
  readonly era: number
  /** Of the periods that are looked at. */
  readonly first: Period
  readonly last: Period
  /** Those that are visible, ascending. */
  readonly periods: readonly Period[]
  /** Those with chunks. */
  readonly hashSlots: readonly number[]
  /** By hash slot. Both are written over when what follows is asked for. */
  readonly counts: Uint32Array
  readonly lacking: Uint32Array
}

/**
 * Counts the chunks of the visible periods of [from, to], era by era. Databases in memory answer without giving way to
 * anybody, so it gives way by itself.
 *
 * @param range - an era is parted before each of `cuts`
 * @throws what `signal` was aborted with
 */
export async function* listEraChunks(
  { store, clock }: { readonly store: EraChunksStore; readonly clock: Clock },
  range: { readonly from: Period; readonly to: Period; readonly cuts?: readonly Period[] },
  signal: AbortSignal,
): AsyncGenerator<EraChunks> {
  const counts = new Uint32Array(HASH_SLOTS)
  const lacking = new Uint32Array(HASH_SLOTS)
  const cuts = [...new Set(range.cuts)].sort((a, b) => a - b)
  let sliceBeganMs = clock.monotonicMs()
  for (let from = range.from; from <= range.to; ) {
    signal.throwIfAborted()
    const era = Math.floor(from / ERA_PERIODS)
    while (cuts[0] !== undefined && cuts[0] <= from) cuts.shift()
    const last = Math.min(range.to, era * ERA_PERIODS + ERA_PERIODS - 1, (cuts[0] ?? Number.POSITIVE_INFINITY) - 1)
    const periods: Period[] = []
    const inPart = new Set<Period>()
    for await (const { period, heldChunks } of store.listSummaries({ from, to: last })) {
      periods.push(period)
      if (heldChunks !== undefined) inPart.add(period)
    }
    const hashSlots: number[] = []
    const manifests = await Promise.all(periods.map((period) => store.readManifest(period)))
    for (const manifest of manifests) {
      if (!manifest) continue
      const { period, chunks } = manifest
      const missing = new Set(inPart.has(period) ? (await store.readHolding(period))?.missingChunks : [])
      for (const [index, { chunkId }] of chunks.entries()) {
        const hashSlot = computeHashSlot(chunkId)
        if (counts[hashSlot] === 0) hashSlots.push(hashSlot)
        counts[hashSlot] = (counts[hashSlot] ?? 0) + 1
        if (missing.has(index)) lacking[hashSlot] = (lacking[hashSlot] ?? 0) + 1
      }
    }
    yield { era, first: from, last, periods, hashSlots, counts, lacking }
    for (const hashSlot of hashSlots) {
      counts[hashSlot] = 0
      lacking[hashSlot] = 0
    }
    from = last + 1
    if (clock.monotonicMs() - sliceBeganMs < SLICE_MS) continue
    await clock.sleep(0)
    sliceBeganMs = clock.monotonicMs()
  }
}
