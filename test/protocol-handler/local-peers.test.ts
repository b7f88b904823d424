import assert from 'node:assert/strict'
import { MAX_LISTEN_ADDRESSES, MAX_LOCAL_PEERS } from '../../protocol-handler/index.ts'
import { LocalPeers } from '../../protocol-handler/local-peers.ts'

const nameOf = (i: number): string => `peer${i}`
const firsts = (peers: LocalPeers): (string | undefined)[] => peers.list().map(([first]) => first)

describe('protocol-handler/local-peers', () => {
  it('limit: of 16 peers each is known, one more takes the place of the one that answered longest ago', () => {
    const peers = new LocalPeers()
    for (let i = 0; i < MAX_LOCAL_PEERS; i++) peers.take(nameOf(i), [`/ip4/10.0.0.${i}/tcp/1`])
    assert.equal(peers.list().length, MAX_LOCAL_PEERS)
    peers.take(nameOf(0), ['/ip4/10.0.0.0/tcp/2'])
    peers.take('more', ['/ip4/10.0.0.99/tcp/1'])
    assert.equal(peers.list().length, MAX_LOCAL_PEERS)
    assert.deepEqual(firsts(peers).slice(-2), ['/ip4/10.0.0.0/tcp/2/p2p/peer0', '/ip4/10.0.0.99/tcp/1/p2p/more'])
    assert.equal(firsts(peers)[0], '/ip4/10.0.0.2/tcp/1/p2p/peer2')
  })

  it('limit: of one peer the first 8 addresses are known', () => {
    const peers = new LocalPeers()
    const addresses = Array.from({ length: MAX_LISTEN_ADDRESSES + 1 }, (_, i) => `/ip4/10.0.0.1/tcp/${i}`)
    peers.take('a', addresses.slice(1))
    assert.equal(peers.list()[0]?.length, MAX_LISTEN_ADDRESSES)
    peers.take('a', addresses)
    assert.deepEqual(peers.list(), [addresses.slice(0, MAX_LISTEN_ADDRESSES).map((address) => `${address}/p2p/a`)])
  })
})
