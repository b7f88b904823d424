import assert from 'node:assert/strict'
import { computeEraText } from '../../core/index.ts'
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
import type { Start, Step } from './registry/step.ts'
import type { World } from './registry/world.ts'

/*
 * With `requireAnchors` weights rise when their node is touched, and what a GB is paid depends on the weight. What holds
 * is that nothing but weights, anchors, settings, pause and the pool moves the index, and never backwards.
 */

/** A slice; `npm run fuzz:schedules` runs 200. */
const SCHEDULES = Number(process.env.FUZZ_SCHEDULES ?? 100)
const SCHEDULES_PER_TEST = 100
const TEST_TIMEOUT_MS = 120_000
const MAS = 10n ** 9n
const ERA_SLOTS = 128 * 32
const ERAS = 9
const STAKE = 10n ** 12n
const MOST_BYTES = 128n * 2n ** 24n

describe('fuzz/registry-schedules-anchored', () => {
  for (let from = 0; from < SCHEDULES; from += SCHEDULES_PER_TEST) {
    it(`calls that change no weight do not move the index: schedules ${from} to ${from + SCHEDULES_PER_TEST - 1}`, function () {
      this.timeout(TEST_TIMEOUT_MS)
      let moved = 0
      let between = 0
      let partial = 0
      let switched = 0
      for (let seed = from; seed < from + SCHEDULES_PER_TEST; seed++) {
        const { index, callsBetween, wasPartial, movedSinceSwitch } = compareSchedules(BigInt(seed))
        if (index > 0n) moved++
        if (wasPartial) partial++
        if (movedSinceSwitch) switched++
        between += callsBetween
      }
      assert.ok(moved > SCHEDULES_PER_TEST / 2, `the index moved in ${moved} schedules only`)
      assert.ok(partial > SCHEDULES_PER_TEST / 4, `weights rose under a share in ${partial} schedules only`)
      assert.ok(switched > SCHEDULES_PER_TEST / 8, `the index moved after a switch in ${switched} schedules only`)
      assert.ok(between > 8 * SCHEDULES_PER_TEST, `${between} calls in between were accepted`)
    })
  }
})

function compareSchedules(seed: bigint) {
  const random = new SeededRandom(seed)
  const config = drawScheduleConfig(random)
  const isSwitched = random.chance(0.4)
  const free = { ...config, requireAnchors: 0n, unbondingPeriods: 100n, adminDelayPeriods: 0n }
  const start = makeStart(random, isSwitched ? free : config)
  const needed = drawNeeded(random, { start, config, isSwitched })
  const extra = drawExtra(random, start)
  const { alone, crowded, callsBetween } = compareRuns({ start, needed, extra }, run)
  assert.ok(!alone.wasShort && !crowded.wasShort, `schedule ${seed}: the pool was short`)
  assert.deepEqual(crowded.stored, alone.stored, `schedule ${seed}`)
  assert.deepEqual(crowded.owedByNode, alone.owedByNode, `schedule ${seed}`)
  const { wasPartial, movedSinceSwitch } = alone
  return { index: alone.stored.index, callsBetween, wasPartial, movedSinceSwitch }
}

function drawScheduleConfig(random: SeededRandom): Config {
  return {
    ...drawConfig(random),
    rewardPerGbPerPeriod: random.pick([1_000_000n, 1_000_007n, 999_999_937n]),
    requireAnchors: 1n,
    unbondingPeriods: 256n,
    adminDelayPeriods: 54_000n,
    minAllocatedGb: 1n,
    maxAllocatedGb: 10n ** 6n,
    minStake: STAKE,
    stakePerGb: 0n,
    maxNodes: 100n,
    placementLagEras: 1n,
    anchorQuorumPpm: 500_001n,
    maxRewardPerPeriod: random.pick([0n, 0n, 1_000_003n, 10n ** 10n]),
  }
}

function makeStart(random: SeededRandom, config: Config): Start {
  return {
    slot: { period: 1 + random.int(100), thread: random.int(32) },
    genesisTimestampMs: 0n,
    balanceNanoMas: 10n ** 17n,
    deployCoinsNanoMas: MAS,
    parameter: writeConfig(new ArgsWriter().string(actors[0]?.address ?? ''), config).finish(),
  }
}

/**
 * Nodes that come early, eras that are anchored, touches that let weights rise, one that leaves, a pause. With a switch
 * anchors come to be required when some nodes are there, and others come after it.
 */
