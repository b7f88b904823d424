import assert from 'node:assert/strict'
import { sha256 } from '#crypto'
import { Bindings, DialTargets, signCapabilities } from '../../protocol-handler/index.ts'
import { NETWORK, PEER_ID } from './sample-messages.ts'

const OWN = '/ip4/203.0.113.1/tcp/31500'

function peerIdOf(place: number): Uint8Array {
  return PEER_ID.map((byte, i) => (i < 36 ? byte : (place >> (8 * (i - 36))) & 0xff))
}

describe('protocol-handler/dial-targets', () => {
  let bindings: Bindings
  beforeEach(() => {
    bindings = new Bindings(NETWORK, () => false)
  })

  function tell(place: number, listenAddresses: readonly string[]): void {
    const peerId = peerIdOf(place)
    const seed = sha256(new TextEncoder().encode(`key ${place}`))
    const rest = { allocatedGb: 1n, storedChunks: 0n, retentionPeriods: 0n, firstPeriod: 0, endPeriod: 0 }
    bindings.take(signCapabilities(seed, { network: NETWORK, peerId, sequence: 1n, listenAddresses, ...rest }), peerId)
  }

  const targetsOf = (bootstrap: readonly string[] = []) =>
    new DialTargets(bootstrap, bindings, { peerId: peerIdOf(0), addresses: () => [OWN] })

  it('are those of the configuration and the first fit address of each node that told some', () => {
    tell(1, ['/ip4/10.0.0.1/tcp/1', '/ip4/203.0.113.2/tcp/1', '/ip4/203.0.113.3/tcp/1'])
    tell(2, ['/ip4/203.0.113.4/tcp/1'])
    assert.deepEqual(targetsOf(['/dns4/a.example/tcp/1', '/ip4/203.0.113.4/tcp/1']).list(), [
      '/dns4/a.example/tcp/1',
      '/ip4/203.0.113.4/tcp/1',
      '/ip4/203.0.113.2/tcp/1',
    ])
  })

  it('are neither ourselves nor addresses of our own site that strangers tell', () => {
    tell(0, [OWN])
    tell(1, ['/ip4/127.0.0.1/tcp/22', '/ip4/192.168.0.1/tcp/80'])
    tell(2, [])
    assert.deepEqual(targetsOf().list(), [])
  })

  it('are at most 64 that others told', () => {
    for (let place = 1; place <= 64; place++) tell(place, [`/ip4/203.0.113.2/tcp/${place}`])
    assert.equal(targetsOf().list().length, 64)
    tell(65, ['/ip4/203.0.113.2/tcp/65'])
    assert.equal(targetsOf().list().length, 64)
  })

  it('whose an address is is known from the address, or from who answered there', () => {
    const targets = targetsOf()
    assert.equal(targets.peerAt('/ip4/1.2.3.4/tcp/1/p2p/12D3KooWx'), '12D3KooWx')
    assert.equal(targets.peerAt('/ip4/1.2.3.4/tcp/1'), undefined)
    targets.onDialled('/ip4/1.2.3.4/tcp/1', 'a')
    assert.equal(targets.peerAt('/ip4/1.2.3.4/tcp/1'), 'a')
    for (let port = 2; port <= 1_024; port++) targets.onDialled(`/ip4/1.2.3.4/tcp/${port}`, 'b')
    assert.equal(targets.peerAt('/ip4/1.2.3.4/tcp/1'), 'a')
    targets.onDialled('/ip4/1.2.3.4/tcp/1025', 'b')
    assert.equal(targets.peerAt('/ip4/1.2.3.4/tcp/1'), undefined)
  })
})
