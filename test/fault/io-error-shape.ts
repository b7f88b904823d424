import type { SyntheticShape } from '../storage-worker/synthetic-period.ts'

/** Every other period is above 1 MiB: LevelDB gets those in pieces. */
export function ioErrorShapeOf(period: number): SyntheticShape {
  return { blocks: 2 + (period % 2), operations: 1, operationBytes: 450_000 }
}
