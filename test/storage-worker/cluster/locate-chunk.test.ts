import assert from 'node:assert/strict'
import { ArchiveError, type ErrorCode, formatChunkId, isArchiveError, toHex } from '../../../core/index.ts'
import { type LocateModules, locateChunk } from '../../../storage-worker/cluster/locate-chunk.ts'
import { LevelChunkStore } from '../../../storage-worker/index.ts'
import { makePeriod, TEST_IDENTITY } from '../synthetic-period.ts'
import { openMemoryLevel } from '../temp-store.ts'

type Said = 'ok' | 'notHeld' | 'busy' | 'refused' | ErrorCode

describe('storage-worker/cluster/locate-chunk', () => {
  let store: LevelChunkStore
  const period = makePeriod(4, { blocks: 2, operations: 9 })
  const chunk = period.manifest.chunks[0]
  assert.ok(chunk)
  const id = formatChunkId(chunk.chunkId)

  before(async () => {
    const levels = { bodies: await openMemoryLevel('bodies'), index: await openMemoryLevel('index') }
    store = new LevelChunkStore(TEST_IDENTITY, levels)
    await store.writePeriod(period)
  })

  function locate(
    idHex: string,
    options: {
      readonly holders?: readonly string[]
      /** By address; without one by peer. */
      readonly says?: Readonly<Record<string, Said>>
      readonly strangers?: Readonly<Record<string, Said>>
      readonly recent?: readonly string[]
      readonly store?: LocateModules['store']
      readonly doubtOf?: LocateModules['doubtOf']
    } = {},
  ) {
    const { holders, recent = [], says = {}, strangers = {}, doubtOf = () => undefined } = options
    const asked: { peer: string; chunkId: string; leafIndex: number }[] = []
    let nowMs = 0
    const found = locateChunk(
      { idHex, own: 'AU1' },
      {
        store: options.store ?? store,
        client: {
          audit: async (peer, chunkId, leafIndex) => {
            asked.push({ peer, chunkId: toHex(chunkId), leafIndex })
            const said = says[peer.slice(5)] ?? strangers[peer] ?? assert.fail(peer)
            if (said === 'ok') return { status: 'ok', value: true }
            if (said === 'notHeld' || said === 'busy' || said === 'refused') return { status: said }
            throw new ArchiveError(said, 'made')
          },
        },
        table: holders && {
          era: 3,
          holdersOf: () => ({
            hashSlot: 0,
            clustered: false,
            holders: holders.map((address) => ({ address, placementGb: 1n, pass: 1 })),
          }),
          recentOfSlot: (_, age = 0) =>
            recent.map((address) => ({ address, placementGb: 1n, retentionPeriods: BigInt(age + 1) })),
        },
        listConnected: () => [
          ...Object.keys(says).map((address) => ({ peer: `peer ${address}`, address })),
          ...Object.keys(strangers).map((peer) => ({ peer, address: undefined })),
        ],
        doubtOf,
        clock: { monotonicMs: () => nowMs++ },
        random: (max) => max - 1,
      },
    )
    return { found, asked }
  }

  it('asks each connected node and this disk for one leaf that was drawn, holders first in their order', async () => {
    const { found, asked } = locate(id.slice(0, 8), {
      holders: ['AU9', 'AU1', 'AU3'],
      says: { AU2: 'notHeld', AU3: 'ok', AU4: 'ok' },
      strangers: { P5: 'busy' },
    })
    const located = await found
    assert.ok(located)
    const leaves = Math.ceil(chunk.byteLength / 1_024)
    assert.ok(leaves > 1)
    assert.deepEqual(
      asked.map(({ chunkId, leafIndex }) => [chunkId, leafIndex]),
      Array.from({ length: 4 }, () => [id, leaves - 1]),
    )
    assert.deepEqual(
      located.nodes.map(({ address, peer, assigned, result, isOwn }) => [address, peer, assigned, result, isOwn]),
      [
        ['AU9', null, 'primary', 'notConnected', false],
        ['AU1', null, 'replica', 'shown', true],
        ['AU3', 'peer AU3', 'replica', 'shown', false],
        ['AU4', 'peer AU4', null, 'shown', false],
        ['AU2', 'peer AU2', null, 'notHeld', false],
        [null, 'P5', null, 'busy', false],
      ],
    )
    assert.deepEqual(located.place, { period: 4, index: 0, bytes: chunk.byteLength })
    assert.deepEqual([located.chunkId, located.era, located.leafIndex], [id, 3, leaves - 1])
    const [away, here] = located.nodes
    assert.equal(away?.durationMs, null)
    assert.ok((here?.durationMs ?? 0) > 0)
  })

  it('names whoever holds it while it is new behind those that count', async () => {
    const says = { AU2: 'ok', AU3: 'ok' } as const
    for (const holders of [['AU3'], []]) {
      const located = await locate(id, { holders, recent: ['AU2', 'AU4'], says }).found
      assert.deepEqual(
        located?.nodes.map(({ address, assigned }) => [address, assigned]),
        [
          ...holders.map((address) => [address, 'primary']),
          ['AU2', 'replica'],
          ['AU4', 'replica'],
          ['AU1', null],
          ...(holders.length === 0 ? [['AU3', null]] : []),
        ],
      )
    }
  })

  it('tells a wrong answer from none', async () => {
    const says = {
      AU2: 'PROTOCOL_ANSWER_WRONG',
      AU3: 'PROTOCOL_MESSAGE_INVALID',
      AU4: 'PROTOCOL_PEER_UNREACHABLE',
      AU5: 'refused',
    } as const
    const located = await locate(id, { says }).found
    assert.deepEqual(Object.fromEntries(located?.nodes.map(({ address, result }) => [address, result]) ?? []), {
      AU1: 'shown',
      AU2: 'wrong',
      AU3: 'wrong',
      AU4: 'noAnswer',
      AU5: 'refused',
    })
    assert.deepEqual([located?.era, located?.nodes[0]?.assigned], [null, null])
  })

  it('looks for a chunk that is not here by its whole id, and asks for its first leaf', async () => {
    const { found, asked } = locate('ab'.repeat(32), { holders: ['AU2'], says: { AU2: 'ok' } })
    const located = await found
    assert.deepEqual(asked, [{ peer: 'peer AU2', chunkId: 'ab'.repeat(32), leafIndex: 0 }])
    assert.deepEqual(
      located?.nodes.map(({ address, assigned, result }) => [address, assigned, result]),
      [
        ['AU2', 'primary', 'shown'],
        ['AU1', null, 'notHeld'],
      ],
    )
    assert.equal(located?.place, null)
  })

  it('says of whom what they say does not count, of this hash slot and era, whatever they show', async () => {
    const asked: unknown[][] = []
    const doubtOf = (...place: [string, number, number]) => {
      asked.push(place)
      return place[0] === 'AU2' ? 'unshown' : place[0] === 'AU9' ? 'otherRoots' : undefined
    }
    const located = await locate(id, { holders: ['AU9', 'AU3'], says: { AU2: 'ok', AU3: 'ok' }, doubtOf }).found
    assert.deepEqual(Object.fromEntries(located?.nodes.map(({ address, doubt }) => [address, doubt]) ?? []), {
      AU1: null,
      AU2: 'unshown',
      AU3: null,
      AU9: 'otherRoots',
    })
    for (const [, hashSlot, era] of asked) assert.deepEqual([hashSlot, era], [located?.hashSlot, 0])
  })

  it('a damaged chunk here is wrong', async () => {
    const damaged: LocateModules['store'] = {
      readRange: async () => undefined,
      findChunks: (prefixHex, limit) => store.findChunks(prefixHex, limit),
      readManifest: (number) => store.readManifest(number),
      readChunk: () => Promise.reject(new ArchiveError('STORE_VALUE_CORRUPT', 'made')),
    }
    assert.equal((await locate(id, { store: damaged }).found)?.nodes[0]?.result, 'wrong')
  })

  it('error: a beginning that is not of this archive, too short, or of several chunks', async () => {
    const { found, asked } = locate('abcdef', { says: { AU2: 'ok' } })
    assert.equal(await found, undefined)
    assert.deepEqual(asked, [])
    const place = { chunkId: chunk.chunkId, period: 4, index: 0 }
    const twice: LocateModules['store'] = {
      readRange: async () => undefined,
      findChunks: async () => [place, place],
      readManifest: (number) => store.readManifest(number),
      readChunk: (number, index) => store.readChunk(number, index),
    }
    for (const attempt of [
      locate('abcde'),
      locate('ABCDEF'),
      locate(`${id}0`),
      locate(id.slice(0, 8), { store: twice }),
    ]) {
      await assert.rejects(attempt.found, (error) => isArchiveError(error, 'CORE_BYTES_INVALID'))
    }
  })
})
