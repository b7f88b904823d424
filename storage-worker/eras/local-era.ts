import {
  type ChunkStore,
  computeBodyBytes,
  computeEraRoot,
  computePeriodRoot,
  ERA_PERIODS,
  type EraRoots,
  type Period,
} from '../../core/index.ts'

/** An era as this archive has it. */
export interface LocalEra {
  /** Periods of it that are not archived here, ascending. */
  readonly missing: readonly Period[]
  /** Undefined while one is missing. */
  readonly totals: (EraRoots & { readonly root: Uint8Array }) | undefined
}

/**
 * Root and totals of an era, from the manifests that are archived here.
 *
 * @throws ArchiveError of the store, for a damaged manifest
 */
export async function computeLocalEra(
  store: Pick<ChunkStore, 'identity' | 'readManifest'>,
  era: number,
): Promise<LocalEra> {
  const missing: Period[] = []
  const periodRoots: Uint8Array[] = []
  let [totalBytes, totalChunks] = [0n, 0n]
  for (let period = era * ERA_PERIODS; period < (era + 1) * ERA_PERIODS; period++) {
    const manifest = await store.readManifest(period)
    if (!manifest) {
      missing.push(period)
      continue
    }
    periodRoots.push(computePeriodRoot(manifest))
    totalBytes += BigInt(computeBodyBytes(manifest))
    totalChunks += BigInt(manifest.chunks.length)
  }
  if (missing.length > 0) return { missing, totals: undefined }
  const { network } = store.identity
  const root = computeEraRoot({ network, era, totalBytes, totalChunks }, periodRoots)
  return { missing, totals: { root, periodRoots, totalBytes, totalChunks } }
}
