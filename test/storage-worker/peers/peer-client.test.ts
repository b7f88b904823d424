import assert from 'node:assert/strict'
import {
  CHUNK_SIZE_BYTES,
  type ChunkStore,
  computeChunkId,
  computeLeafHash,
  computePeriodRoot,
  computeTreeRoot,
  isArchiveError,
  toHex,
} from '../../../core/index.ts'
import {
  type AuditResponse,
  auditResponseCodec,
  type ChunkResponse,
  chunkRequestCodec,
  chunkResponseCodec,
  computeRootOfChunks,
  type Frame,
  type ManifestResponse,
  manifestRequestCodec,
  manifestResponseCodec,
  type Offence,
  type StreamService,
  sealsResponseCodec,
  type WireCodec,
} from '../../../protocol-handler/index.ts'
import { createAuditService } from '../../../storage-worker/peers/audit-service.ts'
import { createChunkService } from '../../../storage-worker/peers/chunk-service.ts'
import { createManifestService } from '../../../storage-worker/peers/manifest-service.ts'
import { PeerClient, type Requester } from '../../../storage-worker/peers/peer-client.ts'
import { WithheldChunks } from '../../../storage-worker/replication/withheld-chunks.ts'
import { StillClock } from '../../clocks.ts'
import { joinFrame } from '../../join-frame.ts'
import { makePeriod, TEST_IDENTITY } from '../synthetic-period.ts'
import { openTestStore, TempFolders } from '../temp-store.ts'

const LARGE = makePeriod(5, { blocks: 5, operations: 4, operationBytes: 900 })
const SMALL = makePeriod(6, { blocks: 1, operations: 0 })

type Tamper<A> = (answer: A) => A

