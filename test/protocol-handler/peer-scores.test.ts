import assert from 'node:assert/strict'
import { PeerScores } from '../../protocol-handler/peer-scores.ts'
import { SetClock } from '../devnet/set-clock.ts'

const HOUR_MS = 3_600_000

describe('protocol-handler/peer-scores', () => {
  it('limit: nine rejects are borne, the tenth bans for an hour', () => {
    const clock = new SetClock()
    const scores = new PeerScores(clock)
    for (let i = 0; i < 9; i++) assert.equal(scores.onOffence('peer', 'reject'), undefined)
    assert.equal(scores.isBanned('peer'), false)
    const ban = scores.onOffence('peer', 'reject')
    assert.deepEqual(ban, { peer: 'peer', untilMs: clock.nowMs() + HOUR_MS, reason: 'reject' })
    assert.deepEqual(scores.listBans(), [ban])
    clock.timeMs += HOUR_MS - 1
    assert.equal(scores.isBanned('peer'), true)
    clock.timeMs += 1
    assert.equal(scores.isBanned('peer'), false)
    assert.deepEqual(scores.listBans(), [])
  })

  it('a chunk that is not its id bans at once, and each ban is twice as long, a week at most', () => {
    const clock = new SetClock()
    const scores = new PeerScores(clock)
    const hours: number[] = []
    for (let i = 0; i < 10; i++) {
      const ban = scores.onOffence('peer', 'wrongChunk')
      assert.ok(ban)
      hours.push((ban.untilMs - clock.nowMs()) / HOUR_MS)
      clock.timeMs += ban.untilMs - clock.nowMs()
    }
    assert.deepEqual(hours, [1, 2, 4, 8, 16, 32, 64, 128, 168, 168])
  })

  it('neither a ban nor a score is shorter or longer when the wall clock is set; the date of its end is told by it', () => {
    for (const jumpMs of [-150_000, 2 * HOUR_MS]) {
      const clock = new SetClock()
      const scores = new PeerScores(clock)
      scores.onOffence('peer', 'wrongChunk')
      scores.onOffence('other', 'reject')
      clock.jumpMs = jumpMs
      assert.equal(scores.scoreOf('other'), 1)
      clock.timeMs += HOUR_MS - 1
      assert.deepEqual(scores.listBans(), [{ peer: 'peer', untilMs: clock.nowMs() + 1, reason: 'wrongChunk' }])
      clock.timeMs += 1
      assert.deepEqual(scores.listBans(), [])
    }
  })

  it('half of a score is forgiven every ten minutes', () => {
    const clock = new SetClock()
    const scores = new PeerScores(clock)
    for (let i = 0; i < 8; i++) scores.onOffence('peer', 'reject')
    clock.timeMs += 600_000
    assert.equal(scores.scoreOf('peer'), 4)
    clock.timeMs += 600_000
    assert.equal(scores.scoreOf('peer'), 2)
    assert.equal(scores.scoreOf('nobody'), 0)
  })

  it('the operator bans for as long as it likes, and takes any ban back', () => {
    const clock = new SetClock()
    const scores = new PeerScores(clock)
    scores.ban('peer', Number.POSITIVE_INFINITY)
    clock.timeMs += 1e12
    assert.equal(scores.isBanned('peer'), true)
    assert.equal(scores.unban('peer'), true)
    assert.equal(scores.isBanned('peer'), false)
    assert.equal(scores.unban('peer'), false)
  })

  it('thousands of strangers do not push a ban out of memory', () => {
    const scores = new PeerScores(new SetClock())
    scores.ban('banned', HOUR_MS)
    for (let i = 0; i < 20_000; i++) scores.onOffence(`stranger ${i}`, 'reject')
    assert.equal(scores.isBanned('banned'), true)
    assert.equal(scores.scoreOf('stranger 0'), 0)
    assert.equal(scores.scoreOf('stranger 19999'), 1)
  })
})
