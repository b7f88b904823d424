import type { Level } from '../../storage-worker/guarded-level.ts'
import { createClassicLevel } from '../../storage-worker/level-options.ts'

export interface BatchEvent {
  readonly location: string
  readonly count: number
  /** Before (false) or after the batch. */
  readonly done: boolean
  /** Copied into the database piece by piece, as batches above 1 MiB are. */
  readonly isSliced: boolean
}

/** Called before and after each batch; what it throws is what the write fails with. */
export type OnBatch = (event: BatchEvent) => void

type Batch = (operations: unknown, options: unknown) => Promise<void>
type Chained = { write(options: unknown): Promise<void> }

/** Databases whose batches, of either kind, can be made to fail, or to be the last thing a process does. */
export function createFaultyLevels(onBatch: OnBatch, create = createClassicLevel) {
  let count = 0
  return (location: string, options: object): Level => {
    const level = create(location, options)
    const batch = level.batch.bind(level) as unknown as Batch & (() => Chained)
    const watch = async (isSliced: boolean, write: () => Promise<void>) => {
      const event = { location, count: ++count, isSliced }
      onBatch({ ...event, done: false })
      await write()
      onBatch({ ...event, done: true })
    }
    const slice = () => {
      const chained = batch()
      const write = chained.write.bind(chained)
      return Object.assign(chained, { write: (options: unknown) => watch(true, () => write(options)) })
    }
    // Without an argument it begins a batch that is filled afterwards.
    const faulty = (...args: [unknown, unknown] | []) =>
      args.length === 0 ? slice() : watch(false, () => batch(...args))
    return Object.assign(level, { batch: faulty })
  }
}
