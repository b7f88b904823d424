import { ERA_PERIODS } from '../../core/index.ts'
import { SeededRandom } from '../fuzz/registry/random.ts'
import { greatest } from '../reference/registry-model/extremes.ts'
import type { Adversary, Play } from './adversary.ts'
import { Arena, mustSucceed } from './arena.ts'
import { Challenger } from './challenger.ts'
import { makeParty, type Party } from './party.ts'
import { anchorHistory, placeFreely, type Registrant, START_ERA } from './past.ts'
import type { RegistryChain, RegistryStart } from './registry-chain.ts'
import { readSetting, type SettingName } from './settings.ts'
import { HONEST_NODES, NODE_GB } from './sizes.ts'
import { StorageNode } from './storage-node.ts'

const POOL_NANO_MAS = 10n ** 15n
const COINS_NANO_MAS = 10n ** 9n

/** A registry in which everybody has been honest so far. */
export interface Scene {
  readonly arena: Arena
  readonly challenger: Challenger
  /** The adversary's, beside its nodes. */
  readonly key: Party
  readonly play: Play
  readonly startPeriod: number
}

export interface SceneOptions {
  readonly setting: SettingName
  readonly seed: number
  readonly makeChain: (start: RegistryStart) => RegistryChain
}

export function setUp(adversary: Adversary, { setting, seed, makeChain }: SceneOptions): Scene {
  const config = readSetting(setting)
  const admin = makeParty('admin')
  const patron = makeParty('patron')
  // Its key decides the draws.
  const challenger = new Challenger(makeParty(`challenger ${seed}`))
  const key = makeParty('adversary')
  const chain = makeChain({ admin: admin.address, config })
  mustSucceed(chain.send(patron.address, 'fundRewards', {}, POOL_NANO_MAS))
  const isWatched = !adversary.isOnlyChallenger
  const challengers = [...(isWatched ? [challenger.party] : []), ...(adversary.isChallenger ? [key] : [])]
  for (const { address } of challengers) {
    mustSucceed(chain.send(admin.address, 'addChallenger', { address }, COINS_NANO_MAS))
  }
  const honest = Array.from({ length: HONEST_NODES }, (_, i) => makeRegistrant(`honest ${i}`, NODE_GB))
  const { identities = 1, gb = NODE_GB, placedGb = gb } = adversary
  const hostile = Array.from({ length: identities }, (_, i) => ({ ...makeRegistrant(`hostile ${i}`, gb), placedGb }))
  const registrants = [...honest, ...hostile]
  const { minStake, stakePerGb } = config
  for (const { party, gb } of registrants) {
    const stake = greatest(minStake, stakePerGb * gb)
    mustSucceed(chain.send(party.address, 'registerStorageNode', { allocatedGb: gb }, stake + COINS_NANO_MAS))
  }
  const placement = config.requireAnchors ? anchorHistory(chain, registrants) : placeFreely(registrants)
  const play = adversary.play(key, setting)
  const makeNode = ({ party, gb }: Registrant, habits: Play['habits'] = {}): StorageNode => {
    const hashSlots = placement.slotsOf(party.address)
    return new StorageNode({ party, gb, hashSlots }, { habits, isAskedForListedOnly: !config.requireAnchors })
  }
  const arena = new Arena({
    setting,
    config,
    chain,
    placement,
    random: new SeededRandom(BigInt(seed)),
    challengerCount: challengers.length,
    isWatched,
    patron,
    honest: honest.map((registrant) => makeNode(registrant)),
    suspects: hostile.map((registrant) => makeNode(registrant, play.habits)),
  })
  const startPeriod = START_ERA * ERA_PERIODS
  passOpeningAudits(arena, isWatched ? challenger.party : key, startPeriod)
  return { arena, challenger, key, play, startPeriod }
}

function makeRegistrant(name: string, gb: bigint): Registrant {
  return { party: makeParty(name), gb, placedGb: gb }
}

/** What was earned before is judged, so that nothing of it counts in the run. */
function passOpeningAudits(arena: Arena, by: Party, startPeriod: number): void {
  const { chain } = arena.world
  chain.goTo(startPeriod)
  for (const [i, node] of arena.nodes.entries()) {
    const [chunk] = node.duty.all
    if (!chunk) throw new Error(`nothing to keep for ${node.address}`)
    mustSucceed(arena.issue(by, node, [{ id: `m-${i}`, chunk, chunkId: chunk.chunkId, nonce: 0n }]))
  }
  chain.goTo(startPeriod + 1)
  for (const node of arena.nodes) {
    const honest = new StorageNode(node, { habits: {}, isAskedForListedOnly: false })
    const answers = node.queue.splice(0).flatMap((asked) => {
      const answer = honest.answerHonestly(asked)
      return answer ? [{ asked, answer }] : []
    })
    mustSucceed(arena.submit(node.party, answers))
  }
}
