import assert from 'node:assert/strict'
import { sha256 } from '#crypto'
import { ArchiveError, type StoreIdentity, toHex } from '../../core/index.ts'
import { systemClock } from '../../daemon/system-clock.ts'
import { auditRequestCodec, auditResponseCodec } from '../../protocol-handler/index.ts'
import { PeerLimits } from '../../protocol-handler/peer-limits.ts'
import { PeerNode } from '../../protocol-handler/peer-node.ts'
import { type Offence, PeerScores } from '../../protocol-handler/peer-scores.ts'
import type { StreamService } from '../../protocol-handler/serve-stream.ts'
import { WorkQueue } from '../../protocol-handler/work-queue.ts'

const IDENTITY: StoreIdentity = {
  network: { chainId: 77n, genesisTimestampMs: 1_795_246_964_000n },
  chunkSizeBytes: 1_048_576,
}
const DEADLINE_MS = 5_000
const CHUNK_ID = sha256(new TextEncoder().encode('chunk'))

type AuditRequest = ReturnType<typeof auditRequestCodec.decode>

interface Peer {
  readonly node: PeerNode
  readonly scores: PeerScores
  readonly offences: [string, Offence][]
  readonly failures: unknown[]
}

const opened: PeerNode[] = []

async function openPeer(
  name: string,
  options: { requestsPerSecond?: number; identity?: StoreIdentity } = {},
): Promise<Peer> {
  const scores = new PeerScores(systemClock)
  const offences: [string, Offence][] = []
  const failures: unknown[] = []
  const share = { requestsPerSecond: options.requestsPerSecond ?? 1_000, bytesPerSecond: 1e9, openStreams: 8 }
  const node = await PeerNode.start(
    {
      identity: options.identity ?? IDENTITY,
      seed: sha256(new TextEncoder().encode(name)),
      listen: ['/ip4/127.0.0.1/tcp/0'],
      maxConnections: 50,
      mdns: false,
    },
    {
      scores,
      limits: new PeerLimits(share, systemClock),
      queue: new WorkQueue({ concurrency: 4, capacity: 100 }),
      onOffence: (peer, offence) => {
        offences.push([peer, offence])
        scores.onOffence(peer, offence)
      },
      onFailure: (error) => failures.push(error),
    },
  )
  opened.push(node)
  return { node, scores, offences, failures }
}

/** Answers every audit with the index that was asked for. */
function echoAudits(): StreamService<AuditRequest> {
  return {
    request: auditRequestCodec,
    priorityOf: () => 'read',
    answer: async ({ leafIndex }) => [
      auditResponseCodec.encode({
        status: 'ok',
        leafIndex,
        byteLength: 1_048_576,
        treeRoot: CHUNK_ID,
        leaf: new Uint8Array(1_024).fill(leafIndex),
        path: Array.from({ length: 10 }, () => CHUNK_ID),
      }),
    ],
    refuse: (_, status) => [auditResponseCodec.encode({ status })],
  }
}

async function ask(from: Peer, to: Peer, leafIndex: number) {
  const [frame] = await from.node.request(to.node.peer, 'audit', {
    bytes: auditRequestCodec.encode({ chunkId: CHUNK_ID, leafIndex }),
    maxAnswerBytes: auditResponseCodec.maxBytes,
    frames: 1,
    deadlineMs: DEADLINE_MS,
  })
  assert.ok(frame)
  return auditResponseCodec.decode(frame)
}

async function connect(from: Peer, to: Peer): Promise<void> {
  assert.equal(await from.node.dial(to.node.addresses[0] ?? ''), to.node.peer)
}

async function until(isOver: () => boolean): Promise<void> {
  const limit = Date.now() + 10_000
  while (!isOver()) {
    assert.ok(Date.now() < limit, 'not within 10 s')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

describe('protocol-handler/peer-node over loopback', () => {
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((node) => node.stop()))
  })

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
    const [a, b] = [await openPeer('a'), await openPeer('b', { requestsPerSecond: 1 })]
    await b.node.serve('audit', echoAudits())
    await connect(a, b)
    const answers: string[] = []
    for (let i = 0; i < 8; i++) answers.push((await ask(a, b, i)).status)
    assert.deepEqual(answers.slice(0, 5), ['ok', 'ok', 'ok', 'ok', 'ok'])
    assert.ok(answers.includes('busy'), answers.join(' '))
  })

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

  it('hostile: an answer longer than its kind allows is refused, no byte of it kept', async () => {
    const [a, b] = [await openPeer('a'), await openPeer('b')]
    await b.node.serve('audit', { ...echoAudits(), answer: async () => [new Uint8Array(1_000_000)] })
    await connect(a, b)
    await assert.rejects(ask(a, b, 1), { code: 'PROTOCOL_MESSAGE_INVALID' })
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

  it('a banned peer is not let in', async () => {
    const [a, b] = [await openPeer('a'), await openPeer('b')]
    b.scores.ban(a.node.peer, 60_000)
    await a.node.dial(b.node.addresses[0] ?? '').catch(() => undefined)
    await assert.rejects(ask(a, b, 1), { code: 'PROTOCOL_PEER_UNREACHABLE' })
    assert.deepEqual(b.node.peers, [])
  })

  it('foreign network: its streams are not spoken', async () => {
    const foreign = { ...IDENTITY, network: { ...IDENTITY.network, chainId: 78n } }
    const [a, b] = [await openPeer('a'), await openPeer('b', { identity: foreign })]
    await b.node.serve('audit', echoAudits())
    await connect(a, b)
    await assert.rejects(ask(a, b, 1), { code: 'PROTOCOL_PEER_UNREACHABLE' })
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
    await until(() => a.node.subscribersOf('announce').length === 1 && b.node.subscribersOf('announce').length === 2)
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
})
