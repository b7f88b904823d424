/** One answer of a benchmark. A bench file exports `run(): Promise<BenchRow[]>`. */
export interface BenchRow {
  readonly question: string
  readonly measured: string
  readonly baseline: string
  /** measured / baseline, in the direction that the goal speaks of */
  readonly ratio: number
  readonly goal: string
  readonly holds: boolean
}
