import assert from 'node:assert/strict'
import { PING_PROTOCOL } from '../../protocol-handler/answer-pings.ts'
import { MAX_PING_STREAM_MS, MAX_PINGS_AT_ONCE } from '../../protocol-handler/index.ts'
import { SetClock } from '../devnet/set-clock.ts'
import { HeldTimers } from '../protocol-handler/held-timers.ts'
import { assertServes, closeHostileStage, openHostileStage } from '../protocol-handler/hostile-stage.ts'
import { until } from '../protocol-handler/open-peer.ts'

const PING_BYTES = 32

describe('hostile: pings over real streams', () => {
  afterEach(closeHostileStage)

  it('pings without end: 16 are sent back, the next ones reset the stream and cost their sender', async () => {
    const { victim, honest, attacker } = await openHostileStage({ clock: new SetClock() })
    const stream = await attacker.open(PING_PROTOCOL)
    const seen = attacker.watch(stream)
    const echoedBytes = MAX_PINGS_AT_ONCE * PING_BYTES
    for (let i = 0; i < MAX_PINGS_AT_ONCE; i++) stream.send(new Uint8Array(PING_BYTES))
    await until(() => seen.bytes === echoedBytes, 'the pings')
    assert.equal(seen.isOver, false)
    stream.send(new Uint8Array(200 * PING_BYTES))
    await until(() => seen.isOver, 'the reset')
    assert.equal(seen.bytes, echoedBytes)
    assert.deepEqual(victim.offences, [[attacker.peer, 'limit']])
    await assertServes(victim, honest)
  })

  it('limit: a stream of pings is ended after 30 s, which costs nothing', async () => {
    const { victim, honest, attacker } = await openHostileStage()
    const timers = new HeldTimers(MAX_PING_STREAM_MS)
    try {
      const stream = await attacker.open(PING_PROTOCOL)
      const seen = attacker.watch(stream)
      stream.send(new Uint8Array(PING_BYTES))
      await until(() => seen.bytes === PING_BYTES, 'the ping')
      assert.equal(seen.isOver, false)
      timers.pass()
      await until(() => seen.isOver, 'the reset')
      assert.deepEqual(victim.offences, [])
      await assertServes(victim, honest)
    } finally {
      timers.release()
    }
  })
})
