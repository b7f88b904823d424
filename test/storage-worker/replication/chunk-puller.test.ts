import assert from 'node:assert/strict'
import {
  type ArchivedPeriod,
  ArchiveError,
  type ChunkStore,
  computeHashSlot,
  toHex,
  withLastLength,
} from '../../../core/index.ts'
import { chunkResponseCodec, sealsResponseCodec } from '../../../protocol-handler/index.ts'
import { PeerClient } from '../../../storage-worker/peers/peer-client.ts'
import { ChunkPuller, type WantedChunk } from '../../../storage-worker/replication/chunk-puller.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { inlineCpu } from '../../archiver/inline-cpu.ts'
import { SetClock } from '../../devnet/set-clock.ts'
import { assertHolds, assertHoldsPart, type HeldPart, without } from '../../suites/chunk-store-suite.ts'
import { makePeriod } from '../synthetic-period.ts'
import { MadePeers, openMemoryStore } from './made-peers.ts'

/** 25 kB each, 7 chunks. */
const PERIODS = [5, 6, 7].map((period) => makePeriod(period, { blocks: 5, operations: 4, isSigned: true }))
const [FIVE, SIX, SEVEN] = PERIODS as [ArchivedPeriod, ArchivedPeriod, ArchivedPeriod]
/** One chunk. */
const SMALL = makePeriod(8, { blocks: 1, operations: 0, isSigned: true })
const COUNT = FIVE.chunks.length

function chunkIdOf({ manifest }: ArchivedPeriod, index: number): string {
  return toHex(manifest.chunks[index]?.chunkId ?? new Uint8Array())
}

function all({ manifest }: ArchivedPeriod): WantedChunk[] {
  return manifest.chunks.map((_, index) => ({ period: manifest.period, index }))
}

/** A node that has let go of everything in these periods, and peers of which `names` hold all of it. */
async function open(names: readonly string[], options: { readonly claimants?: readonly string[] } = {}) {
  const peers = new MadePeers()
  const source = await openMemoryStore([...PERIODS, SMALL])
  for (const name of names) peers.stores.set(name, source)
  const store = await openMemoryStore([...PERIODS, SMALL])
  for (const period of [...PERIODS, SMALL]) await store.dropChunks(period.manifest.period, [...period.chunks.keys()])
  const claims = new Map<string, readonly string[]>()
  const state = { connected: new Set(names), range: { firstPeriod: 0, endPeriod: 100 } }
  const wrong: string[] = []
  const parts: number[] = []
  const writePart = store.writePart.bind(store)
  store.writePart = async (part) => {
    parts.push(part.manifest.period)
    await writePart(part)
  }
  const lines: string[] = []
  const clock = new SetClock()
  const puller = new ChunkPuller({
    store,
    client: new PeerClient(peers, peers.onOffence, { clock }),
    sources: {
      listClaimants: (hashSlot, era) => {
        assert.equal(era, 0)
        return claims.get(`${hashSlot}`) ?? options.claimants?.map((name) => `AU-${name}`) ?? []
      },
      peerOf: (address) => {
        const name = address.slice(3)
        return state.connected.has(name) ? name : undefined
      },
      listPeers: () => names.map((peer) => ({ peer, ...state.range })),
    },
    onWrong: (peer) => wrong.push(peer),
    cpu: inlineCpu,
    clock,
    random: () => 0,
    log: createLogger({
      level: 'info',
      format: 'json',
      destination: { write: (text) => lines.push(JSON.parse(text).msg) },
    }),
  })
  const claim = (period: ArchivedPeriod, index: number, ...by: string[]): void => {
    const hashSlot = computeHashSlot(period.manifest.chunks[index]?.chunkId ?? new Uint8Array())
    claims.set(
      `${hashSlot}`,
      by.map((name) => `AU-${name}`),
    )
  }
  return { peers, source, store, puller, claim, state, wrong, parts, lines, clock }
}

