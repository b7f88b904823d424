import { BYTES_PER_GB } from '../core/units.ts'

/** Bytes of one copy: 32 blocks without operations in each period, and blocks as full as the protocol lets them be. */
export const GROWTH_BYTES_PER_DAY = { quiet: 480_000_000, full: 52_000_000_000 } as const
export const DAYS_PER_YEAR = 365

/** What may be said on the command line; prices in USD. */
export interface EconomicsOptions {
  /** Per TB and month. */
  readonly disk: number
  /** Per TB. */
  readonly traffic: number
  /** Per month. */
  readonly server: number
  /** Of one MAS. */
  readonly mas: number
  /** Per TB and month. */
  readonly cloud: number
  readonly gb: number
  readonly nodes: number
  readonly challengers: number
  readonly historyGb: number
  /** Periods; that of the configuration when it is left out. */
  readonly frequency?: number
  /** nanoMAS */
  readonly fee: bigint
  /** Of audits that are missed. */
  readonly missed: number
}

/** What stands for an option that is not given. None of it was looked up: docs/ECONOMICS.md says where each is from. */
export const ECONOMICS_DEFAULTS = {
  disk: 10,
  traffic: 1,
  server: 5,
  mas: 0.01,
  cloud: 250,
  gb: 100,
  nodes: 10,
  challengers: 1,
  /** A year of a quiet chain. */
  historyGb: (GROWTH_BYTES_PER_DAY.quiet * DAYS_PER_YEAR) / BYTES_PER_GB,
  fee: 10_000_000n,
  missed: 0.01,
} as const satisfies EconomicsOptions
