import assert from 'node:assert/strict'
import { GossipRates } from '../../protocol-handler/gossip-rates.ts'
import {
  GOSSIP_PER_SECOND_AND_PEER,
  MAX_GOSSIP_AT_ONCE,
  MAX_IGNORED_STATEMENTS,
  MAX_STATEMENTS_AT_ONCE,
  MAX_STRANGER_STATEMENTS_AT_ONCE,
  STATEMENTS_PER_SECOND,
  STRANGER_STATEMENTS_PER_SECOND,
} from '../../protocol-handler/limits.ts'
import type { Verdict } from '../../protocol-handler/verdict.ts'
import { SetClock } from '../devnet/set-clock.ts'

const TOPIC = 'capabilities'

/** In the order of the first of each. */
function countVerdicts(times: number, judge: () => Verdict): [Verdict, number][] {
  const counts = new Map<Verdict, number>()
  for (let i = 0; i < times; i++) {
    const verdict = judge()
    counts.set(verdict, (counts.get(verdict) ?? 0) + 1)
  }
  return [...counts]
}

describe('protocol-handler/gossip-rates', () => {
  let clock: SetClock
  let rates: GossipRates
  let isStranger: boolean
  beforeEach(() => {
    clock = new SetClock()
    isStranger = false
    rates = new GossipRates(() => isStranger, clock)
  })
  const say = (author: string, isDirect: boolean) => rates.admit({ topic: TOPIC, author, isDirect })

  it('limit: 8 statements of an author at once are heard, 30 more are ignored, what it sends us past those is rejected', () => {
    assert.deepEqual(
      countVerdicts(50, () => say('a', true)),
      [
        ['accept', MAX_STATEMENTS_AT_ONCE],
        ['ignore', MAX_IGNORED_STATEMENTS],
        ['reject', 50 - MAX_STATEMENTS_AT_ONCE - MAX_IGNORED_STATEMENTS],
      ],
    )
    assert.equal(say('b', true), 'accept')
    assert.equal(rates.admit({ topic: 'announce', author: 'a', isDirect: true }), 'accept')
  })

  it('limit: after them one in two seconds is heard, and one a millisecond sooner is not', () => {
    countVerdicts(MAX_STATEMENTS_AT_ONCE, () => say('a', true))
    clock.timeMs += 1_000 / STATEMENTS_PER_SECOND - 1
    assert.equal(say('a', true), 'ignore')
    clock.timeMs += 1
    assert.equal(say('a', true), 'accept')
  })

  it('what others hand on too fast is ignored, never rejected, and does not count against what the author says to us', () => {
    assert.deepEqual(
      countVerdicts(1_000, () => say('a', false)),
      [
        ['accept', MAX_STATEMENTS_AT_ONCE],
        ['ignore', 1_000 - MAX_STATEMENTS_AT_ONCE],
      ],
    )
    assert.equal(say('a', true), 'accept')
  })

  it('old statements that are handed on again do not make it deaf to their author', () => {
    const statement = { topic: TOPIC, author: 'a', isDirect: false }
    isStranger = true
    for (let i = 0; i < 1_000; i++) {
      assert.equal(rates.admit(statement), 'accept')
      rates.giveBack(statement)
    }
    assert.deepEqual(countVerdicts(50, () => rates.admit(statement))[0], ['accept', MAX_STATEMENTS_AT_ONCE])
  })

  it('limit: of all strangers together 100 at once are heard and ten a second, and nobody else is kept out by them', () => {
    isStranger = true
    let next = 0
    const crowd = () => say(`stranger ${next++}`, true)
    assert.deepEqual(countVerdicts(1_000, crowd), [
      ['accept', MAX_STRANGER_STATEMENTS_AT_ONCE],
      ['ignore', 1_000 - MAX_STRANGER_STATEMENTS_AT_ONCE],
    ])
    clock.timeMs += 1_000
    assert.deepEqual(countVerdicts(1_000, crowd)[0], ['accept', STRANGER_STATEMENTS_PER_SECOND])
    isStranger = false
    assert.equal(say('registered', true), 'accept')
  })

  it('limit: past them as many are heard in the name of a node of the registry, which others do not use up', () => {
    rates = new GossipRates(
      () => true,
      clock,
      (address) => address === 'node',
    )
    let next = 0
    const claim = (address: string | undefined) =>
      rates.admit({ topic: TOPIC, author: `${next++}`, isDirect: false, readClaim: () => address })
    countVerdicts(MAX_STRANGER_STATEMENTS_AT_ONCE, () => claim('node'))
    assert.deepEqual(
      countVerdicts(1_000, () => claim(next % 2 ? 'nobody' : undefined)),
      [['ignore', 1_000]],
    )
    assert.deepEqual(
      countVerdicts(200, () => claim('node')),
      [
        ['accept', MAX_STRANGER_STATEMENTS_AT_ONCE],
        ['ignore', 200 - MAX_STRANGER_STATEMENTS_AT_ONCE],
      ],
    )
  })

  it('limit: of one peer 320 messages at once are looked at, as many are left alone, then it is held against it', () => {
    assert.deepEqual(
      countVerdicts(1_000, () => rates.admitFrom('a', 1)),
      [
        ['accept', MAX_GOSSIP_AT_ONCE],
        ['ignore', MAX_GOSSIP_AT_ONCE],
        ['reject', 1_000 - 2 * MAX_GOSSIP_AT_ONCE],
      ],
    )
    clock.timeMs += 1_000
    assert.deepEqual(countVerdicts(1_000, () => rates.admitFrom('a', 1))[0], ['accept', GOSSIP_PER_SECOND_AND_PEER])
    assert.equal(rates.admitFrom('b', MAX_GOSSIP_AT_ONCE), 'accept')
    assert.equal(rates.admitFrom('b', 1), 'ignore')
  })

  it('an RPC without messages counts as one', () => {
    assert.deepEqual(
      countVerdicts(MAX_GOSSIP_AT_ONCE + 1, () => rates.admitFrom('a', 0)),
      [
        ['accept', MAX_GOSSIP_AT_ONCE],
        ['ignore', 1],
      ],
    )
  })

  it('thousands of authors do not make it grow, and a peer that is forgotten begins anew', () => {
    countVerdicts(50, () => rates.admitFrom('a', 100))
    for (let i = 0; i < 4_096; i++) rates.admitFrom(`other ${i}`, 1)
    assert.equal(rates.admitFrom('a', 1), 'accept')
  })
})
