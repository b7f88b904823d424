import { computeProofText } from '../../../core/index.ts'
import { ArgsWriter } from '../../reference/args-writer.ts'
import { computeSeed } from '../../reference/registry-model/challenges.ts'
import type { Challenge, Node } from '../../reference/registry-model/state.ts'
import { actors, findActor } from './actors.ts'
import { findChunk, makeProof, type PoolChunk, poolChunks } from './made-eras.ts'
import { makeCall, pickCaller } from './moves-node.ts'
import type { Move, Scene } from './scene.ts'

const MAS = 10n ** 9n
const ISSUE_COINS = MAS / 2n

/** Nodes that this challenger may begin or go on to audit. */
function listAuditable({ world, random }: Scene, challenger: string): Node[] {
  const { state } = world.model
  const now = BigInt(world.slot.period)
  return state.nodes.filter((node) => {
    if (!node.active) return false
    if (node.openChallenges > 0n) {
      return (
        node.auditPeriod === now &&
        node.lastChallenger === challenger &&
        (node.auditTotal < state.config.maxOpenChallengesPerNode || random.chance(0.05))
      )
    }
    const factor = state.challengers.size > 1 && node.lastChallenger === challenger ? 2n : 1n
    return now >= node.lastChallengedPeriod + state.config.minChallengeIntervalPeriods * factor
  })
}

function drawId(scene: Scene): string {
  const { random, world } = scene
  const used = [...world.model.state.challenges.keys()]
  return random.pickWeighted([
    [30, `c-${scene.challengeCount++}`],
    [1, `${'x'.repeat(55)}-${String(scene.challengeCount++).padStart(8, '0')}`],
    [1, random.pickAny(used) ?? 'a'],
    [1, random.pick(['', 'a,b', 'x'.repeat(65), 'ä', 'sp ace', `c-${random.int(20)}`])],
  ])
}

/** Evidence for a chunk, right if that is possible; undefined when no era would do. */
function drawEvidence(scene: Scene, chunk: PoolChunk, nodeAddress: string): Uint8Array | undefined {
  const { random, world, eras } = scene
  const { state } = world.model
  const anchored = [...eras.values()].filter(({ era, root }) => {
    const stored = state.eras.get(era)
    return stored !== undefined && Buffer.compare(stored.root, root) === 0
  })
  const era = BigInt(Math.floor(world.slot.period / 128))
  const lag = state.config.placementLagEras
  const fitting = anchored.filter((made) => {
    const placementEra = made.era + 1n
    return placementEra + lag <= era && era <= placementEra + 2n * lag && made.holders.includes(nodeAddress)
  })
  const existence = random.pickAny(anchored)
  const placement = random.pickAny(random.chance(0.07) ? anchored : fitting)
  if (!existence || !placement) return undefined
  const evidence = Buffer.concat([existence.writeExistence(chunk), placement.writePlacement(chunk)])
  if (random.chance(0.12)) {
    const spoilt = Uint8Array.from(evidence)
    const place = random.chance(0.5) ? random.int(36) : random.int(spoilt.length)
    spoilt[place] = (spoilt[place] ?? 0) ^ (1 << random.int(8))
    return random.chance(0.3) ? spoilt.slice(0, random.int(spoilt.length)) : spoilt
  }
  if (random.chance(0.03)) return Buffer.concat([evidence, random.bytes(1)])
  return evidence
}

function drawOrder(scene: Scene, nodeAddress: string) {
  const { random, world } = scene
  const chunk = random.pick(poolChunks)
  const chunkId = random.pickWeighted([
    [40, chunk.idText],
    [2, Buffer.from(random.bytes(32)).toString('hex')],
    [1, random.pick([chunk.idText.toUpperCase(), chunk.idText.slice(1), `${chunk.idText}0`, ''])],
  ])
  const needed = world.model.state.config.requireAnchors === 1n
  const evidence = needed || random.chance(0.02) ? drawEvidence(scene, chunk, nodeAddress) : undefined
  if (needed && evidence === undefined && !random.chance(0.1)) return undefined
  return { id: drawId(scene), chunkId, nonce: random.u64(), evidence: evidence ?? new Uint8Array() }
}

function pickChallenger(scene: Scene): string | undefined {
  return pickCaller(
    scene,
    [...scene.world.model.state.challengers.keys()].filter((address) => findActor(address)),
  )
}

function pickTarget(scene: Scene, challenger: string): string | undefined {
  const { random, world, hostility } = scene
  const auditable = listAuditable(scene, challenger).map(({ address }) => address)
  if (random.chance(hostility / 3)) {
    return random.pick([...actors.map(({ address }) => address), '', 'x'.repeat(53), 'y'.repeat(54)])
  }
  if (random.chance(hostility)) return random.pickAny(world.model.state.nodes)?.address
  return random.pickAny(auditable)
}

const issue: Move = (scene) => {
  const challenger = pickChallenger(scene)
  const nodeAddress = challenger && pickTarget(scene, challenger)
  if (challenger === undefined || nodeAddress === undefined) return undefined
  const order = drawOrder(scene, nodeAddress)
  if (!order) return undefined
  const args = new ArgsWriter().string(order.id).string(nodeAddress).string(order.chunkId).u64(order.nonce)
  if (order.evidence.length > 0 || scene.random.chance(0.1)) args.bytes(order.evidence)
  return makeCall('issueChallenge', challenger, args, scene.random.chance(0.05) ? 1000n : ISSUE_COINS)
}

