import assert from 'node:assert/strict'
import { sha256 } from '#crypto'
import {
  Bindings,
  capabilitiesCodec,
  MAX_SILENT_SECONDS,
  REFUSED_MS,
  SilentPeers,
  signCapabilities,
} from '../../protocol-handler/index.ts'
import { formatProtocolId } from '../../protocol-handler/network-name.ts'
import { SetClock } from '../devnet/set-clock.ts'
import { Attacker } from '../protocol-handler/attacker.ts'
import {
  addressOf,
  ask,
  closePeers,
  connect,
  echoAudits,
  IDENTITY,
  openPeer,
  type Peer,
  until,
} from '../protocol-handler/open-peer.ts'

const FOREIGN = { ...IDENTITY, network: { ...IDENTITY.network, chainId: 78n } }

describe('peers that are not of our network, over real streams', () => {
  let clock: SetClock
  let host: Peer
  beforeEach(async () => {
    clock = new SetClock()
    host = await openPeer('host', { clock, maxConnections: 2 })
    await host.node.serve('audit', echoAudits())
  })
  afterEach(async () => {
    await Attacker.stopAll()
    await closePeers()
  })

  it('foreign network: cut off as soon as it says what it speaks, not dialled and not let in for ten minutes', async () => {
    const honest = await openPeer('honest')
    const meet = () => Attacker.connect('foreign', addressOf(host), [formatProtocolId(FOREIGN, 'audit')])
    const foreign = await meet()
    await until(() => host.refusals.length === 1, 'the refusal')
    assert.deepEqual([host.refusals, host.node.peers, host.offences], [[[foreign.peer, 'foreign']], [], []])
    await until(() => foreign.connection.status === 'closed' || foreign.connection.status === 'aborted', 'the end')
    clock.timeMs += REFUSED_MS - 1
    await assert.rejects(host.node.dial(foreign.address), { code: 'PROTOCOL_PEER_UNREACHABLE' })
    // It may believe itself connected until it has heard that it is not.
    await meet().catch(() => undefined)
    await connect(honest, host)
    assert.equal((await ask(honest, host, 3)).status, 'ok')
    assert.deepEqual([host.node.peers, host.refusals.length], [[honest.node.peer], 1])
    clock.timeMs += 1
    await host.node.dial(foreign.address)
    await until(() => host.refusals.length === 2, 'the second refusal')
    assert.deepEqual(host.node.peers, [honest.node.peer])
  })

  it('foreign network: who introduces itself as of another on our topic is cut off at once', async () => {
    const [liar, honest] = [await openPeer('liar'), await openPeer('honest')]
    const bindings = new Bindings(IDENTITY.network, () => false)
    host.node.onGossip('capabilities', (bytes, author) => {
      bindings.take(capabilitiesCodec.decode(bytes), author)
    })
    const introduce = async (peer: Peer, network: typeof IDENTITY.network): Promise<void> => {
      await connect(peer, host)
      await until(() => peer.node.subscribersOf('capabilities').length === 1, 'the subscription')
      const rest = {
        sequence: 1n,
        allocatedGb: 1n,
        storedChunks: 0n,
        retentionPeriods: 0n,
        firstPeriod: 0,
        endPeriod: 0,
      }
      const said = { network, peerId: peer.node.peerId, listenAddresses: [], ...rest }
      const seed = sha256(peer.node.peerId)
      await peer.node.publish('capabilities', capabilitiesCodec.encode(signCapabilities(seed, said)))
    }
    await introduce(liar, FOREIGN.network)
    await until(() => !host.node.peers.includes(liar.node.peer), 'the end of the connection')
    assert.deepEqual(host.refusals, [[liar.node.peer, 'foreign']])
    await introduce(honest, IDENTITY.network)
    await until(() => bindings.list().length === 1, 'the introduction')
    assert.deepEqual(host.node.peers, [honest.node.peer])
    assert.equal(host.refusals.length, 1)
  })

  it('limit: who says nothing for 60 s holds a place of max_connections, a second later an honest one has it', async () => {
    const honest = await openPeer('honest')
    const silent = new SilentPeers(
      { listSilent: () => host.node.silentPeers, refuse: (peer) => host.node.refuse(peer, 'silent') },
      clock,
    )
    const mute = [await Attacker.connect('mute', addressOf(host)), await Attacker.connect('dumb', addressOf(host))]
    await until(() => host.node.peers.length === 2, 'the connections')
    for (let i = 0; i < MAX_SILENT_SECONDS; i++) silent.look()
    assert.equal(host.node.peers.length, 2)
    // The dialler may believe itself connected until it has heard that it is not.
    await honest.node.dial(addressOf(host)).catch(() => undefined)
    await until(() => honest.node.peers.length === 0, 'the refusal')
    silent.look()
    await until(() => host.node.peers.length === 0, 'the end of the connections')
    assert.deepEqual(host.refusals.sort(), mute.map(({ peer }) => [peer, 'silent']).sort())
    await connect(honest, host)
    await until(() => host.node.subscribersOf('announce').length === 1, 'what it subscribes to')
    for (let i = 0; i <= MAX_SILENT_SECONDS; i++) silent.look()
    assert.deepEqual(host.node.peers, [honest.node.peer])
    assert.equal((await ask(honest, host, 3)).status, 'ok')
  })

  it('a peer without gossip that asks is not silent', async () => {
    const quiet = await Attacker.connect('quiet', addressOf(host))
    await until(() => host.node.silentPeers.length === 1, 'the connection')
    await quiet.open(formatProtocolId(IDENTITY, 'audit'))
    await until(() => host.node.silentPeers.length === 0, 'its stream')
    assert.deepEqual(host.node.peers, [quiet.peer])
  })
})