/** A copy of the source without some of its chunks, or SEALS. */
async function holdLess(period: ArchivedPeriod, ...dropped: number[]): Promise<ChunkStore> {
  const store = await openMemoryStore([...PERIODS, SMALL])
  await store.dropChunks(period.manifest.period, dropped)
  return store
}

/** Execution results stayed when the chunks went. */
async function assertHasPart(store: ChunkStore, period: ArchivedPeriod, held: HeldPart): Promise<void> {
  await assertHoldsPart(store, period, { ...held, executionResults: true })
}

function sizeOf(period: ArchivedPeriod, ...indexes: number[]): number {
  return indexes.reduce((sum, index) => sum + (period.chunks[index]?.length ?? 0), 0)
}

describe('storage-worker/replication/chunk-puller', () => {
  it('fetches what is wanted, with SEALS when chunk 0 is, and writes each period once', async () => {
    const { store, puller, parts, peers } = await open(['a'])
    const wanted = [...all(FIVE), { period: 6, index: 1 }, { period: 6, index: 3 }]
    assert.deepEqual(await puller.pull(wanted), {
      pulled: COUNT + 2,
      bytes: FIVE.summary.bodyBytes + FIVE.seals.length + sizeOf(SIX, 1, 3),
      failed: 0,
      failedBytes: 0,
    })
    await assertHolds(store, FIVE)
    await assertHasPart(store, SIX, { chunks: [1, 3] })
    await assertHasPart(store, SEVEN, { chunks: [] })
    assert.deepEqual(parts.sort(), [5, 6])
    assert.equal(peers.asked.length, COUNT + 1 + 2)
    assert.deepEqual(peers.offences, [])
  })

  it('passes over what is held, and periods that are not visible', async () => {
    const { store, puller, peers } = await open(['a'])
    await puller.pull([{ period: 5, index: 2 }])
    peers.asked.length = 0
    const nothing = { pulled: 0, bytes: 0, failed: 0, failedBytes: 0 }
    assert.deepEqual(await puller.pull([{ period: 5, index: 2 }, { period: 9, index: 0 }, ...[]]), nothing)
    await store.writePeriod(SEVEN)
    assert.deepEqual(await puller.pull(all(SEVEN)), nothing)
    assert.deepEqual(peers.asked, [])
    assert.equal(await store.readManifest(9), undefined)
    await assertHolds(store, SEVEN)
  })

  it('asks those that say they hold it; others that have something of the period only when no such one gives it', async () => {
    const { puller, peers, claim, state } = await open(['a', 'b', 'c'])
    claim(FIVE, 1, 'b', 'gone')
    await puller.pull([{ period: 5, index: 1 }])
    assert.deepEqual(peers.listAsked(), ['b'])
    peers.asked.length = 0
    claim(FIVE, 2, 'c')
    peers.stores.set('c', await holdLess(FIVE, 2))
    assert.equal((await puller.pull([{ period: 5, index: 2 }])).pulled, 1)
    assert.deepEqual(peers.listAsked(), ['c', 'a'])
    peers.asked.length = 0
    state.range = { firstPeriod: 0, endPeriod: 5 }
    assert.deepEqual(await puller.pull([{ period: 5, index: 3 }]), {
      pulled: 0,
      bytes: 0,
      failed: 1,
      failedBytes: sizeOf(FIVE, 3),
    })
    state.range = { firstPeriod: 6, endPeriod: 7 }
    assert.equal((await puller.pull([{ period: 5, index: 3 }])).failed, 1)
    assert.deepEqual(peers.asked, [])
    state.range = { firstPeriod: 5, endPeriod: 6 }
    assert.equal((await puller.pull([{ period: 5, index: 3 }])).pulled, 1)
  })

  it('begins with the period of which a chunk has fewest claimants', async () => {
    const { puller, peers, claim } = await open(['a', 'b', 'c'], { claimants: ['a', 'b', 'c'] })
    claim(SIX, 3, 'a')
    claim(SEVEN, 1, 'a', 'b')
    await puller.pull([FIVE, SEVEN, SIX].flatMap(all))
    const order = peers.asked.map(({ chunkId }) => chunkId)
    const at = (period: ArchivedPeriod): number => order.indexOf(chunkIdOf(period, 1))
    assert.ok(at(SIX) < at(SEVEN) && at(SEVEN) < at(FIVE))
  })

  it('asks no peer for more than eight things at a time, and shares the work', async () => {
    const { puller, peers } = await open(['a', 'b'], { claimants: ['a', 'b'] })
    peers.beforeAnswer = async (_, answer) => {
      await new Promise((resolve) => setImmediate(resolve))
      return answer
    }
    assert.equal((await puller.pull(PERIODS.flatMap(all))).pulled, 3 * COUNT)
    assert.deepEqual(
      ['a', 'b'].map((peer) => peers.mostOpen.get(peer)),
      [8, 8],
    )
  })

  it('a manifest that says another length of the last chunk: it comes all the same, with SEALS, and is right then', async () => {
    for (const first of [[0], all(FIVE).map(({ index }) => index)]) {
      const { store, puller, peers } = await open(['a'])
      await store.deletePeriods(5, 5)
      const manifest = withLastLength(FIVE.manifest, 1)
      await store.writePart({ manifest, operations: 0, chunks: new Map() })
      assert.equal((await puller.pull(first.map((index) => ({ period: 5, index })))).failed, 0)
      assert.deepEqual(await store.readSeals(5), FIVE.seals)
      assert.equal((await puller.pull(all(FIVE))).failed, 0)
      await assertHoldsPart(store, FIVE, { chunks: without(COUNT), seals: true })
      assert.deepEqual(peers.offences, [])
    }
  })

  it('wrong chunk: costs the peer, never comes to the disk, and another one is asked', async () => {
    const { store, puller, peers, claim } = await open(['evil', 'good'])
    claim(SIX, 2, 'evil')
    peers.beforeAnswer = ({ peer }, answer) => {
      const parsed = chunkResponseCodec.decode(answer)
      if (peer !== 'evil' || parsed.status !== 'ok') return answer
      return chunkResponseCodec.encode({ ...parsed, data: parsed.data.map((byte, i) => (i === 9 ? byte ^ 1 : byte)) })
    }
    assert.equal((await puller.pull([{ period: 6, index: 2 }])).pulled, 1)
    assert.deepEqual(peers.offences, [{ peer: 'evil', offence: 'wrongChunk' }])
    await assertHasPart(store, SIX, { chunks: [2] })
  })

  it('wrong chunk: of the only peer leaves the period as it was', async () => {
    const { store, puller, peers } = await open(['evil'])
    const other = SMALL.chunks[0] ?? new Uint8Array()
    peers.beforeAnswer = (_, answer) => {
      const parsed = chunkResponseCodec.decode(answer)
      return parsed.status === 'ok' ? chunkResponseCodec.encode({ ...parsed, data: other }) : answer
    }
    assert.deepEqual(await puller.pull(all(SIX)), {
      pulled: 0,
      bytes: 0,
      failed: COUNT,
      failedBytes: SIX.summary.bodyBytes,
    })
    await assertHasPart(store, SIX, { chunks: [] })
  })

  it('a peer that fails is left alone for a minute, then for two', async () => {
    const { puller, peers, clock } = await open(['a'])
    const source = peers.stores.get('a')
    assert.ok(source)
    peers.stores.delete('a')
    for (const restMs of [60_000, 120_000]) {
      assert.equal((await puller.pull([{ period: 5, index: 1 }])).failed, 1)
      const count = peers.asked.length
      clock.timeMs += restMs - 1
      assert.equal((await puller.pull([{ period: 5, index: 1 }])).failed, 1)
      assert.equal(peers.asked.length, count)
      clock.timeMs += 1
    }
    peers.stores.set('a', source)
    assert.equal((await puller.pull([{ period: 5, index: 1 }])).pulled, 1)
  })

  it('a busy peer is asked again a second later, not as if it lacked the chunk', async () => {
    const { puller, peers, clock } = await open(['a'])
    const began = clock.timeMs
    peers.beforeAnswer = (_, answer) =>
      clock.timeMs < began + 2_000 ? chunkResponseCodec.encode({ status: 'busy' }) : answer
    assert.equal((await puller.pull(all(SIX).slice(1))).failed, 0)
    assert.equal(clock.timeMs, began + 2_000)
  })

  it('a peer that is always busy is given up', async () => {
    const { puller, peers } = await open(['a'])
    peers.beforeAnswer = () => chunkResponseCodec.encode({ status: 'busy' })
    assert.equal((await puller.pull([{ period: 5, index: 1 }])).failed, 1)
    assert.equal(peers.asked.length, 8)
  })

  describe('SEALS', () => {
    const lie = (answer: Uint8Array, change: (seals: Uint8Array) => Uint8Array): Uint8Array => {
      const parsed = sealsResponseCodec.decode(answer)
      if (parsed.status !== 'ok') return answer
      const part = change(parsed.part)
      return sealsResponseCodec.encode({ ...parsed, totalBytes: part.length, part })
    }

    it('come from another peer when one lacks them', async () => {
      const { store, puller, peers, claim } = await open(['a', 'b'])
      const source = await openMemoryStore()
      const { seals: _, executionResults: __, chunks, manifest } = FIVE
      await source.writePart({ manifest, operations: 1, chunks: new Map(chunks.entries()) })
      peers.stores.set('a', source)
      claim(FIVE, 0, 'a')
      assert.equal((await puller.pull([{ period: 5, index: 0 }])).pulled, 1)
      await assertHasPart(store, FIVE, { chunks: [0], seals: true })
    })

    it('that nobody gives keep no chunk from coming, and are fetched when somebody does', async () => {
      const { store, puller, peers, claim, clock } = await open(['a', 'b'])
      const source = await openMemoryStore()
      const { chunks, manifest } = FIVE
      await source.writePart({ manifest, operations: 1, chunks: new Map(chunks.entries()) })
      for (const peer of ['a', 'b']) peers.stores.set(peer, source)
      claim(FIVE, 0, 'a')
      // Counted once: it is there, and lacks its SEALS.
      const failedHead = { pulled: COUNT, bytes: FIVE.summary.bodyBytes, failed: 1, failedBytes: 0 }
      assert.deepEqual(await puller.pull(all(FIVE)), failedHead)
      await assertHasPart(store, FIVE, { chunks: without(COUNT) })
      const nothing = { pulled: 0, bytes: 0, failed: 1, failedBytes: 0 }
      assert.deepEqual(await puller.pull([{ period: 5, index: 0 }]), nothing)
      peers.stores.set('b', await openMemoryStore(PERIODS))
      clock.timeMs += 3_600_000
      const sealsAlone = { pulled: 0, bytes: FIVE.seals.length, failed: 0, failedBytes: 0 }
      assert.deepEqual(await puller.pull([{ period: 5, index: 0 }]), sealsAlone)
      await assertHolds(store, FIVE)
    })

    it('of chunk 0 alone are verified with chunks that are fetched for that, and not written', async () => {
      const { store, puller, peers } = await open(['a'])
      assert.deepEqual(await puller.pull([{ period: 5, index: 0 }]), {
        pulled: 1,
        bytes: sizeOf(FIVE, 0) + FIVE.seals.length,
        failed: 0,
        failedBytes: 0,
      })
      await assertHasPart(store, FIVE, { chunks: [0], seals: true })
      assert.equal(peers.asked.length, COUNT + 1)
    })

    it('of chunk 0 alone stay away while a chunk of BODY cannot be had: nothing could verify them', async () => {
      const { store, puller, peers } = await open(['a'])
      peers.stores.set('a', await holdLess(FIVE, 3))
      const wanted = [{ period: 5, index: 0 }]
      const headAlone = { pulled: 1, bytes: sizeOf(FIVE, 0), failed: 1, failedBytes: 0 }
      assert.deepEqual(await puller.pull(wanted), headAlone)
      await assertHasPart(store, FIVE, { chunks: [0] })
      peers.stores.set('a', await openMemoryStore(PERIODS))
      const sealsAlone = { pulled: 0, bytes: FIVE.seals.length, failed: 0, failedBytes: 0 }
      assert.deepEqual(await puller.pull(wanted), sealsAlone)
      await assertHasPart(store, FIVE, { chunks: [0], seals: true })
    })

    it('of a chunk 0 that goes meanwhile do not come', async () => {
      const { store, puller, peers } = await open(['a'])
      peers.stores.set('a', await holdLess(FIVE, 3))
      await puller.pull([{ period: 5, index: 0 }])
      peers.stores.set('a', await openMemoryStore(PERIODS))
      peers.beforeAnswer = async ({ wanted }, answer) => {
        if (wanted === 'seals') await store.dropChunks(5, [0])
        return answer
      }
      assert.equal((await puller.pull([{ period: 5, index: 0 }])).bytes, 0)
      await assertHasPart(store, FIVE, { chunks: [] })
    })

    const lies: [string, (seals: Uint8Array) => Uint8Array][] = [
      ['of another period', (seals) => Uint8Array.from(seals, (byte, i) => (i === 24 ? byte ^ 1 : byte))],
      ['cut within a signature', (seals) => seals.subarray(0, seals.length - 1)],
      ['with fewer signatures than blocks', (seals) => seals.subarray(0, 25 + 4 * 64)],
      ['with a signature too few', (seals) => seals.subarray(0, seals.length - 64)],
      ['with every signature forged', (seals) => Uint8Array.from(seals, (byte, i) => (i < 25 ? byte : byte ^ 0xff))],
      [
        'with the last signature forged',
        (seals) => Uint8Array.from(seals, (byte, i) => byte ^ Number(i === 25 + 24 * 64)),
      ],
      [
        'with two signatures exchanged',
        (seals) => {
          const [head, first, second, rest] = [
            seals.slice(0, 25),
            seals.slice(25, 89),
            seals.slice(89, 153),
            seals.slice(153),
          ]
          return new Uint8Array(Buffer.concat([head, second, first, rest]))
        },
      ],
    ]
    for (const [what, change] of lies) {
      for (const wanted of [all(FIVE), [{ period: 5, index: 0 }]]) {
        it(`lying peer: SEALS ${what} cost it, and come from another one, beside ${wanted.length} chunks`, async () => {
          const { store, puller, peers, claim, wrong } = await open(['evil', 'good'])
          claim(FIVE, 0, 'evil')
          peers.beforeAnswer = (asked, answer) =>
            asked.peer === 'evil' && asked.wanted === 'seals' ? lie(answer, change) : answer
          assert.equal((await puller.pull(wanted)).pulled, wanted.length)
          assert.deepEqual(wrong, ['evil'])
          if (wanted.length === COUNT) await assertHolds(store, FIVE)
          else await assertHasPart(store, FIVE, { chunks: [0], seals: true })
        })
      }
    }

    it('lying peer: forged SEALS of the only peer are never stored', async () => {
      const { store, puller, peers, wrong } = await open(['evil'])
      peers.beforeAnswer = ({ wanted }, answer) =>
        wanted === 'seals' ? lie(answer, (seals) => seals.map((byte, i) => (i < 25 ? byte : byte ^ 0xff))) : answer
      assert.equal((await puller.pull(all(FIVE))).failed, 1)
      assert.deepEqual(wrong, ['evil'])
      await assertHasPart(store, FIVE, { chunks: without(COUNT) })
    })
  })

  it('a store without room ends the pull, which is said once, and once when there is room again', async () => {
    const { store, puller, peers, lines } = await open(['a', 'b'])
    const writePart = store.writePart
    let tries = 0
    store.writePart = async () => {
      tries++
      throw new ArchiveError('STORE_QUOTA_FULL', 'injected', { usedBytes: 2, quotaBytes: 1 })
    }
    for (let i = 0; i < 2; i++) {
      assert.deepEqual(await puller.pull(all(SMALL)), {
        pulled: 0,
        bytes: 0,
        failed: 1,
        failedBytes: SMALL.summary.bodyBytes,
      })
      assert.equal(puller.failing?.code, 'STORE_QUOTA_FULL')
    }
    assert.equal(tries, 2)
    // What is under way then is not waited for.
    const ids = FIVE.manifest.chunks.map(({ chunkId }) => toHex(chunkId))
    const never = new Promise<Uint8Array>(() => undefined)
    peers.beforeAnswer = ({ chunkId }, answer) => (ids.includes(chunkId) ? answer : never)
    assert.equal((await puller.pull([FIVE, SIX].flatMap(all))).failed, 2 * COUNT)
    peers.beforeAnswer = (_, answer) => answer
    assert.deepEqual(lines, ['chunks of other sidecars cannot be stored'])
    store.writePart = writePart
    assert.equal((await puller.pull(all(SMALL))).pulled, 1)
    assert.equal(puller.failing, undefined)
    assert.deepEqual(lines.slice(1), ['chunks of other sidecars can be stored again'])
  })

  it('a period of which something is damaged is passed over', async () => {
    const { store, puller } = await open(['a'])
    const readHolding = store.readHolding.bind(store)
    store.readHolding = async (period) => {
      if (period === 5) throw new ArchiveError('STORE_HOLDING_INVALID', 'injected')
      return readHolding(period)
    }
    assert.deepEqual(await puller.pull([...all(FIVE), { period: 6, index: 1 }]), {
      pulled: 1,
      bytes: sizeOf(SIX, 1),
      failed: COUNT,
      failedBytes: 0,
    })
  })

  it('a period that is deleted meanwhile does not come back', async () => {
    const { store, puller, peers } = await open(['a'])
    peers.beforeAnswer = async (_, answer) => {
      await store.deletePeriods(0, 5)
      return answer
    }
    assert.equal((await puller.pull([{ period: 5, index: 1 }])).failed, 1)
    assert.equal(await store.readManifest(5), undefined)
  })

  it('a bug is thrown', async () => {
    const { store, puller } = await open(['a'])
    store.writePart = async () => {
      throw new TypeError('injected')
    }
    await assert.rejects(puller.pull(all(SMALL)), TypeError)
  })

  it('stops without waiting for peers', async () => {
    const { store, puller, peers } = await open(['a'])
    let answer = (): void => undefined
    const held = new Promise<void>((resolve) => {
      answer = resolve
    })
    peers.beforeAnswer = async (_, bytes) => {
      await held
      return bytes
    }
    const pull = puller.pull(PERIODS.flatMap(all))
    while (peers.asked.length < 8) await new Promise((resolve) => setImmediate(resolve))
    await puller.stop()
    assert.deepEqual(await pull, {
      pulled: 0,
      bytes: 0,
      failed: 3 * COUNT,
      failedBytes: PERIODS.reduce((sum, { summary }) => sum + summary.bodyBytes, 0),
    })
    answer()
    await puller.stop()
    await assertHasPart(store, FIVE, { chunks: [] })
    assert.deepEqual(await puller.pull(all(SMALL)), { pulled: 0, bytes: 0, failed: 0, failedBytes: 0 })
  })
})
