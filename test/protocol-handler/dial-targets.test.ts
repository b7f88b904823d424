import assert from 'node:assert/strict'
import { sha256 } from '#crypto'
import { Bindings, DialTargets, signCapabilities } from '../../protocol-handler/index.ts'
import { SetClock } from '../devnet/set-clock.ts'
import { NETWORK, PEER_ID } from './sample-messages.ts'

const OWN = '/ip4/203.0.113.1/tcp/31500'

function peerIdOf(place: number): Uint8Array {
  return PEER_ID.map((byte, i) => (i < 36 ? byte : (place >> (8 * (i - 36))) & 0xff))
}

describe('protocol-handler/dial-targets', () => {
  let bindings: Bindings
  let clock: SetClock
  let registered: { readonly address: string; readonly p2pAddrs: readonly string[] }[]
  let peers: number
  let neighbours: Set<string>
  let local: string[][]
  beforeEach(() => {
    bindings = new Bindings(NETWORK, () => false)
    clock = new SetClock()
    registered = []
    peers = 0
    neighbours = new Set()
    local = []
  })

  /** @returns the Massa address of the node */
  function tell(place: number, listenAddresses: readonly string[]): string {
    const peerId = peerIdOf(place)
    const seed = sha256(new TextEncoder().encode(`key ${place}`))
    const rest = { allocatedGb: 1n, storedChunks: 0n, retentionPeriods: 0n, firstPeriod: 0, endPeriod: 0 }
    const address = bindings.take(
      signCapabilities(seed, { network: NETWORK, peerId, sequence: 1n, listenAddresses, ...rest }),
      peerId,
    )
    assert.ok(address)
    return address
  }

  const targetsOf = (bootstrap: readonly string[] = [], enoughPeers = 96) =>
    new DialTargets(
      { bootstrap, own: { peerId: peerIdOf(0), address: 'own', addresses: () => [OWN] }, enoughPeers },
      {
        bindings,
        isNeighbour: (address) => neighbours.has(address),
        registered: { has: (address) => registered.some((node) => node.address === address), list: () => registered },
        listLocal: () => local,
        countPeers: () => peers,
        clock,
        random: () => 2,
      },
    )

  it('hostile: names that strangers tell are not dialled, nor what is no host and port; of nodes of the registry they are', () => {
    const port = 'tcp/31500'
    const name = `/dns4/a.example/${port}`
    const tricks = [`/dns4/localhost/${port}`, `/ip6/::/${port}`, '/dnsaddr/a.example', '/unix/tmp/socket', name]
    const stranger = tell(1, tricks)
    const node = tell(2, tricks)
    registered.push({ address: node, p2pAddrs: [] })
    const targets = targetsOf()
    assert.deepEqual(targets.list(), [name])
    assert.deepEqual([targets.addressOf(stranger), targets.addressOf(node)], [undefined, name])
    tell(3, [...tricks, `/ip4/203.0.113.2/${port}`])
    assert.deepEqual(targets.list(), [name, `/ip4/203.0.113.2/${port}`])
  })

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

  it('those of the registry come before strangers, however many of these told us first', () => {
    for (let place = 1; place <= 70; place++) tell(place, [`/ip4/203.0.113.2/tcp/${place}`])
    registered = [{ address: tell(71, ['/ip4/203.0.113.3/tcp/71']), p2pAddrs: [] }]
    const targets = targetsOf().list()
    assert.deepEqual([targets.length, targets[0]], [64, '/ip4/203.0.113.3/tcp/71'])
  })

  it('those whose holdings concern us come before others of the registry', () => {
    for (let place = 1; place <= 70; place++) {
      registered.push({ address: tell(place, [`/ip4/203.0.113.2/tcp/${place}`]), p2pAddrs: [] })
    }
    for (let place = 66; place <= 70; place++) neighbours.add(registered[place - 1]?.address ?? '')
    const ports = targetsOf()
      .list()
      .map((text) => Number(text.split('/').at(-1)))
    assert.deepEqual([ports.length, ...ports.slice(0, 6)], [64, 66, 67, 68, 69, 70, 1])
  })

  it('limit: with 96 peers nobody is dialled but those of the configuration; with 95 others are', () => {
    tell(1, ['/ip4/203.0.113.2/tcp/1'])
    peers = 95
    assert.deepEqual(targetsOf(['/dns4/a.example/tcp/1']).list(), ['/dns4/a.example/tcp/1', '/ip4/203.0.113.2/tcp/1'])
    peers = 96
    assert.deepEqual(targetsOf(['/dns4/a.example/tcp/1']).list(), ['/dns4/a.example/tcp/1'])
  })

  it('a node is where it told, or where it is registered', () => {
    const heard = tell(1, ['/ip4/10.0.0.1/tcp/1', '/ip4/203.0.113.2/tcp/1'])
    registered = [
      { address: heard, p2pAddrs: ['/ip4/203.0.113.8/tcp/1'] },
      { address: 'a', p2pAddrs: ['no address', '/ip4/203.0.113.3/tcp/3'] },
    ]
    const targets = targetsOf()
    assert.deepEqual(
      [heard, 'a', 'b'].map((address) => targets.addressOf(address)),
      ['/ip4/203.0.113.2/tcp/1', '/ip4/203.0.113.3/tcp/3', undefined],
    )
  })

  it('limit: with 7 peers nodes of the registry are dialled that were not heard of; with 8 they are not', () => {
    const heard = tell(1, ['/ip4/203.0.113.2/tcp/1'])
    registered = [
      { address: 'own', p2pAddrs: ['/ip4/203.0.113.9/tcp/1'] },
      { address: heard, p2pAddrs: ['/ip4/203.0.113.8/tcp/1'] },
      {
        address: 'a',
        p2pAddrs: ['no address', '/ip4/10.0.0.1/tcp/1', '/ip4/203.0.113.3/udp/1', '/dns4/a.example/tcp/3'],
      },
      { address: 'b', p2pAddrs: ['/ip4/203.0.113.4/tcp/4', '/ip4/203.0.113.5/tcp/5'] },
      { address: 'c', p2pAddrs: ['/ip4/127.0.0.1/tcp/22'] },
    ]
    peers = 7
    assert.deepEqual(targetsOf().list(), ['/ip4/203.0.113.2/tcp/1', '/dns4/a.example/tcp/3', '/ip4/203.0.113.4/tcp/4'])
    peers = 8
    assert.deepEqual(targetsOf().list(), ['/ip4/203.0.113.2/tcp/1'])
  })

  it('limit: 16 nodes of the registry at a time, from a drawn one on; a minute later the next 16', () => {
    registered = Array.from({ length: 40 }, (_, i) => ({
      address: `node ${i}`,
      p2pAddrs: [`/ip4/203.0.113.2/tcp/${i + 1}`],
    }))
    const targets = targetsOf()
    const portsOf = (): number[] => targets.list().map((text) => Number(text.split('/').at(-1)))
    const from = (start: number): number[] => Array.from({ length: 16 }, (_, i) => ((start + i) % 40) + 1)
    assert.deepEqual(portsOf(), from(2))
    clock.timeMs += 59_999
    assert.deepEqual(portsOf(), from(2))
    clock.timeMs += 1
    assert.deepEqual(portsOf(), from(18))
    clock.timeMs += 60_000
    assert.deepEqual(portsOf(), from(34))
  })

  it('limit: of a node of the registry no more than eight addresses are looked at, nor one of more than 128 characters', () => {
    const bad = Array.from({ length: 8 }, () => 'bad')
    const long = (characters: number): string => `/dns4/${'a'.repeat(characters - 13)}/tcp/12`
    assert.equal(long(128).length, 128)
    registered = [
      { address: 'a', p2pAddrs: [...bad, '/ip4/203.0.113.2/tcp/1'] },
      { address: 'b', p2pAddrs: [...bad.slice(1), '/ip4/203.0.113.2/tcp/2'] },
      { address: 'c', p2pAddrs: [long(129)] },
      { address: 'd', p2pAddrs: [long(128)] },
    ]
    assert.deepEqual(targetsOf().list().sort(), ['/ip4/203.0.113.2/tcp/2', long(128)].sort())
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

  describe('of the local network', () => {
    const PEER = '12D3KooWSCufgHzV4fCwRijfH2k3abrpAJxTKxEvN1FDuRXA2U9x'
    const at = (place: string): string => `${place}/p2p/${PEER}`

    it('one address of each that answered, behind all others', () => {
      local = [
        [at('/ip4/127.0.0.1/tcp/1'), at('/ip4/10.0.0.1/tcp/1'), at('/ip4/10.0.0.2/tcp/1')],
        [at('/ip4/203.0.113.9/tcp/1'), at('/dns4/a.example/tcp/1'), at('/ip4/10.0.0.3/udp/1')],
        [at('/ip4/192.168.0.3/tcp/31500')],
      ]
      tell(1, ['/ip4/203.0.113.2/tcp/1'])
      assert.deepEqual(targetsOf(['/dns4/b.example/tcp/1']).list(), [
        '/dns4/b.example/tcp/1',
        '/ip4/203.0.113.2/tcp/1',
        at('/ip4/10.0.0.1/tcp/1'),
        at('/ip4/192.168.0.3/tcp/31500'),
      ])
    })

    it('limit: while fewer than 8 peers are connected, and not from then on', () => {
      local = [[at('/ip4/10.0.0.1/tcp/1')]]
      peers = 7
      assert.equal(targetsOf().list().length, 1)
      peers = 8
      assert.deepEqual(targetsOf().list(), [])
    })
  })
})
