import assert from 'node:assert/strict'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { sha256 } from '#crypto'
import { computeAddress, computePublicKey, concatBytes, formatAddress, HASH_SLOTS, toHex } from '../../core/index.ts'
import {
  announcementCodec,
  Bindings,
  type ChunkAnnouncement,
  capabilitiesCodec,
  MAX_ANNOUNCED_PERIODS,
  MAX_PERIODS_AHEAD,
  MAX_STATEMENTS_AT_ONCE,
  MAX_STRANGER_STATEMENTS_AT_ONCE,
  readSigner,
  signCapabilities,
} from '../../protocol-handler/index.ts'
import { formatProtocolId } from '../../protocol-handler/network-name.ts'
import { AnnouncementBoard } from '../../storage-worker/replication/announcement-board.ts'
import { createLogger } from '../../telemetry/index.ts'
import { StillClock } from '../clocks.ts'
import { SetClock } from '../devnet/set-clock.ts'
import { Attacker, prefixed, publish } from '../protocol-handler/attacker.ts'
import { closeHostileStage } from '../protocol-handler/hostile-stage.ts'
import { addressOf, CHUNK_ID, connect, IDENTITY, openPeer, type Peer, until } from '../protocol-handler/open-peer.ts'
import { MadeArchive } from '../storage-worker/replication/made-archive.ts'

const NEWEST = 5_000

