import { ArgsWriter } from '../../reference/args-writer.ts'
import { computeRequiredStake } from '../../reference/registry-model/rewards.ts'
import { actors } from './actors.ts'
import { drawExtreme, type Move, type Scene } from './scene.ts'
import type { CallStep } from './step.ts'

const MAS = 10n ** 9n
const U64_MAX = (1n << 64n) - 1n

/** A call by anybody; somebody who has no coins left sends none. */
export function makeCall(functionName: string, caller: string, args = new ArgsWriter(), coins = 0n): CallStep {
  const coinsNanoMas = coins < 0n ? 0n : coins
  return { kind: 'call', caller, functionName, coinsNanoMas, parameter: args.finish() }
}

/** Somebody who is wanted, or anybody when the scene is hostile. */
export function pickCaller({ random, hostility }: Scene, wanted: readonly string[]): string | undefined {
  if (wanted.length === 0 || random.chance(hostility))
    return random.chance(0.3) ? random.pick(actors).address : random.pickAny(wanted)
  return random.pickAny(wanted)
}

function drawGb({ random, world }: Scene): bigint {
  const { minAllocatedGb, maxAllocatedGb } = world.model.state.config
  const gb = random.pickWeighted([
    [2, minAllocatedGb],
    [2, maxAllocatedGb],
    [6, random.between(minAllocatedGb, maxAllocatedGb < 20n ? maxAllocatedGb : 20n)],
    [1, minAllocatedGb - 1n],
    [1, maxAllocatedGb + 1n],
  ])
  return drawExtreme(random, gb)
}

const register: Move = (scene) => {
  const { random, world } = scene
  const { state } = world.model
  const free = actors.map(({ address }) => address).filter((address) => !state.findNode(address))
  if (state.nodes.length > 9 && !random.chance(0.2)) return undefined
  const caller = random.chance(0.04) ? random.pick(actors).address : pickCaller(scene, free)
  if (caller === undefined) return undefined
  const gb = drawGb(scene)
  const required = computeRequiredStake(state, gb)
  const args = new ArgsWriter().u64(gb)
  let stake = required
  const shape = random.int(4)
  if (shape > 0) args.u64(drawExtreme(random, random.chance(0.75) ? 0n : random.between(1n, 5000n)))
  if (shape === 3) {
    stake =
      required +
      random.pickWeighted([
        [3, 0n],
        [3, random.between(0n, required + 10n)],
        [1, required > 0n ? -1n : 0n],
      ])
    stake = drawExtreme(random, stake < U64_MAX ? stake : U64_MAX)
    args.u64(stake)
  }
  const slack = random.pickWeighted([
    [8, MAS],
    [1, random.between(0n, MAS / 15n)],
    [1, -1n],
  ])
  const coins = stake + slack
  const most = world.balanceOf(caller) - MAS
  return makeCall('registerStorageNode', caller, args, coins < 0n ? 0n : coins > most ? most : coins)
}

const update: Move = (scene) => {
  const { random, world, hostility } = scene
  const { state } = world.model
  const nodes = state.nodes.filter(({ leaving }) => !leaving || random.chance(hostility / 2))
  const caller = pickCaller(
    scene,
    nodes.map(({ address }) => address),
  )
  if (caller === undefined) return undefined
  const node = state.findNode(caller)
  const gb = node && random.chance(0.45) ? node.allocatedGb : drawGb(scene)
  const args = new ArgsWriter().u64(gb)
  if (random.chance(0.2)) args.u64(drawExtreme(random, random.chance(0.6) ? 0n : random.between(1n, 5000n)))
  return makeCall('updateStorageAllocation', caller, args, random.chance(0.1) ? 77n : 0n)
}

/** A node waits for its weight: it has to touch itself when the era has come. */
const touchWaiting: Move = ({ random, world }) => {
  const { state } = world.model
  const era = BigInt(Math.floor(world.slot.period / 128))
  const waiting = state.nodes.filter(
    (node) => !node.leaving && ((node.nextWeightGb > 0n && era >= node.nextWeightEra) || node.placement.value === 0n),
  )
  const node = random.pickAny(waiting)
  return node && makeCall('updateStorageAllocation', node.address, new ArgsWriter().u64(node.allocatedGb))
}

