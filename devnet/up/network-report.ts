import type { Period } from '../../core/index.ts'
import type { NodeReport, Speed } from '../node/process/node-process.ts'
import type { Earnings } from './earnings-reader.ts'
import type { ProcessState } from './kept-process.ts'
import type { SidecarReport } from './sidecar.ts'
import type { TrafficCounts } from './traffic.ts'

/** One screen about everything. */
export interface NetworkReport {
  readonly directory: string
  /** That was asked for; the node's own may be another. */
  readonly speed: Speed
  /** Every step of the start is done, and the chain has taken its speed. */
  readonly isSetUp: boolean
  readonly node: {
    readonly state: ProcessState
    readonly pid?: number | undefined
    readonly restarts: number
    readonly lastEnd?: string | undefined
    readonly grpcUrl: string
    readonly jsonRpcUrl: string
    /** What it said last, while it stands still, starts again or is slow. */
    readonly report?: NodeReport | undefined
  }
  readonly registryAddress?: string | undefined
  readonly traffic?: TrafficCounts | undefined
  readonly sidecars: readonly EarningSidecar[]
}

/** A sidecar, with what the registry said last of its node. */
export type EarningSidecar = SidecarReport & Partial<Earnings>

/** Last period that every sidecar of a report has archived. */
export function findCommonPeriod({ sidecars }: NetworkReport): Period | undefined {
  const lasts = sidecars.map(({ archived }) => archived?.last)
  return lasts.every((last) => last !== undefined) ? Math.min(...lasts) : undefined
}
