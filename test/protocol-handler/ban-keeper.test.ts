import assert from 'node:assert/strict'
import { ArchiveError } from '../../core/index.ts'
import { createBanKeeper } from '../../protocol-handler/ban-keeper.ts'
import { decodeBans, encodeBans } from '../../protocol-handler/ban-record.ts'
import { MAX_KEPT_BANS } from '../../protocol-handler/limits.ts'
import { PeerScores } from '../../protocol-handler/peer-scores.ts'
import { SetClock } from '../devnet/set-clock.ts'
import { KeptMarks } from './kept-marks.ts'

const HOUR_MS = 3_600_000

/** A process: its monotonic clock begins anew, the wall clock goes on. */
async function begin(marks: KeptMarks, wallMs: number) {
  const clock = new SetClock()
  clock.jumpMs = wallMs - clock.timeMs
  const failures: string[] = []
  const scores = new PeerScores(clock)
  const keeper = createBanKeeper(scores, { marks, clock, onFailure: ({ code }) => failures.push(code) })
  await keeper.load()
  return { clock, scores, keeper, failures }
}

describe('protocol-handler/ban-keeper', () => {
  const startMs = 1_800_000_000_000

  it('bans of the operator and those that offences brought are in force after a restart, until the same time', async () => {
    const marks = new KeptMarks()
    const first = await begin(marks, startMs)
    first.scores.ban('a', HOUR_MS)
    first.scores.onOffence('b', 'wrongChunk')
    first.scores.onOffence('c', 'reject')
    first.clock.timeMs += 60_000
    await first.keeper.save()
    const before = first.scores.listBans()
    const second = await begin(marks, startMs + HOUR_MS / 2)
    assert.deepEqual(second.scores.listBans(), before)
    assert.equal(second.scores.isBanned('c'), false)
    second.clock.timeMs += HOUR_MS / 2 - 1
    assert.deepEqual([second.scores.isBanned('a'), second.scores.isBanned('b')], [true, true])
    second.clock.timeMs += 1
    assert.deepEqual([second.scores.isBanned('a'), second.scores.isBanned('b')], [false, false])
    assert.equal(second.scores.onOffence('b', 'wrongChunk')?.untilMs, second.clock.nowMs() + 2 * HOUR_MS)
  })

  it('a ban that ended while the sidecar stood, or that was taken back, does not come again; one without end does', async () => {
    const marks = new KeptMarks()
    const first = await begin(marks, startMs)
    first.scores.ban('a', HOUR_MS)
    first.scores.ban('b', Number.POSITIVE_INFINITY)
    first.scores.ban('c', Number.POSITIVE_INFINITY)
    await first.keeper.save()
    first.scores.unban('c')
    await first.keeper.save()
    const second = await begin(marks, startMs + HOUR_MS)
    assert.deepEqual(
      second.scores.listBans().map(({ peer, untilMs }) => [peer, untilMs]),
      [['b', Number.POSITIVE_INFINITY]],
    )
  })

  it('no ban is longer because the wall clock was set back meanwhile', async () => {
    const marks = new KeptMarks()
    const first = await begin(marks, startMs)
    first.scores.ban('a', HOUR_MS)
    await first.keeper.save()
    const { clock, scores } = await begin(marks, startMs - 1_000 * HOUR_MS)
    assert.deepEqual(scores.listBans(), [{ peer: 'a', untilMs: clock.nowMs() + HOUR_MS, reason: 'operator' }])
  })

  it('writes only what changed, and what changed last when it stops', async () => {
    const marks = new KeptMarks()
    const { scores, keeper } = await begin(marks, startMs)
    await keeper.save()
    assert.equal(marks.writes, 0)
    const stopped = keeper.start()
    scores.ban('a', HOUR_MS)
    await keeper.stop()
    await stopped
    assert.equal(marks.writes, 1)
    await keeper.save()
    assert.equal(marks.writes, 1)
    assert.equal((await begin(marks, startMs)).scores.isBanned('a'), true)
  })

  it('error: a damaged record is told and bans nobody; a disk that takes none now is tried again', async () => {
    const marks = new KeptMarks()
    marks.values.set('peerBans', Uint8Array.of(1, 2, 3))
    assert.deepEqual((await begin(marks, startMs)).failures, ['CORE_BYTES_INVALID'])
    marks.failure = new ArchiveError('STORE_VALUE_CORRUPT', 'damaged', { name: 'peerBans' })
    const { scores, keeper, failures } = await begin(marks, startMs)
    assert.deepEqual(failures, ['STORE_VALUE_CORRUPT'])
    scores.ban('a', HOUR_MS)
    await assert.rejects(keeper.save(), { code: 'STORE_VALUE_CORRUPT' })
    marks.failure = undefined
    await keeper.save()
    assert.equal((await begin(marks, startMs)).scores.isBanned('a'), true)
  })

  it('limit: 1,000 bans are kept; past it those of the operator, then those that last longest', async () => {
    const scores = new PeerScores(new SetClock())
    for (let i = 0; i < MAX_KEPT_BANS; i++) scores.onOffence(`stranger ${i}`, 'wrongChunk')
    assert.equal(scores.keep(MAX_KEPT_BANS).length, MAX_KEPT_BANS)
    scores.ban('by the operator', 1)
    const kept = scores.keep(MAX_KEPT_BANS)
    assert.equal(kept.length, MAX_KEPT_BANS)
    assert.equal(kept[0]?.peer, 'by the operator')
    assert.deepEqual(decodeBans(encodeBans(kept, startMs), startMs), kept)
    assert.throws(() => decodeBans(encodeBans([...kept, ...kept.slice(0, 1)], startMs), startMs), {
      code: 'CORE_BYTES_INVALID',
    })
  })
})
