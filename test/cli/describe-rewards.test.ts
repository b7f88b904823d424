import assert from 'node:assert/strict'
import { describeRewards, formatPpm, formatUtilisation } from '../../cli/describe-rewards.ts'
import {
  type DatedEvent,
  decodeRegistryResult,
  explainRewards,
  listClosedAudits,
  parseRegistryEvent,
  readStateRecord,
} from '../../core/index.ts'
import { stringArg, stringsArg, u64Arg } from '../reference/args-writer.ts'
import { addChallenger, issue, prove, submit } from '../sc/challenge-steps.ts'
import {
  ANYONE,
  type CallResult,
  CHALLENGER,
  type ConfigValues,
  call,
  deployRegistry,
  goTo,
  MAS,
  NODE,
  view,
  type World,
} from '../sc/registry-world.ts'

const OTHERS = { isChallenger: false, others: 1n }

/** One node of `gb` GB since period 100, in a registry with some coins; what happens is noted as a massa-node tells it. */
class Story {
  readonly world: World
  readonly events: DatedEvent[] = []

  constructor({ gb = 1n, poolMas = 100n, config = {} as ConfigValues } = {}) {
    this.world = deployRegistry(config)
    goTo(this.world, 100)
    if (poolMas > 0n) this.note(call(this.world, ANYONE, 'fundRewards', undefined, poolMas * MAS))
    addChallenger(this.world, CHALLENGER)
    this.note(call(this.world, NODE, 'registerStorageNode', u64Arg(gb), 11n * MAS))
  }

  note({ events }: CallResult): void {
    const period = BigInt(this.world.engine.slot.period)
    for (const data of events) {
      const event = parseRegistryEvent(data)
      if (event) this.events.push({ period, event })
    }
  }

  /** An audit of `passing` challenges that pass and `missing` that expire. */
  audit(passing: number, missing = 0): void {
    const { world } = this
    const { period } = world.engine.slot
    const asked = Array.from({ length: passing + missing }, (_, i) => {
      const challenge = issue(world, `c-${period}-${i}`)
      this.events.push({
        period: BigInt(period),
        event: { name: 'CHALLENGE_ISSUED', challengeId: challenge.challengeId, nodeAddress: NODE.address, chunkId: '' },
      })
      return challenge
    })
    for (const challenge of asked.slice(0, passing)) this.note(submit(world, challenge, prove(world, challenge)))
    if (missing === 0) return
    goTo(world, period + 5)
    const ids = asked.slice(passing).map(({ challengeId }) => challengeId)
    this.note(call(world, ANYONE, 'resolveExpiredChallenges', stringsArg(ids)))
  }

  tell(events: readonly DatedEvent[] = this.events): string[] {
    const { engine, contract } = this.world
    const node = decodeRegistryResult('getNodeInfo', view(this.world, 'getNodeInfo', stringArg(NODE.address)))
    const config = decodeRegistryResult('getConfig', view(this.world, 'getConfig'))
    const state = readStateRecord(engine.ledger.value(contract, Buffer.from('state')) ?? new Uint8Array())
    const explained = explainRewards({ node, config, state, period: BigInt(engine.slot.period) })
    return describeRewards(explained, listClosedAudits(node, config, events), OTHERS)
  }
}