describe('hostile statements of nodes, over real streams', () => {
  afterEach(closeHostileStage)

  describe('announcements', () => {
    let host: Peer
    let node: Peer
    let taken: number[]
    let stop: () => Promise<void>

    beforeEach(async () => {
      host = await openPeer('host')
      node = await openPeer('node')
      taken = []
      const board = new AnnouncementBoard({
        network: host.node,
        store: new MadeArchive(),
        holdings: { readRange: async () => undefined },
        claims: {
          takeAnnouncement: (_, { firstPeriod, periodCount }) => taken.push(firstPeriod + periodCount - 1),
          distrust: () => assert.fail('nothing was compared'),
        },
        ports: {
          addressOf: (peerId) => (toHex(peerId) === toHex(node.node.peerId) ? 'AU1' : undefined),
          isNode: () => true,
          countNodes: () => 1,
          newestPeriod: () => NEWEST,
          onAnnounced: () => undefined,
          onExcess: () => assert.fail('it was not too much'),
        },
        clock: new StillClock(),
        log: createLogger({ level: 'error', format: 'json', destination: { write: (text) => assert.fail(text) } }),
        onResult: () => undefined,
      })
      const running = board.start()
      stop = async () => {
        await board.stop()
        await running
      }
      await connect(node, host)
      await until(() => node.node.subscribersOf('announce').length === 1, 'the subscription')
    })
    afterEach(() => stop())

    const announce = async (message: Partial<ChunkAnnouncement>, change = (bytes: Uint8Array) => bytes) => {
      const rest = { periodCount: 1, chunkCount: 1, rootsHash: CHUNK_ID, incompleteSlots: [] }
      await node.node.publish('announce', change(announcementCodec.encode({ firstPeriod: 1, ...rest, ...message })))
    }
    const allSlots = Array.from({ length: HASH_SLOTS }, (_, slot) => slot)

    it('huge announcement: the largest is taken, one of a period more costs its author', async () => {
      await announce({ periodCount: MAX_ANNOUNCED_PERIODS, incompleteSlots: allSlots })
      await until(() => taken.length === 1, 'the largest')
      await announce({ firstPeriod: 2, periodCount: MAX_ANNOUNCED_PERIODS + 1 })
      await until(() => host.offences.length === 1, 'what it costs')
      assert.deepEqual([taken, host.offences], [[MAX_ANNOUNCED_PERIODS], [[node.node.peer, 'reject']]])
    })

    it('huge announcement: a number of hash slots that are not there costs its author, and nothing is made of it', async () => {
      await announce({}, (bytes) => bytes.fill(0xff, bytes.length - 2))
      await until(() => host.offences.length === 1, 'what it costs')
      assert.deepEqual([taken, host.offences], [[], [[node.node.peer, 'reject']]])
    })

    it('future period: what is announced of it is not taken, and costs nothing; it may be our node that is late', async () => {
      await announce({ firstPeriod: NEWEST + MAX_PERIODS_AHEAD + 1 })
      await announce({ firstPeriod: NEWEST + MAX_PERIODS_AHEAD })
      await until(() => taken.length > 0, 'the last that is not too far')
      assert.deepEqual([taken, host.offences], [[NEWEST + MAX_PERIODS_AHEAD], []])
    })
  })

  describe('announcements that a stranger kept', () => {
    const REPLAYS = 30

    it('replayed announcements: old ones that are handed on cost their author nothing, and it is heard on', async () => {
      const clock = new SetClock()
      const host = await openPeer('host', { clock })
      const node = await openPeer('node')
      const taken: number[] = []
      let ignored = 0
      const board = new AnnouncementBoard({
        network: host.node,
        store: new MadeArchive(),
        holdings: { readRange: async () => undefined },
        claims: { takeAnnouncement: (_, { firstPeriod }) => taken.push(firstPeriod), distrust: () => undefined },
        ports: {
          addressOf: () => 'AU1',
          isNode: () => true,
          countNodes: () => 1,
          newestPeriod: () => NEWEST,
          onAnnounced: () => undefined,
          onExcess: () => assert.fail('it was not too much'),
        },
        clock,
        log: createLogger({ level: 'error', format: 'json', destination: { write: (text) => assert.fail(text) } }),
        onResult: (result) => {
          if (result === 'ignored') ignored++
        },
      })
      host.node.onGossip('announce', (...message) => board.take(...message))
      const signer = await generateKeyPairFromSeed('Ed25519', sha256(new TextEncoder().encode('node')))
      const attacker = await Attacker.connect('attacker', addressOf(host))
      const stream = await attacker.open('/meshsub/1.1.0')
      const hand = async (firstPeriod: number): Promise<void> => {
        const rest = { periodCount: 1, chunkCount: 1, rootsHash: CHUNK_ID, incompleteSlots: [] }
        const data = announcementCodec.encode({ firstPeriod, ...rest })
        const topic = formatProtocolId(IDENTITY, 'announce')
        stream.send(prefixed(await publish({ topic, data, from: node.node.peerId, sequence: firstPeriod, signer })))
      }
      await hand(4_000)
      await until(() => taken.length === 1, 'the newest')
      for (let i = 0; i < REPLAYS; i++) {
        clock.timeMs += 2_000
        await hand(1_000 + i)
        await until(() => ignored === i + 1, `replay ${i}`)
      }
      await hand(4_001)
      await until(() => taken.length === 2, 'what the node says next')
      assert.deepEqual([taken, host.offences], [[4_000, 4_001], []])
    })
  })

  describe('capabilities', () => {
    const seed = sha256(new TextEncoder().encode('massa key'))
    let host: Peer
    let honest: Peer
    let bindings: Bindings
    let attacker: Attacker
    let heard: number
    let hand: (rpc: Uint8Array) => void

    beforeEach(async () => {
      // Time stands: what is said too often is not heard.
      host = await openPeer('host', { clock: new SetClock() })
      honest = await openPeer('honest')
      bindings = new Bindings(IDENTITY.network, () => true)
      heard = 0
      host.node.onGossip('capabilities', (bytes, author) => {
        heard++
        bindings.take(capabilitiesCodec.decode(bytes), author)
      })
      await connect(honest, host)
      await until(() => honest.node.subscribersOf('capabilities').length === 1, 'the subscription')
      await honest.node.publish('capabilities', said(6n))
      await until(() => bindings.list().length === 1, 'the introduction')
      attacker = await Attacker.connect('attacker', addressOf(host))
      const stream = await attacker.open('/meshsub/1.1.0')
      hand = (rpc) => stream.send(prefixed(rpc))
    })

    const said = (sequence: bigint): Uint8Array => {
      const kept = { allocatedGb: sequence, storedChunks: 0n, retentionPeriods: 0n, firstPeriod: 0, endPeriod: 0 }
      const own = { network: IDENTITY.network, peerId: honest.node.peerId, listenAddresses: [] }
      return capabilitiesCodec.encode(signCapabilities(seed, { ...own, ...kept, sequence }))
    }
    const topic = formatProtocolId(IDENTITY, 'capabilities')
    const latest = () => bindings.list().map(({ capabilities }) => capabilities.sequence)

    it('replayed capabilities: an older statement, handed on by another, changes nothing and does not cost its author', async () => {
      const signer = await generateKeyPairFromSeed('Ed25519', sha256(new TextEncoder().encode('honest')))
      const handOn = async (data: Uint8Array, sequence: number) =>
        hand(await publish({ topic, data, from: honest.node.peerId, sequence, signer }))
      // As many as are heard of one author at once: they do not make us deaf to it.
      for (let i = 1; i <= MAX_STATEMENTS_AT_ONCE; i++) await handOn(said(5n), i)
      await until(() => heard === 1 + MAX_STATEMENTS_AT_ONCE, 'the replays')
      await handOn(said(7n), 1 + MAX_STATEMENTS_AT_ONCE)
      await until(() => heard === 2 + MAX_STATEMENTS_AT_ONCE, 'the later one')
      assert.deepEqual([latest(), host.offences, host.failures], [[7n], [], []])
    })

    it('replayed capabilities: the statement of another under the own name costs whoever says it', async () => {
      const { key, peerId } = attacker
      hand(await publish({ topic, data: said(8n), from: peerId, sequence: 1, signer: key }))
      await until(() => host.offences.length === 1, 'what it costs')
      assert.deepEqual([latest(), host.offences], [[6n], [[attacker.peer, 'reject']]])
      assert.equal(bindings.addressOf(peerId), undefined)
    })
  })

  it('introductions of nobody without end: one in the name of a node of the registry is heard all the same', async () => {
    const massaSeed = sha256(new TextEncoder().encode('newcomer'))
    const own = {
      network: IDENTITY.network,
      listenAddresses: [],
      allocatedGb: 1n,
      storedChunks: 0n,
      retentionPeriods: 0n,
    }
    const say = async (name: string, sequence: number, seed: Uint8Array): Promise<Uint8Array> => {
      const signer = await generateKeyPairFromSeed('Ed25519', sha256(new TextEncoder().encode(name)))
      const from = peerIdFromPrivateKey(signer).toMultihash().bytes
      const said = signCapabilities(seed, {
        ...own,
        peerId: from,
        sequence: 1n,
        firstPeriod: sequence,
        endPeriod: sequence,
      })
      const topic = formatProtocolId(IDENTITY, 'capabilities')
      return prefixed(await publish({ topic, data: capabilitiesCodec.encode(said), from, sequence, signer }))
    }
    const signed = (seed: Uint8Array): string =>
      formatAddress(computeAddress(computePublicKey(concatBytes(Uint8Array.of(0), seed))))
    const registered = signed(massaSeed)
    // Time stands.
    const options = {
      clock: new SetClock(),
      isStranger: () => true,
      isNode: (address: string) => address === registered,
    }
    const host = await openPeer('host', options)
    const heard: string[] = []
    host.node.onGossip('capabilities', (bytes) => void heard.push(readSigner(capabilitiesCodec.decode(bytes))))
    const stream = await (await Attacker.connect('attacker', addressOf(host))).open('/meshsub/1.1.0')
    for (let i = 0; i <= MAX_STRANGER_STATEMENTS_AT_ONCE; i++) {
      stream.send(await say(`made up ${Math.floor(i / MAX_STATEMENTS_AT_ONCE)}`, i, CHUNK_ID))
    }
    stream.send(await say('newcomer', 0, massaSeed))
    await until(() => heard.includes(registered), 'the newcomer')
    assert.deepEqual([heard.length, host.offences], [MAX_STRANGER_STATEMENTS_AT_ONCE + 1, []])
  })
})