const issueMany: Move = (scene) => {
  const { random, world } = scene
  const challenger = pickChallenger(scene)
  const nodeAddress = challenger && pickTarget(scene, challenger)
  if (challenger === undefined || nodeAddress === undefined) return undefined
  const node = world.model.state.findNode(nodeAddress)
  const open = node && node.openChallenges > 0n ? node.auditTotal : 0n
  const most = Number(world.model.state.config.maxOpenChallengesPerNode - open)
  const count = random.chance(0.04) ? random.pick([0, 8, 9]) : 1 + random.int(Math.max(1, most))
  const orders = Array.from({ length: count }, () => drawOrder(scene, nodeAddress)).filter(
    (order) => order !== undefined,
  )
  if (orders.length !== count) return undefined
  const nonces = orders.map(({ nonce }) => nonce)
  const args = new ArgsWriter().strings(orders.map(({ id }) => id)).string(nodeAddress)
  args.strings(orders.map(({ chunkId }) => chunkId)).numbers(random.chance(0.02) ? nonces.slice(1) : nonces)
  if (orders.some(({ evidence }) => evidence.length > 0)) args.byteStrings(orders.map(({ evidence }) => evidence))
  return makeCall('issueChallenges', challenger, args, ISSUE_COINS)
}

/** A proof of a challenge, mostly right. */
function drawSubmission(scene: Scene, challenge: Challenge) {
  const { random, world } = scene
  const at = { chainId: world.chainId, contract: world.contract }
  const chunk = findChunk(challenge.chunkId) ?? random.pick(poolChunks)
  const { issuedPeriod } = challenge
  const order = { ...challenge, ...at, challengeId: challenge.id, issuedPeriod: Number(issuedPeriod) }
  const samples = Number(challenge.samples)
  let proof = makeProof(random.chance(0.04) ? random.pick(poolChunks) : chunk, order, samples)
  let id = challenge.id
  if (random.chance(0.16)) {
    proof = Uint8Array.from(proof)
    const place = random.chance(0.4) ? random.int(40) : random.int(proof.length)
    proof[place] = (proof[place] ?? 0) ^ (1 << random.int(8))
  }
  if (random.chance(0.04))
    proof = random.pick([proof.slice(0, -1), Buffer.concat([proof, Buffer.alloc(1)]), proof.slice(0, 20)])
  const signer = random.chance(0.05) ? random.pick(actors) : findActor(challenge.nodeAddress)
  let signature = (signer ?? random.pick(actors)).sign(computeProofText(computeSeed(at, challenge), proof))
  if (random.chance(0.03))
    signature = random.pick([
      new Uint8Array(),
      signature.slice(1),
      random.bytes(150),
      signature.slice(0, -1),
      Buffer.concat([signature, Buffer.alloc(300, 49)]),
    ])
  if (random.chance(0.02)) id = random.pickAny([...world.model.state.challenges.keys()]) ?? id
  return { id, proof: Uint8Array.from(proof), signature: Uint8Array.from(signature) }
}

function listOpen({ random, world }: Scene): Challenge[] {
  const all = [...world.model.state.challenges.values()]
  const { timestampMs } = world.engine
  const open = all.filter(
    ({ outcome, deadline }) => outcome === 'open' && (deadline >= timestampMs || random.chance(0.05)),
  )
  return open.length > 0 || random.chance(0.95) ? open : all
}

const submit: Move = (scene) => {
  const challenge = scene.random.pickAny(listOpen(scene))
  if (!challenge) return undefined
  const { id, proof, signature } = drawSubmission(scene, challenge)
  const args = new ArgsWriter()
    .string(scene.random.chance(0.01) ? 'nobody' : id)
    .bytes(proof)
    .bytes(signature)
  return makeCall('submitProof', scene.random.pick([challenge.nodeAddress, scene.random.pick(actors).address]), args)
}

const submitMany: Move = (scene) => {
  const { random } = scene
  const open = random.shuffle(listOpen(scene)).slice(0, 1 + random.int(8))
  if (open.length === 0) return undefined
  if (random.chance(0.03)) open.push(random.pick(open))
  const submissions = open.map((challenge) => drawSubmission(scene, challenge))
  const args = new ArgsWriter().strings(submissions.map(({ id }) => id))
  args.byteStrings(submissions.map(({ proof }) => proof))
  const signatures = submissions.map(({ signature }) => signature)
  args.byteStrings(random.chance(0.02) ? signatures.slice(1) : signatures)
  return makeCall('submitProofs', random.pick(actors).address, args)
}

const resolveExpired: Move = (scene) => {
  const { random, world, hostility } = scene
  const { timestampMs } = world.engine
  const all = [...world.model.state.challenges.values()]
  const expired = all.filter(({ outcome, deadline }) => outcome === 'open' && deadline < timestampMs)
  if (expired.length === 0 && !random.chance(hostility / 4)) return undefined
  const ids = random
    .shuffle(expired)
    .slice(0, 1 + random.int(8))
    .map(({ id }) => id)
  if (random.chance(0.2)) ids.push(random.pickAny(all)?.id ?? 'nobody', ...ids.slice(0, 1))
  if (random.chance(0.1)) ids.push('unknown', 'z'.repeat(300))
  return makeCall(
    'resolveExpiredChallenges',
    random.pick(actors).address,
    new ArgsWriter().strings(ids.slice(0, random.chance(0.05) ? 9 : 8)),
  )
}

export const auditMoves: readonly (readonly [number, Move])[] = [
  [20, issue],
  [14, issueMany],
  [24, submit],
  [10, submitMany],
  [10, resolveExpired],
]
