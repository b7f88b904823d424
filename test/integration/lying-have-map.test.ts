import assert from 'node:assert/strict'
import { HASH_SLOTS } from '../../core/index.ts'
import {
  type AuditRequest,
  auditResponseCodec,
  MAX_CHUNK_ANSWER_BYTES,
  type StreamName,
} from '../../protocol-handler/index.ts'
import { createAuditService } from '../../storage-worker/peers/audit-service.ts'
import { createChunkService } from '../../storage-worker/peers/chunk-service.ts'
import { PeerClient } from '../../storage-worker/peers/peer-client.ts'
import { HaveMap } from '../../storage-worker/replication/have-map.ts'
import { createHaveService } from '../../storage-worker/replication/have-service.ts'
import { OwnHoldings } from '../../storage-worker/replication/own-holdings.ts'
import { StillClock } from '../clocks.ts'
import { closePeers, connect, openPeer, type Peer } from '../protocol-handler/open-peer.ts'
import { MadeArchive, NETWORK } from '../storage-worker/replication/made-archive.ts'
import { addressOf, seedOf } from '../storage-worker/replication/made-nodes.ts'
import { assertNothingGoes, CHUNKS, FINAL, OTHERS, setUp } from '../storage-worker/replication/pruned-world.ts'

const SLOTS = Array.from({ length: HASH_SLOTS }, (_, slot) => slot)

describe('hostile: lying have-maps, over real streams', () => {
  afterEach(closePeers)

  /** Signs that it holds all there is. */
  async function openLiar(name: string): Promise<Peer> {
    const liar = await openPeer(name)
    const clock = new StillClock()
    const holdings = new OwnHoldings(new MadeArchive().fill(0, FINAL), clock)
    const modules = {
      holdings,
      listSlots: () => SLOTS,
      clock,
      onFailure: (error: unknown) => assert.fail(String(error)),
    }
    const map = new HaveMap({ seed: seedOf(name), network: NETWORK }, modules)
    await map.look()
    await liar.node.serve('have', createHaveService(map))
    return liar
  }

  async function connectHolders(host: Peer): Promise<Map<string, Peer>> {
    const liars = new Map<string, Peer>()
    for (const name of OTHERS) {
      const liar = await openLiar(name)
      await connect(host, liar)
      liars.set(name, liar)
    }
    return liars
  }

  it('all holders say that they hold all and hold nothing: nobody prunes for it; what they do hold goes', async () => {
    const host = await openPeer('host')
    const made = await setUp(host.node)
    const liars = await connectHolders(host)
    const client = new PeerClient(host.node, (_, offence) => assert.fail(offence), { clock: new StillClock() })
    for (const [name, liar] of liars) {
      const map = await client.fetchHaveMap(liar.node.peer, addressOf(seedOf(name)), NETWORK)
      assert.ok(map.status === 'ok')
      assert.equal(map.value.flatMap(({ held }) => held).length, HASH_SLOTS)
    }
    const peerOf = (address: string): string | undefined => liars.get(address)?.node.peer
    const { store: whole } = await setUp()
    const { store: empty } = await setUp()
    for (const { period, index } of CHUNKS) await empty.dropChunks(period, [index])
    const honest = new Set<string>()
    for (const [name, liar] of liars) {
      const store = new Proxy(whole, {
        get: (_, key) => {
          const own = honest.has(name) ? whole : empty
          return Reflect.get(own, key).bind(own)
        },
      })
      await liar.node.serve('audit', createAuditService(store))
      await liar.node.serve('chunk', createChunkService(store))
    }
    await assertNothingGoes(made, 'unshown', made.open({ peerOf }))
    for (const name of OTHERS.slice(1)) honest.add(name)
    await assertNothingGoes(made, 'unshown', made.open({ peerOf }))
    for (const name of OTHERS) honest.add(name)
    await made.open({ peerOf }).look()
    assert.ok(made.world.dropped.length > 0)
  })

  it('holders that have nothing and ask us for what they are to show: nothing goes', async () => {
    const host = await openPeer('host')
    const made = await setUp(host.node)
    const places = await connectHolders(host)
    await host.node.serve('audit', createAuditService(made.store, made.withheld))
    await host.node.serve('chunk', createChunkService(made.store, { cacheBytes: 1_000_000, withheld: made.withheld }))
    let handedOn = 0
    const handOn = async (liar: Peer, name: StreamName, bytes: Uint8Array, maxAnswerBytes: number) => {
      handedOn++
      return await liar.node.request(host.node.peer, name, { bytes, maxAnswerBytes, frames: 1, deadlineMs: 10_000 })
    }
    for (const liar of places.values()) {
      const { maxBytes } = auditResponseCodec
      const audits = createAuditService(made.store)
      const answer = (request: AuditRequest) => handOn(liar, 'audit', audits.request.encode(request), maxBytes)
      await liar.node.serve('audit', { ...audits, answer })
      const chunks = createChunkService(made.store)
      await liar.node.serve('chunk', {
        ...chunks,
        answer: (request) => handOn(liar, 'chunk', chunks.request.encode(request), MAX_CHUNK_ANSWER_BYTES),
      })
    }
    await assertNothingGoes(made, 'unshown', made.open({ peerOf: (name) => places.get(name)?.node.peer }))
    assert.ok(handedOn > 0)
  })
})
