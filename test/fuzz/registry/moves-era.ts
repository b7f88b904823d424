import { computeEraText } from '../../../core/index.ts'
import { ArgsWriter } from '../../reference/args-writer.ts'
import { actors, findActor } from './actors.ts'
import { type MadeEra, makeEra } from './made-eras.ts'
import { makeCall } from './moves-node.ts'
import { drawExtreme, type Move, type Scene } from './scene.ts'

const MOST_BYTES = 128n * 2n ** 24n

function openMadeEra(scene: Scene, era: bigint): MadeEra {
  const { random, world, eras } = scene
  const known = eras.get(era)
  if (known) return known
  const { state } = world.model
  const nodes = state.nodes.filter(({ placement }) => placement.value > 0n).map(({ address }) => address)
  const holders = random.shuffle(nodes).slice(0, random.chance(0.1) ? random.int(3) : 200)
  const made = makeEra(
    { chainId: world.chainId, genesisTimestampMs: state.genesisTimestamp },
    {
      era,
      holders,
      random,
      totalBytes: random.pick([MOST_BYTES, 1n, 0n, 10n ** 9n, random.between(0n, MOST_BYTES)]),
      totalChunks: random.pick([128n, 2048n, random.between(128n, 2048n)]),
    },
  )
  eras.set(era, made)
  return made
}

/** Eras that are over and not anchored, and have somebody to vote. */
function listAnchorable({ world }: Scene, withVoters = true): bigint[] {
  const { state } = world.model
  const era = BigInt(Math.floor(world.slot.period / 128))
  if (withVoters && state.totalVotes.atStartOf(era) === 0n) return []
  const open: bigint[] = []
  for (let e = era - 1n; e >= state.firstEra && e > era - 6n; e--) {
    if (!state.eras.has(e) && (e + 1n) * 128n + 8n <= BigInt(world.slot.period)) open.push(e)
  }
  return open
}

const anchor: Move = (scene) => {
  const { random, world, hostility } = scene
  const { state } = world.model
  const current = BigInt(Math.floor(world.slot.period / 128))
  const open = listAnchorable(scene, !random.chance(hostility))
  let era = random.chance(0.7) ? open[0] : random.pickAny(open)
  if (random.chance(hostility / 2))
    era = drawExtreme(random, random.pick([current, current + 1n, 0n, state.firstEra, state.latestEra]), 0.2)
  if (era === undefined) return undefined
  const made = openMadeEra(scene, era < 2n ** 40n ? era : 7n)
  const votes = [...state.votes.keys()].filter((name) => name.startsWith(`${era}_`))
  let { totalBytes, totalChunks } = made
  if (random.chance(hostility / 6)) totalChunks = drawExtreme(random, random.pick([127n, 2049n]), 0.2)
  if (random.chance(hostility / 6)) totalBytes = drawExtreme(random, MOST_BYTES + 1n, 0.2)
  let { root, placementRoot } = made
  // Another opinion, so that votes stay open.
  if (random.chance(0.06)) root = random.bytes(32)
  if (random.chance(0.01)) placementRoot = random.bytes(31)
  const statement = {
    chainId: world.chainId,
    contract: world.contract,
    era: Number(era % 2n ** 50n),
    eraRoot: root,
    totalBytes,
    totalChunks,
    nextPlacementRoot: placementRoot,
  }
  const text = computeEraText({ ...statement })
  let signers = state.nodes.map(({ address }) => address)
  // The second half of a vote, more or less.
  if (votes.length > 0 && random.chance(0.4)) signers = signers.slice(1 + random.int(3))
  if (random.chance(0.35)) signers = signers.slice(0, 1 + random.int(3))
  if (random.chance(0.1)) signers = signers.filter(() => random.chance(0.6))
  if (random.chance(0.04)) signers.push(random.pick(actors).address)
  if (random.chance(0.03)) signers = random.shuffle(signers)
  const signatures: Uint8Array[] = signers.map((address) => findActor(address)?.sign(text) ?? new Uint8Array())
  if (random.chance(0.03)) signatures[random.int(signatures.length + 1)] = random.bytes(random.pick([0, 10, 150]))
  if (random.chance(0.01)) for (let i = 0; i < 101; i++) signatures.push(new Uint8Array())
  const args = new ArgsWriter().u64(era).bytes(root).u64(totalBytes).u64(totalChunks).bytes(placementRoot)
  const coins = random.chance(0.04) ? random.between(0n, 10n ** 7n) : 10n ** 9n
  return makeCall('anchorEra', random.pick(actors).address, args.byteStrings(signatures), coins)
}

const anchorOften: Move = (scene) => (listAnchorable(scene).length > 0 ? anchor(scene) : undefined)

export const eraMoves: readonly (readonly [number, Move])[] = [
  [2, anchor],
  [10, anchorOften],
]
