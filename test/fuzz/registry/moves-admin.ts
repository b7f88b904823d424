import { ArgsWriter } from '../../reference/args-writer.ts'
import { writeConfig } from '../../reference/registry-model/config.ts'
import { greatest } from '../../reference/registry-model/extremes.ts'
import { actors } from './actors.ts'
import { changeConfig } from './draw-config.ts'
import { makeCall, pickCaller } from './moves-node.ts'
import { drawExtreme, type Move, type Scene } from './scene.ts'
import { contractCode } from './world.ts'

const MAS = 10n ** 9n
/** Of a custom section: the code stays what it is, only longer. */
const CUSTOM_SECTION = 0
/** Begins as a module does; no section has this number. */
export const DEADLY_CODE = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0xff)

function pickAdmin(scene: Scene): string {
  return pickCaller(scene, [scene.world.model.state.admin]) ?? scene.world.model.state.admin
}

const config: Move = (scene) => {
  const { random, world } = scene
  const { state } = world.model
  const due =
    state.pendingConfig &&
    BigInt(world.slot.period) >= state.pendingConfig.announcedPeriod + state.config.adminDelayPeriods
  if (scene.lastConfig && (due ? random.chance(0.9) : random.chance(0.2))) {
    return {
      kind: 'call',
      caller: pickAdmin(scene),
      functionName: 'updateConfig',
      coinsNanoMas: MAS,
      parameter: scene.lastConfig,
    }
  }
  if (state.pendingConfig && !random.chance(0.2)) return undefined
  const fields = random.chance(0.7) ? 22 : 6 + random.int(17)
  const isSame = state.pendingConfig !== undefined && random.chance(0.3)
  const args = writeConfig(new ArgsWriter(), isSame ? state.config : changeConfig(random, state.config), fields)
  const step = makeCall('updateConfig', pickAdmin(scene), args, MAS)
  scene.lastConfig = step.parameter
  return step
}

/** Anchors come to be required while nodes have weight; a second call of these arguments is `config`'s. */
const switchOn: Move = (scene) => {
  const { random, world } = scene
  const { state } = world.model
  if (state.config.requireAnchors === 1n || state.pendingConfig || state.activeNodes < 2n) return undefined
  if (!random.chance(0.3)) return undefined
  const unbondingPeriods = greatest(256n, state.config.unbondingPeriods)
  const args = writeConfig(new ArgsWriter(), {
    ...state.config,
    requireAnchors: 1n,
    unbondingPeriods,
    adminDelayPeriods: greatest(state.config.adminDelayPeriods, unbondingPeriods + 2700n),
    // So that some stakes are enough for the new rules, and some are not.
    stakePerGb: random.pick([state.config.stakePerGb, state.config.minStake, 10n ** 9n]),
    placementLagEras: 1n,
  })
  const step = makeCall('updateConfig', state.admin, args, MAS)
  scene.lastConfig = step.parameter
  return step
}

const upgrade: Move = (scene) => {
  const { random, world } = scene
  const { state } = world.model
  if (scene.lastCode && state.pendingCode && random.chance(0.8)) {
    return {
      kind: 'call',
      caller: pickAdmin(scene),
      functionName: 'upgrade',
      coinsNanoMas: MAS,
      parameter: scene.lastCode,
    }
  }
  if (!random.chance(0.3)) return undefined
  const name = 'padding'.slice(0, 1 + random.int(7))
  const section = Uint8Array.from([CUSTOM_SECTION, name.length + 1, name.length, ...Buffer.from(name)])
  const code = random.pick([contractCode, Buffer.concat([contractCode, section])])
  const refused = random.pick([new Uint8Array(), code.slice(0, 8), code.slice(1)])
  const bytes = random.pickWeighted([
    [40, code],
    [8, refused],
    [1, DEADLY_CODE],
  ])
  const args = new ArgsWriter().bytes(bytes)
  const step = makeCall('upgrade', pickAdmin(scene), args, random.chance(0.1) ? 0n : MAS)
  scene.lastCode = step.parameter
  return step
}

function drawAddress({ random }: Scene): string {
  return random.pickWeighted([
    [20, random.pick(actors).address],
    [20, actors[1 + random.int(3)]?.address ?? ''],
    [1, random.pick(['', 'AU12', 'x'.repeat(60), 'AS12UN5gcQ5gck2oCtw8YWEX9FcSXAxFVosCJiv7rXYK8qi68t268'])],
  ])
}

const addChallenger: Move = (scene) => {
  const { random, world } = scene
  const { challengers } = world.model.state
  if (challengers.size > 3 && !random.chance(0.1)) return undefined
  const address = drawAddress(scene)
  if (challengers.has(address) && !random.chance(0.1)) return undefined
  return makeCall('addChallenger', pickAdmin(scene), new ArgsWriter().string(address), random.chance(0.05) ? 0n : MAS)
}

/** A registry without challengers is a dull one. */
const addFirstChallenger: Move = (scene) =>
  scene.world.model.state.challengers.size === 0 ? addChallenger(scene) : undefined