function drawNeeded(
  random: SeededRandom,
  { start, config, isSwitched }: { readonly start: Start; readonly config: Config; readonly isSwitched: boolean },
): Timed[] {
  const call = (slot: number, step: Step): Timed => at(later(start, slot), step)
  const calls: Timed[] = [call(0, makeCall(0, 'fundRewards', new ArgsWriter(), 10n ** 16n))]
  const nodes = 3 + random.int(3)
  const switchSlot = 400 + random.int(ERA_SLOTS)
  if (isSwitched) {
    const args = writeConfig(new ArgsWriter(), requireAnchors(config))
    calls.push(call(switchSlot, makeCall(0, 'updateConfig', args, MAS)))
  }
  for (let i = 1; i <= nodes; i++) {
    const gb = new ArgsWriter().u64(random.between(1n, 20n))
    // One of them after the switch, where there is one.
    const joined = isSwitched && i === nodes ? switchSlot + 1 + random.int(400) : 1 + random.int(400)
    calls.push(call(joined, makeCall(i, 'registerStorageNode', gb, STAKE + MAS)))
    // The first touch is early: somebody has to vote.
    const touches = [2 * ERA_SLOTS + random.int(ERA_SLOTS)]
    // A switch takes an era more: weight waits from the first touch on.
    if (isSwitched) touches.push(5 * ERA_SLOTS + random.int(ERA_SLOTS))
    for (let t = random.int(5); t > 0; t--) touches.push(4 * ERA_SLOTS + random.int((ERAS - 4) * ERA_SLOTS))
    for (const slot of touches) {
      const size = new ArgsWriter().u64(random.between(1n, 20n))
      calls.push(call(slot, makeCall(i, 'updateStorageAllocation', size)))
    }
  }
  // The eras that come to be over, one or two calls each: later votes go on, or stand alone.
  for (let era = 1n; era < ERAS - 4; era++) {
    const totalBytes = random.pick([MOST_BYTES, random.between(1n, MOST_BYTES)])
    const slot = (Number(era) + 4) * ERA_SLOTS + random.int(ERA_SLOTS)
    calls.push({ slot: later(start, slot), make: (world) => makeAnchor(world, era, totalBytes) })
  }
  if (random.chance(0.4)) {
    const slot = 6 * ERA_SLOTS + random.int(ERA_SLOTS)
    calls.push(call(slot, makeCall(nodes, 'unregisterStorageNode')))
  }
  if (random.chance(0.3)) {
    const paused = 6 * ERA_SLOTS + random.int(ERA_SLOTS)
    calls.push(call(paused, makeCall(0, 'setPaused', new ArgsWriter().bool(true))))
    calls.push(call(paused + 1 + random.int(2000), makeCall(0, 'setPaused', new ArgsWriter().bool(false))))
  }
  return [...inOrder(calls), call(ERAS * ERA_SLOTS, makeCall(0, 'fundRewards', new ArgsWriter(), 1n))]
}

/** By everybody who is registered. */
function makeAnchor(world: World, era: bigint, totalBytes: bigint): Step {
  const root = new Uint8Array(32).fill(Number(era))
  const placementRoot = new Uint8Array(32).fill(9)
  const text = computeEraText({
    chainId: world.chainId,
    contract: world.contract,
    era: Number(era),
    eraRoot: root,
    totalBytes,
    totalChunks: 128n,
    nextPlacementRoot: placementRoot,
  })
  const signatures = world.model.state.nodes.map(
    ({ address }) => actors.find((actor) => actor.address === address)?.sign(text) ?? new Uint8Array(),
  )
  const args = new ArgsWriter().u64(era).bytes(root).u64(totalBytes).u64(128n).bytes(placementRoot)
  return makeCall(0, 'anchorEra', args.byteStrings(signatures), MAS)
}

/** Calls that accrue and touch no node. */
function drawExtra(random: SeededRandom, start: Start): Timed[] {
  return Array.from({ length: 8 + random.int(25) }, () => {
    const slot = later(start, random.int(ERAS * ERA_SLOTS))
    const caller = random.int(actors.length)
    const node = 1 + random.int(4)
    const step = random.pick([
      makeCall(caller, 'distributeRewards', new ArgsWriter().u64(slot.period - 1), MAS),
      makeCall(0, 'addChallenger', new ArgsWriter().string(random.pick(actors).address), MAS),
      makeCall(0, 'transferAdmin', new ArgsWriter().string(random.pick(actors).address), MAS),
      makeCall(caller, 'fundRewards', new ArgsWriter(), 1n),
      makeCall(node, 'updateNodeMetadata', new ArgsWriter().strings([]).string('e').string('l').string('o'), MAS),
    ])
    return at(slot, step)
  })
}

function run(start: Start, calls: readonly Timed[]) {
  let wasShort = false
  let wasPartial = false
  const { world, accepted, state } = runSchedule(start, calls, ({ model }) => {
    wasShort ||= model.state.shortSince
    wasPartial ||= model.state.index > 0n && model.state.nodes.some(({ nextWeightGb }) => nextWeightGb > 0n)
  })
  const { index, idxRem, weight, anchoredBytes } = state
  const { nodes, switched } = world.model.state
  return {
    stored: { index: index as bigint, idxRem, weight, anchoredBytes },
    owedByNode: listOwed(world.model.state.index, nodes),
    movedSinceSwitch: switched !== undefined && world.model.state.index > switched.index,
    wasShort,
    wasPartial,
    accepted,
  }
}
