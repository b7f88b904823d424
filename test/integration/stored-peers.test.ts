import assert from 'node:assert/strict'
import type { PeerStore } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { MAX_STORED_PEERS } from '../../protocol-handler/index.ts'
import { formatPeerId } from '../../protocol-handler/peer-id-text.ts'
import { closeHostileStage, openHostileStage } from '../protocol-handler/hostile-stage.ts'
import { until } from '../protocol-handler/open-peer.ts'
import { PEER_ID } from '../protocol-handler/sample-messages.ts'

/** Of a key that nobody has. */
function nobody(i: number): ReturnType<typeof peerIdFromString> {
  const bytes = Uint8Array.from(PEER_ID)
  new DataView(bytes.buffer).setUint32(bytes.length - 4, i)
  return peerIdFromString(formatPeerId(bytes))
}

describe('hostile: peers that come once and go', () => {
  afterEach(closeHostileStage)

  it('limit: 1,000 that come once and go are remembered by libp2p, then the one that changed longest ago is forgotten', async () => {
    const { victim, honest, attacker } = await openHostileStage()
    await until(() => victim.node.peers.includes(attacker.peer), 'the attacker')
    const { peerStore }: { peerStore: PeerStore } = Reflect.get(victim.node, 'libp2p')
    const [kept, gone] = [nobody(1), nobody(0)]
    const come = (i: number) => peerStore.save(nobody(i), { protocols: ['/nobody/1'] })
    // Beside those that are connected.
    const before = (await peerStore.all()).length
    for (let i = 0; i < MAX_STORED_PEERS - before; i++) await come(i)
    assert.equal((await peerStore.all()).length, MAX_STORED_PEERS)
    assert.equal(await peerStore.has(gone), true)
    await come(MAX_STORED_PEERS)
    assert.deepEqual([await peerStore.has(gone), await peerStore.has(kept)], [false, true])
    assert.equal((await peerStore.all()).length, MAX_STORED_PEERS)
    assert.equal(await peerStore.has(peerIdFromString(honest.node.peer)), true)
  })
})
