import { contractTraffic } from './contract-traffic.ts'
import { emptyPeriods } from './empty-periods.ts'
import { longDisconnect } from './long-disconnect.ts'
import { missedThread } from './missed-thread.ts'
import { nodeRestart } from './node-restart.ts'
import { quietDay } from './quiet-day.ts'
import type { Scenario } from './scenario.ts'
import { shortMemory } from './short-memory.ts'
import { twoDeaths } from './two-deaths.ts'
import { twoHalves } from './two-halves.ts'

export { Stage, type StageOptions } from './stage.ts'

/** In the order in which they may be played, one after the other, on one network. */
export const SCENARIOS: readonly Scenario[] = [
  quietDay,
  contractTraffic,
  missedThread,
  emptyPeriods,
  nodeRestart,
  longDisconnect,
  twoHalves,
  twoDeaths,
  shortMemory,
]
