import assert from 'node:assert/strict'
import { ArchiveError, HASH_SLOTS, toHex } from '../../core/index.ts'
import {
  announcementCodec,
  auditRequestCodec,
  Bandwidth,
  MAX_CHUNK_ANSWER_BYTES,
} from '../../protocol-handler/index.ts'
import { Redialer } from '../../protocol-handler/redial.ts'
import { PeerClient } from '../../storage-worker/peers/peer-client.ts'
import { AnnouncementBoard } from '../../storage-worker/replication/announcement-board.ts'
import { HaveMap } from '../../storage-worker/replication/have-map.ts'
import { createHaveService } from '../../storage-worker/replication/have-service.ts'
import { OwnHoldings } from '../../storage-worker/replication/own-holdings.ts'
import { createLogger } from '../../telemetry/index.ts'
import { StillClock } from '../clocks.ts'
import { SetClock } from '../devnet/set-clock.ts'
import {
  addressOf,
  ask,
  CHUNK_ID,
  closePeers,
  connect,
  DEADLINE_MS,
  echoAudits,
  IDENTITY,
  mesh,
  openPeer,
  type Peer,
  until,
} from '../protocol-handler/open-peer.ts'
import { MadeArchive, NETWORK } from '../storage-worker/replication/made-archive.ts'
import { addressOf as massaAddressOf, seedOf } from '../storage-worker/replication/made-nodes.ts'