const topUp: Move = (scene) => {
  const { random, world } = scene
  const { state } = world.model
  const low = state.nodes.filter(({ active, leaving }) => !active && !leaving)
  const staying = state.nodes.filter(({ leaving }) => !leaving || random.chance(0.03))
  const nodes = low.length > 0 && random.chance(0.7) ? low : staying
  const caller = pickCaller(
    scene,
    nodes.map(({ address }) => address),
  )
  if (caller === undefined) return undefined
  const node = state.findNode(caller)
  const missing = node ? computeRequiredStake(state, node.allocatedGb) - node.stake : 0n
  const amount = random.pickWeighted([
    [4, missing > 0n ? missing : 1n],
    [2, missing > 1n ? missing - 1n : 2n],
    [2, random.between(1n, MAS)],
    [1, 0n],
  ])
  const most = world.balanceOf(caller) - MAS
  return makeCall('topUpStake', caller, undefined, amount > most ? most : amount)
}

const unregister: Move = (scene) => {
  const { random, world } = scene
  const { nodes } = world.model.state
  const now = BigInt(world.slot.period)
  const ready = nodes.filter((node) => node.leaving && node.openChallenges === 0n && node.unlockPeriod <= now)
  const leaving = nodes.filter((node) => node.leaving)
  const held = leaving.filter((node) => node.openChallenges > 0n)
  const wanted = random.pickWeighted([
    [5, ready],
    [1, leaving],
    [2, held],
    [nodes.length > 4 ? 3 : 1, nodes],
  ])
  const caller = pickCaller(
    scene,
    wanted.map(({ address }) => address),
  )
  if (caller === undefined) return undefined
  return makeCall('unregisterStorageNode', caller, undefined, random.chance(0.05) ? 5n : 0n)
}

const fund: Move = ({ random, world }) => {
  const { address } = random.pick(actors)
  const amount = random.pickWeighted([
    [1, 0n],
    [3, random.between(1n, 1000n)],
    [3, random.between(1n, 10n ** 12n)],
    [2, 10n ** 14n],
    [world.balanceOf(address) > 10n ** 16n ? 6 : 1, world.balanceOf(address) / 2n],
  ])
  const most = world.balanceOf(address) - MAS
  return makeCall('fundRewards', address, undefined, amount > most ? most : amount)
}

const donate: Move = ({ random }) => ({
  kind: 'donate',
  from: random.pick(actors).address,
  amountNanoMas: random.pick([1n, 1n, 12_345n, MAS]),
})

const claim: Move = (scene) => {
  const { nodes } = scene.world.model.state
  const rich = nodes.filter(({ pendingRewards }) => pendingRewards > 0n)
  const wanted = rich.length > 0 || scene.random.chance(0.95) ? rich : nodes
  if (wanted.length === 0) return undefined
  const caller = pickCaller(
    scene,
    wanted.map(({ address }) => address),
  )
  return caller === undefined ? undefined : makeCall('claimRewards', caller)
}

const describe: Move = (scene) => {
  const { random, world } = scene
  const caller = pickCaller(
    scene,
    world.model.state.nodes.map(({ address }) => address),
  )
  if (caller === undefined) return undefined
  const text = (limit: number) => {
    const length = random.pickWeighted([
      [5, random.int(20)],
      [1, limit],
      [random.chance(0.1) ? 1 : 0, limit + 1],
      [1, 0],
    ])
    const letters = random.chance(0.02) ? '\n\x7f~ ' : 'abc~ /09'
    return Array.from({ length }, () => random.pick([...letters])).join('')
  }
  const count = random.pickWeighted([
    [6, random.int(3)],
    [1, 8],
    [1, random.chance(0.2) ? 9 : 8],
  ])
  const args = new ArgsWriter().strings(Array.from({ length: count }, () => text(128)))
  args.string(text(256)).string(text(64)).string(text(64))
  const coins = random.pickWeighted([
    [8, MAS],
    [1, random.between(0n, MAS / 20n)],
    [1, 0n],
  ])
  return makeCall('updateNodeMetadata', caller, args, coins)
}

export const nodeMoves: readonly (readonly [number, Move])[] = [
  [8, register],
  [5, update],
  [7, touchWaiting],
  [4, topUp],
  [3, unregister],
  [4, fund],
  [1, donate],
  [10, claim],
  [4, describe],
]
