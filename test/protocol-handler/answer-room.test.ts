import assert from 'node:assert/strict'
import { AnswerRoom } from '../../protocol-handler/answer-room.ts'

describe('protocol-handler/answer-room', () => {
  it('a peer gets no more while it takes nothing of what it has, and again when it took something', () => {
    const room = new AnswerRoom({ totalBytes: 1_000, peerBytes: 100 })
    const releases = [60, 40].map((bytes) => {
      assert.equal(room.isFull('a'), false)
      return room.hold('a', bytes)
    })
    assert.deepEqual([room.isFull('a'), room.isFull('b')], [true, false])
    for (let i = 0; i < 2; i++) releases[1]?.()
    assert.equal(room.isFull('a'), false)
    room.hold('a', 39)
    assert.equal(room.isFull('a'), false)
    room.hold('a', 1)
    assert.equal(room.isFull('a'), true)
  })

  it('hostile peers: many that take nothing leave each other one answer in the end, and are bounded together', () => {
    const room = new AnswerRoom({ totalBytes: 64, peerBytes: 16 })
    let held = 0
    for (let peer = 0; peer < 128; peer++) {
      while (!room.isFull(`${peer}`)) {
        room.hold(`${peer}`, 1)
        held++
      }
    }
    assert.ok(held < 64 * (1 + Math.log(128 / 4)) + 128, `${held} held`)
    assert.equal(room.isFull('honest'), false)
  })
})
