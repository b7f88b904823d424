import type { Manifest } from '../../core/index.ts'

/** LevelDB reads and checks a block of so much to find a value, however small, or that there is none. */
const LEAST_READ_BYTES = 4_096
const HEAD_BYTES = 34
const CHUNK_BYTES = 36

/** Bytes that are read for a manifest, or to find that there is none. */
export function computeManifestCost(manifest: Manifest | undefined): number {
  return Math.max(LEAST_READ_BYTES, HEAD_BYTES + CHUNK_BYTES * (manifest?.chunks.length ?? 0))
}
