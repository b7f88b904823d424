import assert from 'node:assert/strict'
import { MAX_GOSSIP_BYTES } from '../../../protocol-handler/index.ts'
import { computeAnnouncedPeriods } from '../../../storage-worker/replication/announcer.ts'
import {
  computeAnnouncements,
  computeDailyBytes,
  FRAMING_BYTES,
  type Mesh,
  measureIntroductions,
  readMesh,
} from './gossip-scale.ts'

const MESH: Mesh = { degree: 6, lazy: 6, lazyShare: 0.25, heartbeatMs: 1_000, toldHeartbeats: 3, connections: 128 }

describe('sim/scale/gossip-scale', () => {
  it('introductions come every 30 s of few nodes, and one in four seconds of many', async () => {
    const few = await measureIntroductions(5)
    const many = await measureIntroductions(1_000)
    assert.deepEqual([few.intervalMs, many.intervalMs], [30_000, 4_000_000])
    assert.equal(few.messageBytes, many.messageBytes)
  })

  it('two nodes send each other what they say, once', () => {
    const talk = computeAnnouncements(2, 1)
    assert.equal(talk.perSecond, 2 / 16)
    const messages = (86_400 / 16) * (talk.messageBytes + FRAMING_BYTES)
    assert.deepEqual(computeDailyBytes(2, MESH, talk), { messages, hints: 0 })
  })

  it('a message reaches seven nodes that are all of one mesh six times each, but the author', () => {
    const talk = computeAnnouncements(7, 1)
    const copies = (6 + 6 * 5) / 7
    const daily = 86_400 * talk.perSecond * copies * (talk.messageBytes + FRAMING_BYTES)
    const { messages, hints } = computeDailyBytes(7, MESH, talk)
    assert(Math.abs(messages - daily) < 1e-6 * daily)
    assert.equal(hints, 0)
    // The eighth is beside the mesh of each, and is told.
    assert(computeDailyBytes(8, MESH, talk).hints > 0)
  })

  it('the largest announcement fits into a gossip message', () => {
    const all = Array.from({ length: 16_384 }, (_, hashSlot) => hashSlot)
    assert(computeAnnouncements(3, 1_024, all).messageBytes <= MAX_GOSSIP_BYTES)
  })

  it('networks of any size send at most two messages a second, also while newcomers come all the time', async () => {
    for (const nodes of [2, 5, 7, 8, 16, 17, 24, 30, 32, 33, 100, 1_000, 5_000]) {
      const announced = computeAnnouncements(nodes, computeAnnouncedPeriods(nodes)).perSecond
      const calm = announced + (await measureIntroductions(nodes)).perSecond
      const busy = announced + (await measureIntroductions(nodes, true)).perSecond
      assert(calm <= 1.3 && busy <= 2, `${nodes} nodes: ${calm} and ${busy}`)
    }
  })

  it('reads how the gossip of a sidecar is set', async () => {
    const mesh = await readMesh(128)
    assert.equal(mesh.connections, 128)
    assert(Object.values(mesh).every((value) => value > 0))
  })
})
