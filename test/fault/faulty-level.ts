import type { Level } from '../../storage-worker/guarded-level.ts'
import { createClassicLevel } from '../../storage-worker/level-options.ts'

/** Called before (`done` false) and after each batch; what it throws is what the write fails with. */
export type OnBatch = (event: { readonly location: string; readonly count: number; readonly done: boolean }) => void

/** Databases whose batches can be made to fail, or to be the last thing a process does. */
export function createFaultyLevels(onBatch: OnBatch, create = createClassicLevel) {
  let count = 0
  return (location: string, options: object): Level => {
    const level = create(location, options)
    const batch = level.batch.bind(level) as (operations: unknown, options: unknown) => Promise<void>
    const faulty = async (operations: unknown, batchOptions: unknown) => {
      const mine = ++count
      onBatch({ location, count: mine, done: false })
      await batch(operations, batchOptions)
      onBatch({ location, count: mine, done: true })
    }
    return Object.assign(level, { batch: faulty })
  }
}
