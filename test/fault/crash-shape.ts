import type { SyntheticShape } from '../storage-worker/synthetic-period.ts'

/** Now and then a period, and the block that waits for it, is above 1 MiB: LevelDB gets those in pieces. */
export function crashShapeOf(period: number): SyntheticShape {
  return period % 8 === 2 ? { blocks: 1, operations: 3, operationBytes: 360_000 } : {}
}
