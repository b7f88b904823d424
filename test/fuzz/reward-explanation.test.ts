import assert from 'node:assert/strict'
import {
  decodeRegistryResult,
  encodeRegistryViewArgs,
  explainRewards,
  type RegistryViewArgs,
  type RegistryViewName,
  type RegistryViewResult,
  type RewardFacts,
  readStateRecord,
  slotIndex,
  slotOfIndex,
} from '../../core/index.ts'
import { actors } from './registry/actors.ts'
import { drawStart, drawStep } from './registry/generator.ts'
import { SeededRandom } from './registry/random.ts'
import type { Scene } from './registry/scene.ts'
import { NotDeployed, World } from './registry/world.ts'

const FIRST_SEED = 77_003n
const SEEDS = 4n
const STEPS = 100
const MAX_GAS = 4_200_000_000n

/** What has to come up, or equality says little. */
const SIGHTS = [
  ...['an audit passed', 'an audit passed in part', 'an audit failed', 'a challenge expired', 'the pool short'],
  ...['rewards of another node', 'under audit', 'vested', 'anchors required', 'the index moved on since the last call'],
]

function read<N extends RegistryViewName>(world: World, name: N, args: RegistryViewArgs<N>): RegistryViewResult<N> {
  const { success, returned, error } = world.engine.executeReadOnlyCall({
    caller: actors[0]?.address ?? '',
    target: world.contract,
    functionName: name,
    parameter: encodeRegistryViewArgs(name, args),
    maxGas: MAX_GAS,
  })
  if (!success) throw new Error(`${name}: ${error}`)
  return decodeRegistryResult(name, Uint8Array.from(returned))
}

function readFacts(world: World, address: string): RewardFacts {
  const record = world.engine.ledger.value(world.contract, Buffer.from('state'))
  return {
    node: read(world, 'getNodeInfo', { address }),
    config: read(world, 'getConfig', {}),
    state: readStateRecord(record ?? new Uint8Array()),
    // A read-only call runs at the next slot.
    period: BigInt(slotOfIndex(slotIndex(world.slot) + 1).period),
  }
}

function deploy(random: SeededRandom): Scene {
  for (;;) {
    const start = drawStart(random)
    try {
      const world = new World(start)
      const { hostility } = start
      return {
        random,
        world,
        hostility,
        eras: new Map(),
        lastConfig: undefined,
        lastCode: undefined,
        challengeCount: 0,
      }
    } catch (error) {
      if (!(error instanceof NotDeployed)) throw error
    }
  }
}

function noteEvents(seen: Set<string>, events: readonly string[]): void {
  for (const event of events) {
    const [name, fields = ''] = event.split(':')
    if (name === 'CHALLENGE_EXPIRED') seen.add('a challenge expired')
    if (name !== 'AUDIT_CLOSED') continue
    const [, passed = '0', total = '0'] = fields.split(',')
    if (total === '0') continue
    seen.add(passed === total ? 'an audit passed' : passed === '0' ? 'an audit failed' : 'an audit passed in part')
  }
}

describe('core/registry/reward-explanation, on the shipped contract', () => {
  it('is the sum that the contract says, to the nanoMAS (random sequences of calls)', function () {
    this.timeout(20_000)
    const seen = new Set<string>()
    let compared = 0
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      const scene = deploy(new SeededRandom(seed))
      const { world } = scene
      for (let step = 0; step < STEPS && world.model.isAlive; step++) {
        const { outcome } = world.apply(drawStep(scene))
        if (!outcome?.success) continue
        noteEvents(seen, outcome.events)
        for (const [i, { address }] of world.model.state.nodes.entries()) {
          const facts = readFacts(world, address)
          const explained = explainRewards(facts)
          const wanted = read(world, 'calculatePendingRewards', { address })
          assert.equal(explained.totalNanoMas, wanted, `seed ${seed}, step ${step}`)
          compared++
          if (i > 0 && wanted > 0n) seen.add('rewards of another node')
          if (explained.underAuditNanoMas > 0n) seen.add('under audit')
          if (explained.pendingNanoMas > 0n) seen.add('vested')
          if (explained.causes.includes('poolShort')) seen.add('the pool short')
          if (facts.config.requireAnchors && wanted > 0n) seen.add('anchors required')
          if (explained.period > facts.state.accruedPeriod && explained.unvestedNanoMas > facts.node.unvested)
            seen.add('the index moved on since the last call')
        }
      }
    }
    assert.deepEqual(
      SIGHTS.filter((sight) => !seen.has(sight)),
      [],
    )
    assert.ok(compared > 300, `${compared} sums compared`)
  })
})