const removeChallenger: Move = (scene) => {
  const { random, world } = scene
  const known = [...world.model.state.challengers.keys()]
  if (known.length < 2 && !random.chance(0.3)) return undefined
  const address = random.chance(0.1) ? drawAddress(scene) : random.pickAny(known)
  return address === undefined
    ? undefined
    : makeCall('removeChallenger', pickAdmin(scene), new ArgsWriter().string(address))
}

const pause: Move = (scene) => {
  const { paused } = scene.world.model.state
  const wanted = paused ? scene.random.chance(0.1) : scene.random.chance(0.4)
  return makeCall('setPaused', pickAdmin(scene), new ArgsWriter().bool(wanted))
}

const unpause: Move = (scene) =>
  scene.world.model.state.paused ? makeCall('setPaused', pickAdmin(scene), new ArgsWriter().bool(false)) : undefined

const transfer: Move = (scene) =>
  makeCall('transferAdmin', pickAdmin(scene), new ArgsWriter().string(drawAddress(scene)), MAS)

const accept: Move = (scene) => {
  const { pendingAdmin } = scene.world.model.state
  const isActor = actors.some(({ address }) => address === pendingAdmin)
  if ((pendingAdmin === undefined || !isActor) && !scene.random.chance(0.1)) return undefined
  const caller =
    isActor && pendingAdmin !== undefined ? pickCaller(scene, [pendingAdmin]) : scene.random.pick(actors).address
  return caller === undefined
    ? undefined
    : makeCall('acceptAdmin', caller, undefined, scene.random.chance(0.5) ? MAS : 0n)
}

const distribute: Move = ({ random, world, hostility }) => {
  const { state } = world.model
  const now = BigInt(world.slot.period)
  const last = state.lastDistributedPeriod
  if (now - 1n <= last && !random.chance(0.1)) return undefined
  const period = random.chance(hostility)
    ? drawExtreme(random, random.pick([now, last, now + 1n]), 0.2)
    : random.pick([now - 1n, random.between(last + 1n, now - 1n)])
  const coins = random.chance(0.05) ? 0n : MAS
  return makeCall(
    'distributeRewards',
    random.pick(actors).address,
    new ArgsWriter().u64(period < 0n ? 0n : period),
    coins,
  )
}

const prune: Move = (scene) => {
  const { random, world, hostility } = scene
  const { state } = world.model
  const now = BigInt(world.slot.period)
  const keep = state.config.recordRetentionPeriods
  const kind = random.chance(hostility / 6) ? 3 + random.int(250) : random.int(3)
  const lists: readonly (readonly string[])[] = [
    [...state.challenges.values()]
      .filter((c) => c.outcome !== 'open' && c.issuedPeriod + keep <= now)
      .map(({ id }) => id),
    [...state.periods.keys()].filter((period) => period + 2n * keep <= now).map(String),
    [...state.votes, ...state.votePages]
      .filter(([, vote]) => vote.snapshotEra * 128n + 2n * keep <= now)
      .map(([name]) => name),
  ]
  // What is one period short of being due is tried, too.
  const due = lists[kind] ?? []
  if (due.length === 0 && kind < 3 && !random.chance(hostility / 3)) return undefined
  const ids = random.shuffle(due).slice(0, 1 + random.int(20))
  const all =
    [
      [...state.challenges.keys()],
      [...state.periods.keys()].map(String),
      [...state.votes.keys(), ...state.votePages.keys()],
    ][kind] ?? []
  if (random.chance(0.2)) ids.push(random.pickAny(all) ?? 'none', '01', 'z'.repeat(260), ...ids.slice(0, 1))
  if (random.chance(0.03)) while (ids.length < 21) ids.push('none')
  const issuers = [...state.challenges.values()].filter(({ id }) => ids.includes(id)).map(({ issuer }) => issuer)
  const caller = (kind === 0 && random.chance(0.7) ? random.pickAny(issuers) : undefined) ?? random.pick(actors).address
  return makeCall('prune', caller, new ArgsWriter().u8(kind).strings(ids.slice(0, 21)))
}

const pruneTooEarly: Move = (scene) => {
  const { state } = scene.world.model
  const issuedPeriod = BigInt(scene.world.slot.period) - state.config.recordRetentionPeriods
  const edge = [...state.challenges.values()].find((c) => c.outcome !== 'open' && c.issuedPeriod === issuedPeriod)
  return edge && makeCall('prune', edge.issuer, new ArgsWriter().u8(0).strings([edge.id]))
}

export const adminMoves: readonly (readonly [number, Move])[] = [
  [3, config],
  [1, switchOn],
  [1, upgrade],
  [3, addChallenger],
  [30, addFirstChallenger],
  [1, removeChallenger],
  [1, pause],
  [15, unpause],
  [1, transfer],
  [2, accept],
  [5, distribute],
  [5, prune],
  [10, pruneTooEarly],
]
