import assert from 'node:assert/strict'
import { ArchiveError, type Clock } from '../../core/index.ts'
import {
  Bindings,
  capabilitiesCodec,
  type GossipHandler,
  Introductions,
  OwnSequence,
  readSigner,
  verifyCapabilities,
} from '../../protocol-handler/index.ts'
import { KeptMarks } from './kept-marks.ts'
import { NETWORK, PEER_ID, SEED, signSample } from './sample-messages.ts'

const OWN = {
  network: NETWORK,
  allocatedGb: 10n,
  storedChunks: 3n,
  retentionPeriods: 0n,
  firstPeriod: 0,
  endPeriod: 3,
  listenAddresses: ['/ip4/127.0.0.1/tcp/1'],
}

class Gossip {
  readonly peerId = PEER_ID
  readonly published: Uint8Array[] = []
  listeners: string[] = []
  handler: GossipHandler = () => assert.fail('nobody listens')

  onGossip(name: string, handler: GossipHandler): void {
    assert.equal(name, 'capabilities')
    this.handler = handler
  }

  async publish(name: string, bytes: Uint8Array): Promise<void> {
    assert.equal(name, 'capabilities')
    this.published.push(bytes)
  }

  subscribersOf(): string[] {
    return this.listeners
  }
}

describe('protocol-handler/introductions', () => {
  let nowMs = 0
  /** By how much the wall clock was set. */
  let jumpMs = 0
  const clock: Clock = {
    nowMs: () => nowMs + jumpMs,
    monotonicMs: () => nowMs,
    sleep: (_, signal) =>
      new Promise((resolve) => (signal?.aborted ? resolve() : signal?.addEventListener('abort', () => resolve()))),
  }
  let gossip: Gossip
  let bindings: Bindings
  let failures: ArchiveError[]
  let heard: string[]
  const make = (describe = async () => OWN) =>
    new Introductions(
      { seed: SEED, describe },
      {
        network: gossip,
        bindings,
        sequence: new OwnSequence({ marks: new KeptMarks(), clock, onFailure: (error) => failures.push(error) }),
        clock,
        onHeard: (address) => heard.push(address),
        onFailure: (error) => failures.push(error),
      },
    )

  beforeEach(() => {
    nowMs = 1_000_000
    jumpMs = 0
    gossip = new Gossip()
    bindings = new Bindings(NETWORK, () => false)
    failures = []
    heard = []
  })

  it('says nothing while nobody listens; then who it is, signed, with a sequence that grows', async () => {
    const introductions = make()
    await introductions.lookOnce()
    assert.equal(gossip.published.length, 0)
    gossip.listeners = ['a']
    await introductions.lookOnce()
    nowMs += 30_000
    await introductions.lookOnce()
    const said = gossip.published.map((bytes) => capabilitiesCodec.decode(bytes))
    assert.deepEqual(
      said.map(({ sequence }) => sequence),
      [1_000_000n, 1_030_000n],
    )
    for (const { signature, sequence, ...rest } of said) {
      assert.deepEqual(rest, { ...OWN, peerId: PEER_ID })
      assert.ok(verifyCapabilities({ ...rest, sequence, signature }))
    }
  })

  it('a wall clock that is set does not make it speak at other times, nor say what others would take for old', async () => {
    const introductions = make()
    gossip.listeners = ['a']
    for (jumpMs of [0, -150_000, 150_000, -20_000]) {
      await introductions.lookOnce()
      const said = gossip.published.length
      nowMs += 29_999
      await introductions.lookOnce()
      assert.equal(gossip.published.length, said)
      nowMs += 1
    }
    const sequences = gossip.published.map((bytes) => capabilitiesCodec.decode(bytes).sequence)
    assert.equal(sequences.length, 4)
    assert.deepEqual(sequences, [...sequences].sort())
    assert.equal(new Set(sequences).size, sequences.length)
  })

  it('speaks every 30 s, and after 2 s to who did not hear it', async () => {
    const introductions = make()
    gossip.listeners = ['a']
    const timesOf = async (untilMs: number) => {
      const times: number[] = []
      for (const start = nowMs; nowMs - start < untilMs; nowMs += 500) {
        const before = gossip.published.length
        await introductions.lookOnce()
        if (gossip.published.length > before) times.push(nowMs - start)
      }
      return times
    }
    assert.deepEqual(await timesOf(61_000), [0, 30_000, 60_000])
    gossip.listeners = ['a', 'b']
    assert.deepEqual(await timesOf(31_000), [1_000])
    gossip.listeners = ['a', 'b', 'c']
    assert.deepEqual((await timesOf(3_000))[0], 0)
  })

  it('hostile peer: strangers that somebody makes up do not keep nodes of the registry from being heard', async () => {
    const registered = new Set<string>()
    bindings = new Bindings(NETWORK, (address) => registered.has(address))
    for (let i = 1; i <= 20 + 65; i++) {
      const peerId = PEER_ID.map((byte, at) => (at < 37 ? byte : i))
      const address = bindings.take(signSample({ peerId }, new Uint8Array(32).fill(i)), peerId)
      if (i <= 20) registered.add(address ?? assert.fail())
    }
    const introductions = make()
    gossip.listeners = ['a']
    const waitFor = async () => {
      const [said, fromMs] = [gossip.published.length, nowMs]
      for (; gossip.published.length === said; nowMs += 1_000) await introductions.lookOnce()
      nowMs -= 1_000
      return nowMs - fromMs
    }
    assert.equal(await waitFor(), 0)
    assert.equal(await waitFor(), (20 + 64 + 1) * 4_000)
    gossip.listeners = ['a', 'newcomer']
    assert.equal(await waitFor(), (20 + 64 + 1) * 1_000)
  })

  it('takes what others say of themselves, and refuses what they say of others', async () => {
    const introductions = make()
    const running = introductions.start()
    gossip.listeners = ['a']
    await introductions.lookOnce()
    const [bytes = new Uint8Array()] = gossip.published
    await assert.rejects(
      async () =>
        gossip.handler(
          bytes,
          PEER_ID.map((byte, i) => (i < 6 ? byte : byte ^ 1)),
          true,
        ),
      {
        code: 'PROTOCOL_BINDING_FOREIGN',
      },
    )
    assert.deepEqual(heard, [])
    await gossip.handler(bytes, PEER_ID, true)
    assert.equal(bindings.list()[0]?.address, readSigner(capabilitiesCodec.decode(bytes)))
    assert.deepEqual(heard, [readSigner(capabilitiesCodec.decode(bytes))])
    await assert.rejects(async () => gossip.handler(bytes, PEER_ID, true), { code: 'PROTOCOL_SEQUENCE_OLD' })
    await assert.rejects(async () => gossip.handler(bytes.subarray(1), PEER_ID, true), { code: /^PROTOCOL_/ })
    assert.equal(heard.length, 1)
    await introductions.stop()
    await running
  })

  it('goes on when the store fails, and ends with a bug', async () => {
    const failing = make(async () => {
      throw new ArchiveError('STORE_READ_FAILED', 'injected')
    })
    gossip.listeners = ['a']
    const running = failing.start()
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(
      failures.map(({ code }) => code),
      ['STORE_READ_FAILED'],
    )
    await failing.stop()
    await running
    const buggy = make(async () => {
      throw new TypeError('injected')
    })
    await assert.rejects(buggy.start(), TypeError)
    await buggy.stop()
  })
})
