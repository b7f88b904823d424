import assert from 'node:assert/strict'
import { ArgsWriter } from '../reference/args-writer.ts'
import { type Config, writeConfig } from '../reference/registry-model/config.ts'
import { actors } from './registry/actors.ts'
import { drawConfig } from './registry/draw-config.ts'
import { SeededRandom } from './registry/random.ts'
import {
  at,
  compareRuns,
  inOrder,
  later,
  listOwed,
  makeCall,
  requireAnchors,
  runSchedule,
  type Timed,
} from './registry/schedule.ts'
import type { Start } from './registry/step.ts'

/** A slice; `npm run fuzz:schedules` runs 200. */
const SCHEDULES = Number(process.env.FUZZ_SCHEDULES ?? 100)
const SCHEDULES_PER_TEST = 100
const TEST_TIMEOUT_MS = 120_000
const MAS = 10n ** 9n
const MOST_PERIODS = 400
/** Beyond it a u64 of stakes would hold nothing else. */
const STAKE = 10n ** 13n

describe('fuzz/registry-schedules', () => {
  for (let from = 0; from < SCHEDULES; from += SCHEDULES_PER_TEST) {
    it(`the index does not depend on who calls in between: schedules ${from} to ${from + SCHEDULES_PER_TEST - 1}`, function () {
      this.timeout(TEST_TIMEOUT_MS)
      let moved = 0
      let between = 0
      let exact = 0
      let switched = 0
      for (let seed = from; seed < from + SCHEDULES_PER_TEST; seed++) {
        const { index, callsBetween, isExact, wasSwitched } = compareSchedules(BigInt(seed))
        if (index > 0n) moved++
        between += callsBetween
        if (isExact) exact++
        if (wasSwitched) switched++
      }
      assert.ok(moved > SCHEDULES_PER_TEST / 2, `the index moved in ${moved} schedules only`)
      assert.ok(exact > SCHEDULES_PER_TEST / 2, `the pool was enough in ${exact} schedules only`)
      assert.ok(switched > SCHEDULES_PER_TEST / 8, `anchors came to be required in ${switched} schedules only`)
      assert.ok(between > 8 * SCHEDULES_PER_TEST, `${between} calls in between were accepted`)
    })
  }
})

interface Comparison {
  readonly index: bigint
  /** Calls in between that were accepted. */
  readonly callsBetween: number
  /** To the last nanoMAS: the pool was enough. */
  readonly isExact: boolean
  /** Anchors came to be required while nodes had weight. */
  readonly wasSwitched: boolean
}

function compareSchedules(seed: bigint): Comparison {
  const random = new SeededRandom(seed)
  const config = drawScheduleConfig(random)
  const start = makeStart(random, config)
  const needed = drawNeeded(random, start, config)
  const extra = drawExtra(random, start)
  const { alone, crowded, callsBetween } = compareRuns({ start, needed, extra }, run)
  const isExact = !alone.wasShort && !crowded.wasShort
  const [one, other] = [alone.stored.index, crowded.stored.index]
  if (isExact) assert.deepEqual(crowded.stored, alone.stored, `schedule ${seed}`)
  // When the pool runs dry the last step is rounded to what is left: by 1 nanoMAS per GB at most.
  const difference = other > one ? other - one : one - other
  assert.ok(difference <= 1n, `schedule ${seed}: ${one} and ${other}`)
  assert.equal(crowded.wasSwitched, alone.wasSwitched)
  if (isExact) assert.deepEqual(crowded.owedByNode, alone.owedByNode, `schedule ${seed}`)
  return { index: one, callsBetween, isExact, wasSwitched: alone.wasSwitched }
}

function drawScheduleConfig(random: SeededRandom): Config {
  return {
    ...drawConfig(random),
    requireAnchors: 0n,
    maxAllocatedGb: 10n ** 6n,
    minAllocatedGb: 1n,
    minStake: STAKE,
    stakePerGb: 0n,
    maxNodes: 100n,
    adminDelayPeriods: 0n,
    maxRewardPerPeriod: random.pick([0n, 1_000_003n, 10n ** 10n]),
  }
}