describe('cli/describe-rewards', () => {
  it("multiplies as the seed's walkthrough does: 1 GB, 25 periods, one challenge passed", () => {
    const story = new Story()
    goTo(story.world, 125)
    story.audit(1)
    goTo(story.world, 135)
    assert.deepEqual(story.tell(), [
      'Vested, to be claimed: 25000000 nanoMAS',
      '  audit over in period 125, periods 100 to 125: 1 GB x 25 periods x 1000000 nanoMAS x utilisation 1 x 1/1 passed = 25000000',
      'Under audit: 0 nanoMAS',
      'Not yet audited: 10000000 nanoMAS',
      '  periods 125 to 135: 1 GB x 10 periods x 1000000 nanoMAS x utilisation 1 = 10000000',
      'In all 35000000 nanoMAS in period 135.',
    ])
  })

  it('says what went back to the pool and why, and forgets what was claimed', () => {
    const story = new Story({ gb: 3n })
    goTo(story.world, 110)
    story.audit(1)
    story.note(call(story.world, NODE, 'claimRewards'))
    goTo(story.world, 120)
    story.audit(1, 2)
    assert.deepEqual(story.tell().slice(0, 3), [
      'Vested, to be claimed: 10000000 nanoMAS',
      '  audit over in period 125, periods 110 to 120: 3 GB x 10 periods x 1000000 nanoMAS x utilisation 1 x 1/3 passed = 10000000',
      '    20000000 went back to the pool: 2 of 3 challenges failed or expired',
    ])
  })

  it('does not multiply across a change of size, nor where the events do not reach back', () => {
    const story = new Story()
    goTo(story.world, 110)
    story.note(call(story.world, NODE, 'updateStorageAllocation', u64Arg(2)))
    goTo(story.world, 120)
    story.audit(1)
    const line = '  audit over in period 120, 30000000 nanoMAS x 1/1 passed = 30000000'
    assert.equal(story.tell()[1], line)
    assert.equal(story.tell(story.events.slice(-2))[1], line)
    assert.equal(story.tell([])[1], '  30000000 of audits that the massa-node does not remember')
  })

  it('says that an open audit decides, between which bounds', () => {
    const story = new Story()
    goTo(story.world, 110)
    const [first] = [issue(story.world, 'a'), issue(story.world, 'b')]
    story.note(submit(story.world, first, prove(story.world, first)))
    assert.deepEqual(story.tell().slice(1, 3), [
      'Under audit: 10000000 nanoMAS, since period 110',
      '  1 of 2 challenges passed so far, 1 open: from 5000000 to 10000000 will vest, the rest goes back to the pool',
    ])
  })

  it('says why less than all is paid', () => {
    const dry = new Story({ poolMas: 0n })
    dry.note(call(dry.world, ANYONE, 'fundRewards', undefined, 7_000_000n))
    goTo(dry.world, 110)
    assert.deepEqual(dry.tell().slice(2, 5), [
      'Not yet audited: 7000000 nanoMAS',
      '  periods 100 to 110: 1 GB x 10 periods x 1000000 nanoMAS x utilisation 0.7 = 7000000',
      '    the pool was short: what it did not pay is not made up later',
    ])
    const capped = new Story({ config: { maxRewardPerPeriod: 333_333n } })
    goTo(capped.world, 110)
    assert.deepEqual(capped.tell().slice(3, 5), [
      '  periods 100 to 110: 1 GB x 10 periods x 1000000 nanoMAS x utilisation 0.333333 = 3333330',
      '    maxRewardPerPeriod is reached: all nodes share it',
    ])
  })

  it('says what utilisation is now, where only anchored history is paid', () => {
    const story = new Story({ config: { requireAnchors: 1n, adminDelayPeriods: 10_800n } })
    goTo(story.world, 110)
    assert.deepEqual(story.tell().slice(3, 5), [
      '  periods 100 to 110: 1 GB x 10 periods x 1000000 nanoMAS x utilisation 0 = 0',
      '    anchored history fills only a part of what all nodes declare: utilisation is 0 now',
    ])
    assert.equal(formatPpm(9_172n), '0.009172')
    assert.equal(formatPpm(1_000_000n), '1')
  })

  it('writes a utilisation that six places do not tell as the fraction it is', () => {
    const span = { fromPeriod: 0n, toPeriod: 1n, periods: 1n, allocatedGb: 1n, rewardPerGbPerPeriod: 3n }
    assert.equal(formatUtilisation({ ...span, accruedNanoMas: 1n, fullNanoMas: 3n }), '1/3')
    assert.equal(formatUtilisation({ ...span, accruedNanoMas: 0n, fullNanoMas: 3n }), '0')
    assert.equal(formatUtilisation({ ...span, accruedNanoMas: 6n, fullNanoMas: 3n }), '2')
  })
})
