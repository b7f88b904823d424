import type { Level } from '../../storage-worker/guarded-level.ts'
import { createClassicLevel } from '../../storage-worker/level-options.ts'

export interface BatchEvent {
  readonly location: string
  readonly count: number
  /** Before (false) or after the batch. */
  readonly done: boolean
  /** Copied into the database in more than one turn of the event loop. */
  readonly isSliced: boolean
}

/** Called before and after each batch; what it throws is what the write fails with. */
export type OnBatch = (event: BatchEvent) => void

/** As LevelBatch uses it. */
export interface Chained {
  put(key: Uint8Array, value: Uint8Array): unknown
  del(key: Uint8Array): unknown
  clear(): unknown
  _write(options: { readonly sync: boolean }): Promise<void>
}

/** Above, LevelBatch lets the event loop turn. */
const SLICE_BYTES = 1024 * 1024

/** Databases whose batches can be made to fail, or to be the last thing a process does. */
export function createFaultyLevels(onBatch: OnBatch, create = createClassicLevel) {
  let count = 0
  return (location: string, options: object): Level => {
    const level = create(location, options)
    const begin = level.batch.bind(level) as unknown as () => Chained
    const watched = () => {
      const batch = begin()
      const { put, clear, _write } = batch
      let bytes = 0
      return Object.assign(batch, {
        put: (key: Uint8Array, value: Uint8Array) => {
          bytes += value.length
          return put.call(batch, key, value)
        },
        clear: () => {
          bytes = 0
          return clear.call(batch)
        },
        _write: async (options: { readonly sync: boolean }) => {
          const event = { location, count: ++count, isSliced: bytes >= SLICE_BYTES }
          onBatch({ ...event, done: false })
          await _write.call(batch, options)
          onBatch({ ...event, done: true })
        },
      })
    }
    return Object.assign(level, { batch: watched })
  }
}
