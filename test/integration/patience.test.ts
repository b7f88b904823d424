import assert from 'node:assert/strict'
import {
  auditRequestCodec,
  chunkRequestCodec,
  chunkResponseCodec,
  MAX_REQUEST_MS,
  MAX_TAKING_MS,
} from '../../protocol-handler/index.ts'
import { formatProtocolId } from '../../protocol-handler/network-name.ts'
import { type Attacker, prefixed } from '../protocol-handler/attacker.ts'
import { HeldTimers } from '../protocol-handler/held-timers.ts'
import { assertServes, closeHostileStage, openHostileStage } from '../protocol-handler/hostile-stage.ts'
import { CHUNK_ID, IDENTITY, type Peer, until } from '../protocol-handler/open-peer.ts'

const AUDIT = formatProtocolId(IDENTITY, 'audit')
const REQUEST = prefixed(auditRequestCodec.encode({ chunkId: CHUNK_ID, leafIndex: 7 }))

describe('hostile: slow peers over real streams, with the patience that a sidecar has', () => {
  let victim: Peer
  let honest: Peer
  let attacker: Attacker
  let timers: HeldTimers

  const open = async (heldMs: number): Promise<void> => {
    ;({ victim, honest, attacker } = await openHostileStage())
    timers = new HeldTimers(heldMs)
  }

  afterEach(async () => {
    timers.release()
    await closeHostileStage()
  })

  it('limit: a stream on which no whole request comes for 120 s is ended', async () => {
    await open(MAX_REQUEST_MS)
    const stream = await attacker.open(AUDIT)
    const seen = attacker.watch(stream)
    await until(() => timers.size === 1, 'the timer')
    stream.send(REQUEST)
    await until(() => seen.bytes > 1_024, 'the answer')
    stream.send(REQUEST.subarray(0, -1))
    await assertServes(victim, honest)
    assert.equal(seen.isOver, false)
    timers.pass()
    await until(() => seen.isOver, 'the reset')
    await assertServes(victim, honest)
  })

  it('limit: a reader that has not taken an answer after 30 s is cut off', async () => {
    await open(MAX_TAKING_MS)
    const answer = chunkResponseCodec.encode({
      status: 'ok',
      position: { period: 1, index: 0, chunkCount: 1, path: [] },
      data: new Uint8Array(1_048_576),
    })
    await victim.node.serve('chunk', {
      request: chunkRequestCodec,
      priorityOf: () => 'repair',
      answer: async () => [answer],
      refuse: (_, status) => [chunkResponseCodec.encode({ status })],
    })
    const stream = await attacker.open(formatProtocolId(IDENTITY, 'chunk'))
    const seen = attacker.watch(stream)
    stream.pause()
    stream.send(prefixed(chunkRequestCodec.encode({ wanted: 'chunk', chunkId: CHUNK_ID })))
    await until(() => timers.size === 1, 'the timer')
    await assertServes(victim, honest)
    assert.equal(seen.isOver, false)
    timers.pass()
    await until(() => seen.isOver, 'the reset')
    await assertServes(victim, honest)
  })
})
