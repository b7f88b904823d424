import { ClassicLevel } from 'classic-level'
import type { Level } from './guarded-level.ts'

/**
 * Chosen by reckoning, not by comparing sizes; bench/storage-worker/write-periods.bench.ts measures what comes of it.
 *
 * writeBufferSize: two buffers are in memory and one batch of 14 MB may overfill each: above 8 MiB two full periods would
 * share one. A full disk must give room for as much again (BALLAST_BYTES). maxFileSize: fewer files than LevelDB's
 * 1,000 maps.
 */
export const BODIES_OPTIONS = {
  compression: false,
  writeBufferSize: 8 * 1024 * 1024,
  maxFileSize: 32 * 1024 * 1024,
} as const

export const INDEX_OPTIONS = { compression: false, writeBufferSize: 4 * 1024 * 1024 } as const

export function createClassicLevel(location: string, options: object): Level {
  return new ClassicLevel<Uint8Array, Uint8Array>(location, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    ...options,
  } as never) as unknown as Level
}