function makeStart(random: SeededRandom, config: Config): Start {
  return {
    slot: { period: 1 + random.int(500), thread: random.int(32) },
    genesisTimestampMs: 0n,
    balanceNanoMas: 10n ** 16n,
    deployCoinsNanoMas: MAS,
    parameter: writeConfig(new ArgsWriter().string(actors[0]?.address ?? ''), config).finish(),
  }
}

/** What happens in both runs: nodes come, grow and go, the pool is filled, the registry pauses, anchors are required. */
function drawNeeded(random: SeededRandom, start: Start, config: Config): Timed[] {
  const nodes = actors.slice(1, 3 + random.int(4))
  const calls: Timed[] = [
    at(later(start, 0), makeCall(0, 'fundRewards', new ArgsWriter(), random.between(1n, 10n ** 15n))),
  ]
  for (const [i] of nodes.entries()) {
    const joined = random.int(MOST_PERIODS * 16)
    const gb = () => new ArgsWriter().u64(random.between(1n, 50n))
    calls.push(at(later(start, joined), makeCall(1 + i, 'registerStorageNode', gb(), STAKE + MAS)))
    if (random.chance(0.6)) {
      const slot = later(start, joined + 1 + random.int(MOST_PERIODS * 8))
      calls.push(at(slot, makeCall(1 + i, 'updateStorageAllocation', gb())))
    }
    if (random.chance(0.3)) {
      const slot = later(start, joined + 1 + random.int(MOST_PERIODS * 16))
      calls.push(at(slot, makeCall(1 + i, 'unregisterStorageNode')))
    }
  }
  if (random.chance(0.4)) {
    const paused = random.int(MOST_PERIODS * 16)
    calls.push(at(later(start, paused), makeCall(0, 'setPaused', new ArgsWriter().bool(true))))
    const slot = later(start, paused + random.int(MOST_PERIODS * 8))
    calls.push(at(slot, makeCall(0, 'setPaused', new ArgsWriter().bool(false))))
  }
  if (random.chance(0.4)) {
    const args = writeConfig(new ArgsWriter(), requireAnchors(config))
    const slot = later(start, random.int(MOST_PERIODS * 24))
    calls.push(at(slot, makeCall(0, 'updateConfig', args, MAS)))
  }
  const end = makeCall(0, 'fundRewards', new ArgsWriter(), 1n)
  return [...inOrder(calls), at(later(start, MOST_PERIODS * 32), end)]
}

/** Calls that accrue and change nothing that counts for the index. */
function drawExtra(random: SeededRandom, start: Start): Timed[] {
  return Array.from({ length: 5 + random.int(25) }, () => {
    const slot = later(start, random.int(MOST_PERIODS * 32))
    const caller = random.int(actors.length)
    const step = random.pick([
      makeCall(caller, 'distributeRewards', new ArgsWriter().u64(slot.period - 1), MAS),
      makeCall(0, 'addChallenger', new ArgsWriter().string(random.pick(actors).address), MAS),
      makeCall(0, 'transferAdmin', new ArgsWriter().string(random.pick(actors).address), MAS),
      makeCall(caller, 'updateNodeMetadata', new ArgsWriter().strings([]).string('e').string('l').string('o'), MAS),
    ])
    return at(slot, step)
  })
}

function run(start: Start, calls: readonly Timed[]) {
  let wasShort = false
  const { world, accepted, state } = runSchedule(start, calls, ({ model }) => {
    wasShort ||= model.state.shortSince || (model.state.periods.size > 0 && model.state.pool < 50n)
  })
  const { index, idxRem, weight } = state
  const { nodes, switched } = world.model.state
  return {
    stored: { index: index as bigint, idxRem, weight },
    owedByNode: listOwed(world.model.state.index, nodes),
    wasShort,
    wasSwitched: switched !== undefined && switched.index > 0n,
    accepted,
  }
}