describe('protocol-handler/peer-node over loopback', () => {
  afterEach(closePeers)

  it('its PeerId is that of its key, 38 bytes', async () => {
    const { node } = await openPeer('a')
    assert.equal(node.peerId.length, 38)
    assert.equal(toHex(node.peerId.subarray(0, 6)), '002408011220')
  })

  it('a hundred requests at once: each is answered with its own answer', async () => {
    const [a, b] = [await openPeer('a'), await openPeer('b')]
    await b.node.serve('audit', echoAudits())
    await connect(a, b)
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => ask(a, b, i)))
    assert.deepEqual(
      answers.map((answer) => answer.status === 'ok' && answer.leafIndex),
      Array.from({ length: 100 }, (_, i) => i),
    )
    assert.deepEqual([a.failures, b.failures, b.offences], [[], [], []])
  })

  it('limit: who asks for more than its share is told that the other is busy', async () => {
    const [a, b] = [
      await openPeer('a'),
      await openPeer('b', { share: { requestsPerSecond: 1 }, clock: new SetClock() }),
    ]
    await b.node.serve('audit', echoAudits())
    await connect(a, b)
    const answers: string[] = []
    for (let i = 0; i < 8; i++) answers.push((await ask(a, b, i)).status)
    assert.deepEqual(answers, ['ok', 'ok', 'ok', 'ok', 'ok', 'busy', 'busy', 'busy'])
  })

  for (const side of ['asked', 'asking'] as const) {
    it(`where the line of the ${side} side is limited, answers take the time that their bytes take`, async () => {
      const clock = new SetClock()
      const bandwidth = new Bandwidth({ bytesPerSecond: 10_000 }, clock)
      const a = await openPeer('a', side === 'asking' ? { bandwidth } : {})
      const b = await openPeer('b', side === 'asked' ? { bandwidth } : {})
      await b.node.serve('audit', echoAudits())
      await connect(a, b)
      const startedMs = clock.timeMs
      for (let i = 0; i < 20; i++) assert.equal((await ask(a, b, i)).status, 'ok')
      // 1,024 bytes of a leaf in each; 10,000 bytes go out at once.
      assert.ok(clock.timeMs - startedMs >= (20 * 1_024 - 10_000) / 10, `${clock.timeMs - startedMs} ms`)
    })
  }

  it('a failure of the disk is answered with busy, and the stream goes on', async () => {
    const [a, b] = [await openPeer('a'), await openPeer('b')]
    let failing = true
    const service = echoAudits()
    await b.node.serve('audit', {
      ...service,
      answer: async (request, peer) => {
        if (failing) throw new Error('disk')
        return await service.answer(request, peer)
      },
    })
    await connect(a, b)
    assert.equal((await ask(a, b, 1)).status, 'busy')
    failing = false
    assert.equal((await ask(a, b, 2)).status, 'ok')
    assert.equal(b.failures.length, 1)
    assert.deepEqual(b.offences, [])
  })

  it('a have-map comes in pages, and costs whoever gives that of another node', async () => {
    const [a, b] = [await openPeer('a'), await openPeer('b')]
    const clock = new StillClock()
    const slots = Array.from({ length: HASH_SLOTS }, (_, slot) => slot)
    const holdings = new OwnHoldings(new MadeArchive().fill(0, 300), clock)
    const seed = seedOf('holder')
    const map = new HaveMap(
      { seed, network: NETWORK },
      { holdings, listSlots: () => slots, clock, onFailure: (error) => assert.fail(String(error)) },
    )
    await map.look()
    await b.node.serve('have', createHaveService(map))
    await connect(a, b)
    const client = new PeerClient(a.node, (peer, offence) => a.offences.push([peer, offence]), {
      clock: new StillClock(),
    })
    const answer = await client.fetchHaveMap(b.node.peer, massaAddressOf(seed), NETWORK)
    assert.ok(answer.status === 'ok')
    assert.deepEqual(
      answer.value.flatMap(({ held }) => held),
      slots.map((hashSlot) => ({ hashSlot, endEra: 3 })),
    )
    assert.equal(answer.value.length, 2)
    assert.deepEqual(a.offences, [])
    const other = massaAddressOf(seedOf('another'))
    await assert.rejects(client.fetchHaveMap(b.node.peer, other, NETWORK), { code: 'PROTOCOL_ANSWER_WRONG' })
    assert.deepEqual(a.offences, [[b.node.peer, 'reject']])
    assert.deepEqual([a.failures, b.failures, b.offences], [[], [], []])
  })

  it('hostile: a request that is no message ends its stream and costs the sender', async () => {
    const [a, b] = [await openPeer('a'), await openPeer('b')]
    await b.node.serve('audit', echoAudits())
    await connect(a, b)
    const bad = a.node.request(b.node.peer, 'audit', {
      bytes: Uint8Array.of(1, 2, 3),
      maxAnswerBytes: 100,
      frames: 1,
      deadlineMs: DEADLINE_MS,
    })
    await assert.rejects(bad, { code: 'PROTOCOL_PEER_UNREACHABLE' })
    await until(() => b.offences.length > 0)
    assert.deepEqual(b.offences, [[a.node.peer, 'reject']])
    assert.equal((await ask(a, b, 3)).status, 'ok')
  })

  it('limit: an answer as long as its kind allows is read, of one byte more no byte is kept', async () => {
    const [a, b] = [await openPeer('a'), await openPeer('b')]
    let bytes = MAX_CHUNK_ANSWER_BYTES
    await b.node.serve('audit', { ...echoAudits(), answer: async () => [new Uint8Array(bytes)] })
    await connect(a, b)
    const request = {
      bytes: auditRequestCodec.encode({ chunkId: CHUNK_ID, leafIndex: 1 }),
      maxAnswerBytes: MAX_CHUNK_ANSWER_BYTES,
      frames: 1,
      deadlineMs: DEADLINE_MS,
    }
    const [answer] = await a.node.request(b.node.peer, 'audit', request)
    assert.equal(answer?.length, MAX_CHUNK_ANSWER_BYTES)
    bytes++
    await assert.rejects(a.node.request(b.node.peer, 'audit', request), { code: 'PROTOCOL_MESSAGE_INVALID' })
  })

  it('hostile: a peer that never answers is left at the deadline', async () => {
    const [a, b] = [await openPeer('a'), await openPeer('b')]
    await b.node.serve('audit', { ...echoAudits(), answer: () => new Promise(() => {}) })
    await connect(a, b)
    const request = a.node.request(b.node.peer, 'audit', {
      bytes: auditRequestCodec.encode({ chunkId: CHUNK_ID, leafIndex: 1 }),
      maxAnswerBytes: 2_000,
      frames: 1,
      deadlineMs: 200,
    })
    await assert.rejects(request, { code: 'PROTOCOL_PEER_UNREACHABLE' })
  })

  it('a banned peer is cut off and not let in, and is again when the ban is over', async () => {
    const clock = new SetClock()
    const [a, b] = [await openPeer('a'), await openPeer('b', { clock })]
    await b.node.serve('audit', echoAudits())
    await connect(a, b)
    assert.equal((await ask(a, b, 1)).status, 'ok')
    b.node.ban(a.node.peer, 60_000)
    assert.deepEqual(b.node.peers, [])
    // The dialler may believe itself connected until it has heard that it is not.
    await a.node.dial(addressOf(b)).catch(() => undefined)
    await assert.rejects(ask(a, b, 1), { code: 'PROTOCOL_PEER_UNREACHABLE' })
    await assert.rejects(b.node.dial(addressOf(a)), { code: 'PROTOCOL_PEER_UNREACHABLE' })
    assert.deepEqual(b.node.peers, [])
    await until(() => a.node.peers.length === 0)
    clock.timeMs += 60_000
    await connect(a, b)
    assert.equal((await ask(a, b, 2)).status, 'ok')
  })

  it('the tenth offence bans and cuts off', async () => {
    const [a, b] = [await openPeer('a'), await openPeer('b', { clock: new SetClock() })]
    await connect(a, b)
    await until(() => b.node.peers.length === 1)
    for (let i = 0; i < 9; i++) b.node.penalise(a.node.peer, 'reject')
    assert.deepEqual(b.node.peers, [a.node.peer])
    b.node.penalise(a.node.peer, 'reject')
    assert.deepEqual(b.node.peers, [])
    assert.equal(b.scores.isBanned(a.node.peer), true)
    assert.equal(b.offences.length, 10)
  })

  it('what another listens on is PROTOCOL_LISTEN_FAILED, and a stop may be repeated', async () => {
    const a = await openPeer('a')
    const [, port] = /tcp\/(\d+)/.exec(addressOf(a)) ?? []
    await assert.rejects(openPeer('b', { listen: `/ip4/127.0.0.1/tcp/${port}` }), { code: 'PROTOCOL_LISTEN_FAILED' })
    await a.node.stop()
    await a.node.stop()
    await assert.rejects(a.node.dial(addressOf(a)), { code: 'PROTOCOL_PEER_UNREACHABLE' })
    const again = await openPeer('b', { listen: `/ip4/127.0.0.1/tcp/${port}` })
    assert.equal(again.node.addresses.length, 1)
  })

  it('nobody there: dial and request are PROTOCOL_PEER_UNREACHABLE', async () => {
    const [a, b] = [await openPeer('a'), await openPeer('b')]
    await b.node.stop()
    await assert.rejects(a.node.dial('/ip4/127.0.0.1/tcp/1'), { code: 'PROTOCOL_PEER_UNREACHABLE' })
    await assert.rejects(ask(a, b, 1), { code: 'PROTOCOL_PEER_UNREACHABLE' })
  })

  it('a stop fails the requests that are in flight and those that come', async () => {
    const [a, b] = [await openPeer('a'), await openPeer('b')]
    let asked = 0
    await b.node.serve('audit', {
      ...echoAudits(),
      answer: () => {
        asked++
        return new Promise(() => {})
      },
    })
    await connect(a, b)
    const requests = Array.from({ length: 20 }, (_, i) =>
      assert.rejects(ask(a, b, i), { code: 'PROTOCOL_PEER_UNREACHABLE' }),
    )
    await until(() => asked >= 4)
    await a.node.stop()
    await Promise.all(requests)
    await assert.rejects(ask(a, b, 1), { code: 'PROTOCOL_PEER_UNREACHABLE' })
  })

  it('limit: strangers take half of the connections, and nodes of the registry come in all the same', async () => {
    const known = await openPeer('known')
    const host = await openPeer('host', { maxConnections: 4, isStranger: (peer) => peer !== known.node.peer })
    const strangers = await Promise.all(['s', 't', 'u', 'v', 'w'].map((name) => openPeer(name)))
    for (const [i, stranger] of strangers.entries()) {
      // Cut at once, it may be before the dial is through.
      await connect(stranger, host).catch((error) => assert.equal(error.code, 'PROTOCOL_PEER_UNREACHABLE'))
      await until(() => stranger.node.peers.length === (i < 2 ? 1 : 0) && host.node.peers.length === Math.min(2, i + 1))
    }
    assert.deepEqual(
      host.node.peers.sort(),
      strangers
        .slice(0, 2)
        .map(({ node }) => node.peer)
        .sort(),
    )
    await connect(known, host)
    await until(() => host.node.peers.includes(known.node.peer))
    assert.equal(host.node.peers.length, 3)
  })

  it('who was hung up on is dialled again, and its streams are opened again', async () => {
    const clock = new SetClock()
    const [a, b] = [await openPeer('a'), await openPeer('b')]
    await b.node.serve('audit', echoAudits())
    const redialer = new Redialer(
      {
        listTargets: () => [addressOf(b)],
        isConnected: () => a.node.peers.includes(b.node.peer),
        dial: (address) => a.node.dial(address),
      },
      clock,
    )
    for (let i = 0; i < 3; i++) {
      await redialer.lookOnce()
      assert.deepEqual(a.node.peers, [b.node.peer])
      assert.equal((await ask(a, b, i)).status, 'ok')
      await a.node.hangUp(b.node.peer)
      assert.deepEqual(a.node.peers, [])
      await until(() => b.node.peers.length === 0)
      clock.timeMs += 60_000
    }
  })

  it('foreign network: its streams are not spoken', async () => {
    const foreign = { ...IDENTITY, network: { ...IDENTITY.network, chainId: 78n } }
    const [a, b] = [await openPeer('a'), await openPeer('b', { identity: foreign })]
    await b.node.serve('audit', echoAudits())
    await connect(a, b)
    await assert.rejects(ask(a, b, 1), { code: 'PROTOCOL_PEER_UNREACHABLE' })
  })

  it('an announcement reaches the board of another, which knows who sent it', async () => {
    const [a, b] = [await openPeer('a'), await openPeer('b')]
    const taken: [string, number][] = []
    const board = new AnnouncementBoard({
      network: b.node,
      store: new MadeArchive(),
      holdings: { readRange: async () => undefined },
      claims: {
        takeAnnouncement: (address, { firstPeriod }) => taken.push([address, firstPeriod]),
        distrust: () => assert.fail('nothing was compared'),
      },
      ports: {
        addressOf: (peerId) => (toHex(peerId) === toHex(a.node.peerId) ? 'AU1' : undefined),
        isNode: (address) => address === 'AU1',
        countNodes: () => 1,
        newestPeriod: () => 100,
        onAnnounced: () => undefined,
        onExcess: () => assert.fail('it was not too much'),
      },
      clock: new StillClock(),
      log: createLogger({ level: 'error', format: 'json', destination: { write: (text) => assert.fail(text) } }),
      onResult: () => undefined,
    })
    const running = board.start()
    await connect(a, b)
    await until(() => a.node.subscribersOf('announce').length === 1)
    for (const firstPeriod of [1_000, 100]) {
      const message = { firstPeriod, periodCount: 1, chunkCount: 1, rootsHash: CHUNK_ID, incompleteSlots: [] }
      await a.node.publish('announce', announcementCodec.encode(message))
    }
    await until(() => taken.length > 0)
    assert.deepEqual(taken, [['AU1', 100]])
    assert.deepEqual([b.offences, b.failures], [[], []])
    await board.stop()
    await running
  })

  it('gossip reaches others with its author; a rejected message goes no further and costs its author', async () => {
    const peers = [await openPeer('a'), await openPeer('b'), await openPeer('c')]
    const [a, b, c] = peers as [Peer, Peer, Peer]
    const heard: [string, string, string][] = []
    for (const [name, { node }] of [['b', b] as const, ['c', c] as const]) {
      node.onGossip('announce', (bytes, author) => {
        const text = new TextDecoder().decode(bytes)
        if (text === 'bad') throw new ArchiveError('PROTOCOL_MESSAGE_INVALID', 'bad')
        heard.push([name, text, toHex(author)])
      })
    }
    // A line: what c hears, b has passed on.
    await connect(a, b)
    await connect(b, c)
    await until(() => a.node.subscribersOf('announce').length === 1)
    await mesh(b, c)
    await a.node.publish('announce', new TextEncoder().encode('bad'))
    await a.node.publish('announce', new TextEncoder().encode('good'))
    await until(() => heard.length === 2)
    assert.deepEqual(heard.sort(), [
      ['b', 'good', toHex(a.node.peerId)],
      ['c', 'good', toHex(a.node.peerId)],
    ])
    assert.deepEqual(b.offences, [[a.node.peer, 'reject']])
    assert.deepEqual(c.offences, [])
  })

  it('hostile: what a banned node says is not heard through others either, until the ban is over', async () => {
    const clock = new SetClock()
    const [a, b, c] = [await openPeer('a'), await openPeer('b'), await openPeer('c', { clock })]
    const heard: string[] = []
    c.node.onGossip('announce', (bytes) => void heard.push(new TextDecoder().decode(bytes)))
    let passed = 0
    b.node.onGossip('announce', () => void passed++)
    await connect(a, b)
    await connect(b, c)
    await until(() => a.node.subscribersOf('announce').length === 1)
    await mesh(b, c)
    const say = async ({ node }: Peer, text: string): Promise<void> => {
      await node.publish('announce', new TextEncoder().encode(text))
    }
    c.node.ban(a.node.peer, 1_000)
    await say(a, 'banned')
    await until(() => passed === 1, 'it at the one between')
    await say(b, 'honest')
    await until(() => heard.includes('honest'))
    clock.timeMs += 1_000
    await say(a, 'free')
    await until(() => heard.includes('free'))
    assert.deepEqual(heard, ['honest', 'free'])
  })
})
