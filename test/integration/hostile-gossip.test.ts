import assert from 'node:assert/strict'
import type { Stream } from '@libp2p/interface'
import {
  MAX_GOSSIP_AT_ONCE,
  MAX_GOSSIP_BYTES,
  MAX_IGNORED_STATEMENTS,
  MAX_STATEMENTS_AT_ONCE,
  MAX_UNSENT_GOSSIP_BYTES,
} from '../../protocol-handler/index.ts'
import { formatProtocolId } from '../../protocol-handler/network-name.ts'
import { SetClock } from '../devnet/set-clock.ts'
import { Attacker, prefixed, publish, subscribe } from '../protocol-handler/attacker.ts'
import { assertServes, closeHostileStage, openHostileStage } from '../protocol-handler/hostile-stage.ts'
import { addressOf, IDENTITY, type Peer, type PeerOptions, until } from '../protocol-handler/open-peer.ts'

const ANNOUNCE = formatProtocolId(IDENTITY, 'announce')
const GOSSIP = '/meshsub/1.1.0'

describe('hostile gossip over real streams', () => {
  let victim: Peer
  let honest: Peer
  let attacker: Attacker

  const open = async (options?: PeerOptions): Promise<void> => {
    ;({ victim, honest, attacker } = await openHostileStage(options))
  }
  const serves = (): Promise<void> => assertServes(victim, honest)

  afterEach(closeHostileStage)

  let heard: string[]
  let gossip: (rpc: Uint8Array) => void
  /** What the victim tells it. */
  let toAttacker: Promise<Stream>
  let sequence = 0

  const listen = async (options: PeerOptions = {}): Promise<void> => {
    await open(options)
    heard = []
    victim.node.onGossip('announce', (bytes) => {
      heard.push(new TextDecoder().decode(bytes.subarray(0, 10)))
    })
    await until(() => honest.node.subscribersOf('announce').length === 1, 'the subscription')
    const inbound = await attacker.listenTo(GOSSIP)
    toAttacker = inbound.stream
    const stream = await attacker.open(GOSSIP)
    gossip = (rpc) => stream.send(prefixed(rpc))
  }

  beforeEach(() => listen())

  const say = async (
    text: string,
    options: { topic?: string; bytes?: number; signedBy?: 'self' | 'other' | 'nobody' } = {},
  ) => {
    const data = new Uint8Array(options.bytes ?? text.length)
    data.set(new TextEncoder().encode(text))
    const { signedBy = 'self', topic = ANNOUNCE } = options
    const other = signedBy === 'other' ? await Attacker.connect('other', addressOf(victim)) : attacker
    const signer = signedBy === 'nobody' ? undefined : other.key
    return await publish({ topic, data, from: attacker.peerId, sequence: ++sequence, signer })
  }

  /** What honest peers say is heard; it is said after everything else. */
  const hearsHonest = async (text = 'honest'): Promise<void> => {
    await honest.node.publish('announce', new TextEncoder().encode(text))
    await until(() => heard.includes(text), 'what an honest peer says')
  }

  it('a message is heard', async () => {
    gossip(await say('good'))
    await until(() => heard.length === 1)
    assert.deepEqual(heard, ['good'])
  })

  it('limit: a message at the bound is heard, one past it and what follows is not', async () => {
    const overhead = (await say('', { bytes: MAX_GOSSIP_BYTES - 1_000 })).length - (MAX_GOSSIP_BYTES - 1_000)
    const largest = await say('largest', { bytes: MAX_GOSSIP_BYTES - overhead })
    assert.equal(largest.length, MAX_GOSSIP_BYTES)
    gossip(largest)
    await until(() => heard.length === 1, 'the largest')
    gossip(await say('huge', { bytes: MAX_GOSSIP_BYTES - overhead + 1 }))
    gossip(await say('after'))
    await hearsHonest()
    assert.deepEqual(
      heard.map((text) => text.replaceAll('\0', '')),
      ['largest', 'honest'],
    )
  })

  it('unsigned, signed by another key, or on a foreign topic: not heard', async () => {
    gossip(await say('unsigned', { signedBy: 'nobody' }))
    gossip(await say('foreign', { topic: '/massa-storage/78-1/announce/1' }))
    gossip(await say('forged', { signedBy: 'other' }))
    gossip(await say('good'))
    await until(() => heard.includes('good'))
    await hearsHonest()
    assert.deepEqual(heard, ['good', 'honest'])
    assert.deepEqual(victim.offences, [])
  })

  it('who sends hundreds of forged messages is not listened to any more', async () => {
    const isHeard = async (round: number): Promise<boolean> => {
      for (let i = 0; i < 30; i++) gossip(await say('unsigned', { signedBy: 'nobody' }))
      gossip(await say(`late ${round}`))
      await serves()
      await hearsHonest(`honest ${round}`)
      return heard.includes(`late ${round}`)
    }
    // Its score is looked at once a second.
    const limit = Date.now() + 15_000
    let round = 1
    while (await isHeard(round)) {
      round++
      assert.ok(Date.now() < limit, 'it is listened to for more than 15 s')
    }
    assert.equal(await isHeard(round + 1), false)
    assert.equal(heard.includes(`late ${round}`), false)
  })

  it('limit: who reads no gossip is dropped when 1 MiB waits for it, and others hear on', async () => {
    gossip(subscribe(ANNOUNCE))
    const stream = await toAttacker
    const seen = attacker.watch(stream)
    await until(() => seen.bytes > 0, 'what the victim subscribes to')
    stream.pause()
    await until(() => victim.node.subscribersOf('announce').length === 2, 'the subscription')
    let heardByHonest = 0
    honest.node.onGossip('announce', () => {
      heardByHonest++
    })
    const bytes = 30_000
    let said = 0
    const sayOne = async (): Promise<void> => {
      await victim.node.publish('announce', new Uint8Array(bytes).fill(++said))
      await until(() => heardByHonest === said, 'what the victim says')
    }
    while ((said + 1) * (bytes + 1_000) < MAX_UNSENT_GOSSIP_BYTES) await sayOne()
    assert.equal(seen.isOver, false)
    // Its window comes on top, which has grown to nobody knows what.
    while (!seen.isOver && said < 1_000) await sayOne()
    assert.equal(seen.isOver, true)
    await sayOne()
  })

  /** Again, with a clock that stands. */
  const listenStill = async (options: PeerOptions = {}): Promise<SetClock> => {
    await closeHostileStage()
    const clock = new SetClock()
    await listen({ ...options, clock })
    return clock
  }

  const nineOffences = async (): Promise<void> => {
    await until(() => victim.offences.length === 9, 'what is held against it')
    assert.deepEqual(victim.offences, Array(9).fill([attacker.peer, 'limit']))
    assert.ok(victim.node.peers.includes(attacker.peer))
  }

  it('limit: of validly signed statements 8 are heard and 30 ignored; ten more, and their author is banned and cut off', async () => {
    await listenStill()
    const sent = MAX_STATEMENTS_AT_ONCE + MAX_IGNORED_STATEMENTS + 9
    for (let i = 0; i < sent; i++) gossip(await say(`good ${i}`))
    await nineOffences()
    gossip(await say('one more'))
    await until(() => !victim.node.peers.includes(attacker.peer), 'the ban')
    assert.equal(heard.length, MAX_STATEMENTS_AT_ONCE)
    await hearsHonest()
    await serves()
  })

  it('limit: 320 messages of one peer are looked at and 320 left alone; ten more, and it is banned and cut off', async () => {
    await listenStill()
    const forged = await say('unsigned', { signedBy: 'nobody' })
    for (let i = 0; i < 2 * MAX_GOSSIP_AT_ONCE + 9; i++) gossip(forged)
    await nineOffences()
    gossip(forged)
    await until(() => !victim.node.peers.includes(attacker.peer), 'the ban')
    await hearsHonest()
    await serves()
  })

  it('no message at all, or a length of 4 GiB in one, harms nobody', async () => {
    gossip(Uint8Array.of(0x12, 0xff, 0xff, 0xff, 0xff, 0x0f))
    gossip(new Uint8Array(1_000).fill(0xff))
    await hearsHonest()
    await serves()
  })
})