describe('storage-worker/peers', () => {
  const folders = new TempFolders()
  const withheld = new WithheldChunks()
  let services: Record<string, StreamService<unknown, Frame>>
  let close: () => Promise<void>

  before(async () => {
    const store = await openTestStore(await folders.make())
    close = () => store.close()
    await store.chunks.writePeriod(LARGE)
    await store.chunks.writePeriod(SMALL)
    services = {
      chunk: createChunkService(store.chunks, { cacheBytes: 1_000_000, withheld }) as StreamService<unknown, Frame>,
      manifest: createManifestService(store.chunks) as StreamService<unknown>,
      audit: createAuditService(store.chunks, withheld) as StreamService<unknown>,
    }
  })
  after(async () => {
    await close()
    await folders.clean()
  })

  /** A client whose peer answers from the store, after `tamper`, without a network. */
  function open(tamper: (frame: Uint8Array) => Uint8Array = (frame) => frame) {
    const offences: Offence[] = []
    const network: Requester = {
      request: async (peer, name, { bytes, maxAnswerBytes }) => {
        const service = services[name]
        assert.ok(service)
        const frames = (await service.answer(service.request.decode(bytes), peer)).map(joinFrame)
        for (const frame of frames) assert.ok(frame.length <= maxAnswerBytes)
        return frames.map(tamper)
      },
    }
    return {
      client: new PeerClient(network, (_, offence) => offences.push(offence), { clock: new StillClock() }),
      offences,
    }
  }

  function tampered<A>(codec: WireCodec<A>, tamper: Tamper<A>) {
    return open((frame) => codec.encode(tamper(codec.decode(frame))))
  }

  const [first] = LARGE.manifest.chunks
  assert.ok(first)
  const root = computePeriodRoot(LARGE.manifest)
  const { length } = LARGE.seals

  it('a chunk comes as it is stored, with the path that leads to its period', async () => {
    const { client, offences } = open()
    assert.ok(LARGE.chunks.length > 3)
    const ids = LARGE.manifest.chunks.map(({ chunkId }) => chunkId)
    const treeRoot = computeTreeRoot(ids.map(computeLeafHash))
    for (const [i, chunkId] of ids.entries()) {
      const fetched = await client.fetchChunk('peer', chunkId)
      assert.ok(fetched.status === 'ok')
      assert.deepEqual([fetched.value.chunkId, fetched.value.bytes], [chunkId, LARGE.chunks[i]])
      const [frame = new Uint8Array()] = (await services.chunk?.answer({ wanted: 'chunk', chunkId }, 'peer')) ?? []
      const answer = chunkResponseCodec.decode(joinFrame(frame))
      assert.ok(answer.status === 'ok')
      assert.equal(toHex(computeRootOfChunks(chunkId, answer.position)), toHex(treeRoot))
      assert.equal(answer.position.period, 5)
    }
    assert.deepEqual(offences, [])
  })

  it('wrong chunk: bytes that do not hash to the id are refused, and the peer pays at once', async () => {
    const other = SMALL.chunks[0] ?? new Uint8Array()
    const lies: Tamper<ChunkResponse>[] = [
      (answer) => (answer.status === 'ok' ? { ...answer, data: other } : answer),
      (answer) => (answer.status === 'ok' ? { ...answer, data: answer.data.subarray(1) } : answer),
      (answer) =>
        answer.status === 'ok' ? { ...answer, data: answer.data.map((byte, i) => (i ? byte : byte ^ 1)) } : answer,
    ]
    for (const lie of lies) {
      const { client, offences } = tampered(chunkResponseCodec, lie)
      await assert.rejects(client.fetchChunk('peer', first.chunkId), { code: 'PROTOCOL_ANSWER_WRONG' })
      assert.deepEqual(offences, ['wrongChunk'])
    }
  })

  it('a chunk of 256 KiB is hashed elsewhere, a smaller one here; a wrong one costs the peer', async () => {
    for (const [byteLength, elsewhere] of [
      [262_144, 1],
      [262_143, 0],
    ] as const) {
      const data = Uint8Array.from({ length: byteLength }, (_, i) => i % 251)
      const position = { period: 5, index: 0, chunkCount: 1, path: [] }
      const network: Requester = {
        request: async () => [chunkResponseCodec.encode({ status: 'ok', position, data })],
      }
      const offences: Offence[] = []
      const hashed: number[] = []
      const client = new PeerClient(network, (_, offence) => offences.push(offence), {
        clock: new StillClock(),
        identify: async (bytes) => {
          hashed.push(bytes.length)
          return { chunk: bytes, chunkId: computeChunkId(bytes) }
        },
      })
      const fetched = await client.fetchChunk('peer', computeChunkId(data))
      assert.ok(fetched.status === 'ok')
      assert.deepEqual(fetched.value.bytes, data)
      assert.deepEqual(offences, [])
      await assert.rejects(client.fetchChunk('peer', first.chunkId), { code: 'PROTOCOL_ANSWER_WRONG' })
      assert.deepEqual(offences, ['wrongChunk'])
      assert.equal(hashed.length, 2 * elsewhere)
    }
  })

  it('what is not held is said to be, and is no offence', async () => {
    const { client, offences } = open()
    const absent = computeChunkId(Uint8Array.of(1))
    assert.deepEqual(await client.fetchChunk('peer', absent), { status: 'notHeld' })
    assert.deepEqual(await client.fetchSeals('peer', absent, length), { status: 'notHeld' })
    assert.deepEqual(await client.audit('peer', absent, 0), { status: 'notHeld' })
    const missing = await client.fetchManifest('peer', 7, root, TEST_IDENTITY.network)
    assert.deepEqual(missing, { status: 'notHeld' })
    assert.deepEqual(offences, [])
  })

  it('SEALS come whole, for chunk 0 alone, and not past their end', async () => {
    const { client } = open()
    assert.deepEqual(await client.fetchSeals('peer', first.chunkId, length), { status: 'ok', value: LARGE.seals })
    const second = LARGE.manifest.chunks[1]?.chunkId ?? first.chunkId
    assert.deepEqual(await client.fetchSeals('peer', second, length), { status: 'notHeld' })
    const past = { wanted: 'seals', chunkId: first.chunkId, offset: LARGE.seals.length }
    const [frame = new Uint8Array()] = (await services.chunk?.answer(past, 'peer')) ?? []
    assert.deepEqual(sealsResponseCodec.decode(joinFrame(frame)), { status: 'refused' })
  })

  it('endless SEALS: a length that no period has, or that changes, is refused before it is allocated', async () => {
    const endless = tampered(sealsResponseCodec, (answer) =>
      answer.status === 'ok' ? { ...answer, totalBytes: 4_000_000_000 } : answer,
    )
    await assert.rejects(endless.client.fetchSeals('peer', first.chunkId, length), { code: 'PROTOCOL_ANSWER_WRONG' })
    const shifted = tampered(sealsResponseCodec, (answer) =>
      answer.status === 'ok' ? { ...answer, offset: 1, totalBytes: answer.totalBytes + 1 } : answer,
    )
    await assert.rejects(shifted.client.fetchSeals('peer', first.chunkId, length), { code: 'PROTOCOL_ANSWER_WRONG' })
    assert.deepEqual([...endless.offences, ...shifted.offences], ['reject', 'reject'])
  })

  it('hostile peer: SEALS in more parts than they need cost it at the first one', async () => {
    let asked = 0
    const offences: Offence[] = []
    const request = async (_peer: string, _name: string, { bytes }: { bytes: Uint8Array }): Promise<Uint8Array[]> => {
      const wanted = chunkRequestCodec.decode(bytes)
      if (++asked > 10) throw new Error('enough')
      const offset = wanted.wanted === 'seals' ? wanted.offset : 0
      return [sealsResponseCodec.encode({ status: 'ok', totalBytes: 1_000, offset, part: new Uint8Array(1) })]
    }
    const client = new PeerClient({ request }, (_, offence) => offences.push(offence), { clock: new StillClock() })
    await assert.rejects(client.fetchSeals('peer', first.chunkId, 1_000), { code: 'PROTOCOL_ANSWER_WRONG' })
    assert.deepEqual([asked, offences], [1, ['reject']])
  })

  it('hostile peer: SEALS that change their length from part to part cost it', async () => {
    const offences: Offence[] = []
    const part = new Uint8Array(CHUNK_SIZE_BYTES)
    let offset = -part.length
    const request = async (): Promise<Uint8Array[]> => {
      offset += part.length
      return [sealsResponseCodec.encode({ status: 'ok', totalBytes: 2 * part.length + offset, offset, part })]
    }
    const client = new PeerClient({ request }, (_, offence) => offences.push(offence), { clock: new StillClock() })
    const wanted = client.fetchSeals('peer', first.chunkId, 2 * part.length)
    await assert.rejects(wanted, { code: 'PROTOCOL_ANSWER_WRONG' })
    assert.deepEqual(offences, ['reject'])
  })

  it('SEALS of another length than is wanted are not waited for', async () => {
    const { client, offences } = open()
    const others = await client.fetchSeals('peer', first.chunkId, length - 64)
    assert.deepEqual(others, { status: 'ok', value: undefined })
    assert.deepEqual(offences, [])
  })

  it('slow peer: all parts of SEALS together have a minute, however long each of them takes', async () => {
    const totalBytes = 4 * CHUNK_SIZE_BYTES
    const part = new Uint8Array(CHUNK_SIZE_BYTES)
    for (const [partMs, status, deadlines] of [
      [15_000, 'ok', [30_000, 30_000, 30_000, 15_000]],
      [20_000, 'late', [30_000, 30_000, 20_000]],
    ] as const) {
      const clock = new StillClock()
      const given: number[] = []
      const request: Requester['request'] = async (_peer, _name, { deadlineMs }) => {
        const offset = CHUNK_SIZE_BYTES * (given.push(deadlineMs) - 1)
        clock.advance(partMs)
        return [sealsResponseCodec.encode({ status: 'ok', totalBytes, offset, part })]
      }
      const client = new PeerClient({ request }, assert.fail, { clock })
      const fetched: unknown = await client.fetchSeals('peer', first.chunkId, totalBytes).then(
        (answer) => answer.status,
        (error: unknown) => (isArchiveError(error, 'PROTOCOL_PEER_UNREACHABLE') ? 'late' : error),
      )
      assert.deepEqual([fetched, given], [status, deadlines])
    }
  })

  it('of manifests that do not fit into one answer the rest is asked for again', async () => {
    // As of a private network with small chunks: 576 kB each.
    const chunks = Array.from({ length: 16_000 }, () => first)
    const many = [5, 6].map((period) => ({ ...LARGE.manifest, period, chunks }))
    const store = { readManifest: async (period: number) => many.find((one) => one.period === period) }
    const service = createManifestService(store as unknown as ChunkStore)
    let asked = 0
    const request = async (_peer: string, _name: string, { bytes }: { bytes: Uint8Array }): Promise<Uint8Array[]> => {
      asked++
      return (await service.answer(manifestRequestCodec.decode(bytes), 'peer')).map(joinFrame)
    }
    const client = new PeerClient({ request }, assert.fail, { clock: new StillClock() })
    const range = { firstPeriod: 5, periodCount: 2, maxChunks: 16_000 }
    const answer = await client.fetchManifests('peer', range, TEST_IDENTITY.network)
    assert.deepEqual(answer.status === 'ok' && answer.value.map((one) => one?.chunks.length), [16_000, 16_000])
    assert.equal(asked, 2)
  })

  it('hostile peer: manifests one by one where many fit cost it at the first one', async () => {
    const range = { firstPeriod: 5, periodCount: 2, maxChunks: 10 }
    const honest = open()
    assert.equal((await honest.client.fetchManifests('peer', range, LARGE.manifest.network)).status, 'ok')
    const { client, offences } = tampered(manifestResponseCodec, (answer) =>
      answer.status === 'ok' ? { ...answer, items: answer.items.slice(0, 1) } : answer,
    )
    await assert.rejects(client.fetchManifests('peer', range, LARGE.manifest.network), {
      code: 'PROTOCOL_ANSWER_WRONG',
    })
    assert.deepEqual(offences, ['reject'])
  })

  it('a manifest is taken when it has the root that is known, and no other', async () => {
    const { client } = open()
    const fetched = await client.fetchManifest('peer', 5, root, TEST_IDENTITY.network)
    assert.deepEqual(fetched, { status: 'ok', value: LARGE.manifest })
    const otherRoot = computePeriodRoot(SMALL.manifest)
    const wrong = client.fetchManifest('peer', 5, otherRoot, TEST_IDENTITY.network)
    await assert.rejects(wrong, { code: 'PROTOCOL_ANSWER_WRONG' })
    const lies: Tamper<ManifestResponse>[] = [
      (answer) => (answer.status === 'ok' ? { ...answer, firstPeriod: 6 } : answer),
      (answer) => (answer.status === 'ok' ? { ...answer, items: [...answer.items, undefined] } : answer),
      (answer) => (answer.status === 'ok' ? { ...answer, items: [Uint8Array.of(1, 2, 3)] } : answer),
    ]
    for (const lie of lies) {
      const liar = tampered(manifestResponseCodec, lie)
      const asked = liar.client.fetchManifest('peer', 5, root, TEST_IDENTITY.network)
      await assert.rejects(asked, { code: 'PROTOCOL_ANSWER_WRONG' })
      assert.deepEqual(liar.offences, ['reject'])
    }
  })

  it('manifests and roots come by range, with gaps where nothing is held', async () => {
    const ask = async (request: object) => {
      const [frame = new Uint8Array()] = (await services.manifest?.answer(request, 'peer')) ?? []
      return manifestResponseCodec.decode(joinFrame(frame))
    }
    const roots = await ask({ wanted: 'roots', firstPeriod: 4, periodCount: 4 })
    assert.deepEqual(roots, {
      status: 'ok',
      wanted: 'roots',
      firstPeriod: 4,
      items: [undefined, root, computePeriodRoot(SMALL.manifest), undefined],
    })
  })

  it('manifests come unverified by range, undefined where nothing is held, and no other than those', async () => {
    const { client, offences } = open()
    const ask = (range: { firstPeriod: number; periodCount: number }, by = client, maxChunks = 100) =>
      by.fetchManifests('peer', { ...range, maxChunks }, TEST_IDENTITY.network)
    const found = [undefined, LARGE.manifest, SMALL.manifest, undefined]
    assert.deepEqual(await ask({ firstPeriod: 4, periodCount: 4 }), { status: 'ok', value: found })
    assert.deepEqual(await ask({ firstPeriod: 7, periodCount: 2 }), { status: 'notHeld' })
    assert.deepEqual(offences, [])
    const chunks = LARGE.manifest.chunks.length
    assert.equal((await ask({ firstPeriod: 5, periodCount: 1 }, client, chunks)).status, 'ok')
    const lies: Tamper<ManifestResponse>[] = [
      (answer) => ({ ...answer, firstPeriod: 4 }),
      (answer) => (answer.status === 'ok' ? { ...answer, items: answer.items.toReversed() } : answer),
      (answer) => (answer.status === 'ok' ? { ...answer, items: [...answer.items, undefined] } : answer),
      (answer) => (answer.status === 'ok' ? { ...answer, items: [Uint8Array.of(1)] } : answer),
      (answer) => (answer.status === 'ok' ? { ...answer, wanted: 'roots', items: [root] } : answer),
    ]
    for (const lie of lies) {
      const liar = tampered(manifestResponseCodec, lie)
      await assert.rejects(ask({ firstPeriod: 5, periodCount: 2 }, liar.client), { code: 'PROTOCOL_ANSWER_WRONG' })
      assert.deepEqual(liar.offences, ['reject'])
    }
    await assert.rejects(ask({ firstPeriod: 5, periodCount: 1 }, client, chunks - 1), { code: 'PROTOCOL_ANSWER_WRONG' })
    assert.deepEqual(offences, ['reject'])
  })

  it('an audit shows any leaf, and no lie about one passes', async () => {
    const { client } = open()
    const leaves = Math.ceil(first.byteLength / 1024)
    for (let index = 0; index < leaves; index++) {
      assert.deepEqual(await client.audit('peer', first.chunkId, index), { status: 'ok', value: true })
    }
    const flip = (bytes: Uint8Array) => bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte))
    const lies: Tamper<AuditResponse>[] = [
      (answer) => (answer.status === 'ok' ? { ...answer, leaf: flip(answer.leaf) } : answer),
      (answer) => (answer.status === 'ok' ? { ...answer, treeRoot: flip(answer.treeRoot) } : answer),
      (answer) => (answer.status === 'ok' ? { ...answer, path: answer.path.map(flip) } : answer),
      (answer) => (answer.status === 'ok' ? { ...answer, leafIndex: answer.leafIndex ^ 1 } : answer),
    ]
    for (const lie of lies) {
      const liar = tampered(auditResponseCodec, lie)
      await assert.rejects(liar.client.audit('peer', first.chunkId, 1), { code: 'PROTOCOL_ANSWER_WRONG' })
      assert.deepEqual(liar.offences, ['reject'])
    }
  })

  it('a leaf behind the end of a chunk, of which a manifest says too much: one within it is shown instead', async () => {
    const leaves = Math.ceil(first.byteLength / 1024)
    const shown: number[] = []
    const { client, offences } = tampered(auditResponseCodec, (answer) => {
      if (answer.status === 'ok') shown.push(answer.leafIndex)
      return answer
    })
    assert.deepEqual(await client.audit('peer', first.chunkId, 3 * leaves + 2), { status: 'ok', value: true })
    // The first proves the length.
    assert.deepEqual([shown, offences], [[0, 2], []])
    const refuse: Tamper<AuditResponse> = (answer) =>
      answer.status === 'ok' && answer.leafIndex > 0 ? { status: 'refused' } : answer
    const refusing = tampered(auditResponseCodec, refuse)
    for (const index of [2, leaves + 2]) {
      assert.deepEqual(await refusing.client.audit('peer', first.chunkId, index), { status: 'refused' })
    }
  })

  it('a chunk that is withheld is not given, nor a leaf of it, nor SEALS with chunk 0; and is again', async () => {
    const { client, offences } = open()
    const fetchAll = async () => {
      const answers = [
        await client.fetchChunk('peer', first.chunkId),
        await client.audit('peer', first.chunkId, 0),
        await client.fetchSeals('peer', first.chunkId, length),
      ]
      return answers.map(({ status }) => status)
    }
    assert.deepEqual(await fetchAll(), ['ok', 'ok', 'ok'])
    const meanwhile = await withheld.during({ period: 5, index: 0 }, fetchAll)
    assert.deepEqual(meanwhile, ['notHeld', 'notHeld', 'notHeld'])
    assert.deepEqual(await withheld.during({ period: 5, index: 1 }, fetchAll), ['ok', 'ok', 'ok'])
    assert.deepEqual([await fetchAll(), offences], [['ok', 'ok', 'ok'], []])
  })

  it('period roots of a range come all or not at all; another range costs the peer', async () => {
    const roots = [LARGE, SMALL].map(({ manifest }) => computePeriodRoot(manifest))
    assert.deepEqual(await open().client.fetchRoots('peer', 5, 2), { status: 'ok', value: roots })
    assert.deepEqual(await open().client.fetchRoots('peer', 5, 3), { status: 'notHeld' })
    assert.deepEqual(await open().client.fetchRoots('peer', 50, 3), { status: 'notHeld' })
    const tampers: Tamper<ManifestResponse>[] = [
      (answer) => (answer.status === 'ok' ? { ...answer, firstPeriod: 4 } : answer),
      (answer) => (answer.status === 'ok' ? { ...answer, items: answer.items.slice(1) } : answer),
      (answer) => (answer.status === 'ok' ? { ...answer, wanted: 'manifests' } : answer),
    ]
    for (const tamper of tampers) {
      const { client, offences } = tampered(manifestResponseCodec, tamper)
      await assert.rejects(client.fetchRoots('peer', 5, 2), { code: 'PROTOCOL_ANSWER_WRONG' })
      assert.deepEqual(offences, ['reject'])
    }
  })

  it('the length of a chunk is proven by its id; another length costs the peer', async () => {
    const { chunkId, byteLength } = first
    assert.deepEqual(await open().client.fetchChunkLength('peer', chunkId), { status: 'ok', value: byteLength })
    assert.deepEqual(await open().client.fetchChunkLength('peer', new Uint8Array(32)), { status: 'notHeld' })
    const { client, offences } = tampered<AuditResponse>(auditResponseCodec, (answer) =>
      answer.status === 'ok' ? { ...answer, byteLength: answer.byteLength - 1 } : answer,
    )
    await assert.rejects(client.fetchChunkLength('peer', chunkId), { code: 'PROTOCOL_ANSWER_WRONG' })
    assert.deepEqual(offences, ['reject'])
  })
})
