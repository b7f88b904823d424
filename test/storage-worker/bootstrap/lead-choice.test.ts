import assert from 'node:assert/strict'
import { LeadChoice } from '../../../storage-worker/bootstrap/lead-choice.ts'
import { ManualClock } from '../../clocks.ts'

const MINUTE = 60_000

describe('storage-worker/bootstrap/lead-choice', () => {
  function open(peers: readonly string[]) {
    const clock = new ManualClock(0)
    return { clock, leads: new LeadChoice({ asked: { listFor: () => [...peers] }, clock }) }
  }

  it('hostile peer: those that do not help lead again after all others, and ever later, up to ten minutes', () => {
    const { clock, leads } = open(['a', 'b'])
    assert.equal(leads.choose(5), 'a')
    leads.passOver('a', 'absent')
    assert.equal(leads.choose(5), 'b')
    clock.advance(MINUTE)
    // It may lead again, but comes behind who never failed.
    assert.equal(leads.choose(5), 'b')
    const alone = open(['a'])
    const waits: (string | undefined)[] = []
    for (const minutes of [1, 2, 4, 8, 10, 10]) {
      alone.leads.passOver('a', 'absent')
      alone.clock.advance(minutes * MINUTE - 1)
      waits.push(alone.leads.choose(5))
      alone.clock.advance(1)
      assert.equal(alone.leads.choose(5), 'a')
    }
    assert.deepEqual(waits, Array(6).fill(undefined))
  })

  it('one that lied is passed over for ten minutes; who helped begins anew', () => {
    const { clock, leads } = open(['a'])
    leads.passOver('a', 'wrong')
    clock.advance(10 * MINUTE - 1)
    assert.equal(leads.choose(5), undefined)
    clock.advance(1)
    assert.equal(leads.choose(5), 'a')
    leads.helped('a')
    leads.passOver('a', 'open')
    clock.advance(MINUTE)
    assert.equal(leads.choose(5), 'a')
  })
})
