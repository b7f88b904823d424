import { ArgsWriter } from '../../reference/args-writer.ts'
import { VIEW_FUNCTIONS, WRITING_FUNCTIONS } from '../../reference/registry-model.ts'
import { actors } from './actors.ts'
import { makeCall } from './moves-node.ts'
import { drawExtreme, type Move, type Scene } from './scene.ts'

const CONTRACT_CALLER = 'AS12UN5gcQ5gck2oCtw8YWEX9FcSXAxFVosCJiv7rXYK8qi68t268'

function drawArgs(scene: Scene, functionName: string): ArgsWriter {
  const { random, world } = scene
  const { state } = world.model
  const args = new ArgsWriter()
  const nodeAddress = () =>
    random.chance(0.9)
      ? (random.pickAny(state.nodes)?.address ?? '')
      : random.pick(['', 'q'.repeat(300), actors[5]?.address ?? ''])
  switch (functionName) {
    case 'getNodeInfo':
    case 'calculatePendingRewards':
    case 'getNodeMetadata':
      return args.string(nodeAddress())
    case 'isChallenger':
      return args.string(random.chance(0.8) ? random.pick(actors).address : 'r'.repeat(300))
    case 'getChallenge':
      return args.string(random.chance(0.9) ? (random.pickAny([...state.challenges.keys()]) ?? 'x') : 'z'.repeat(65))
    case 'getPeriodStats':
      return args.u64(drawExtreme(random, random.pickAny([...state.periods.keys()]) ?? 5n, 0.1))
    case 'getEra':
      return args.u64(drawExtreme(random, random.pickAny([...state.eras.keys()]) ?? 5n, 0.1))
    case 'getNodes':
      return args
        .u64(drawExtreme(random, BigInt(random.int(4)), 0.1))
        .u32(random.pick([1, 2, 5, 50, 50, 51, 0, 2 ** 32 - 1]))
    default:
      return args
  }
}

const read: Move = (scene) => {
  const { random } = scene
  const functionName = random.pick(VIEW_FUNCTIONS)
  const args = drawArgs(scene, functionName)
  if (random.chance(0.03)) args.raw(random.bytes(1))
  const parameter = args.finish()
  if (random.chance(0.1)) return makeCall(functionName, random.pick(actors).address, args, random.chance(0.2) ? 3n : 0n)
  return { kind: 'read', caller: random.pick(actors).address, functionName, parameter }
}

const readOwn: Move = (scene) => {
  const node = scene.random.pickAny(scene.world.model.state.nodes)
  if (!node) return undefined
  const parameter = Uint8Array.from(new ArgsWriter().string(node.address).finish())
  return { kind: 'read', caller: node.address, functionName: 'calculatePendingRewards', parameter }
}

/** A contract as the caller, and writing functions that are only simulated. */
const simulate: Move = ({ random }) => ({
  kind: 'read',
  caller: random.chance(0.5) ? CONTRACT_CALLER : random.pick(actors).address,
  functionName: random.pick([...WRITING_FUNCTIONS, 'constructor', 'registerStorageNode']),
  parameter: Uint8Array.from(
    random.pick([new ArgsWriter().u64(1), new ArgsWriter(), new ArgsWriter().bool(true)]).finish(),
  ),
})

export const readMoves: readonly (readonly [number, Move])[] = [
  [8, read],
  [3, readOwn],
  [1, simulate],
]
