import assert from 'node:assert/strict'
import { verifyRecord } from '../../../archiver/verify-record.ts'
import {
  type ArchivedPeriod,
  type ChunkStore,
  computeEraRoot,
  computeHashSlot,
  computePeriodRoot,
  ERA_PERIODS,
  type EraAnchor,
  encodeManifest,
  type Period,
  parseManifest,
  withLastLength,
} from '../../../core/index.ts'
import { manifestResponseCodec, sealsResponseCodec } from '../../../protocol-handler/index.ts'
import type { LevelChunkStore } from '../../../storage-worker/index.ts'
import { inlineCpu } from '../../archiver/inline-cpu.ts'
import { chainOf, NETWORK } from '../../archiver/made-chain.ts'
import {
  anchorOf,
  archivedOf as archiveOf,
  describeBriefly,
  type Joiner,
  type JoinerOptions,
  makeJoiner,
  openStore as openStoreFor,
} from './made-archive.ts'

const LAST = ERA_PERIODS + 14
/** Of the joiner's archive: within era 1, which is not anchored. */
const FIRST = ERA_PERIODS + 6
/** Where the liars lie. */
const LIE = 50
/** Nobody waits for his turn here. */
const LIMITS = { requestsInFlight: 64, requestsPerSecond: 1_000_000, bytesPerSecond: 1_000_000_000 }
/** Periods of several chunks. */
const IDENTITY = { network: NETWORK, chunkSizeBytes: 1_024 }
const openStore = (periods: Iterable<ArchivedPeriod> = []) => openStoreFor(periods, IDENTITY)

describe('storage-worker/bootstrap: under the anchored root of an era', () => {
  const chain = chainOf('anchored bootstrap', LAST, { missRate: 0.95, operationsPerBlock: 1 })
  const periods: ArchivedPeriod[] = []
  let whole: LevelChunkStore
  let wholeArchive: Map<Period, string>
  let anchor: EraAnchor

  before(async () => {
    for (let period = 0; period <= LAST; period++) periods.push(archiveOf(chain, period, undefined, IDENTITY))
    whole = await openStore(periods)
    wholeArchive = await describeBriefly(whole)
    anchor = anchorOf(periods.slice(0, ERA_PERIODS).map(({ manifest }) => manifest))
    assert.ok((periods[LIE]?.chunks.length ?? 0) > 1)
  })

  async function join(
    options: Omit<Partial<JoinerOptions>, 'peers'> & {
      readonly peers?: Readonly<Record<string, ChunkStore>>
      readonly anchored?: EraAnchor
      readonly first?: Period
    } = {},
  ): Promise<Joiner> {
    const { peers = { a: whole }, anchored = anchor, first = FIRST, modules, ...rest } = options
    const store = options.store ?? (await openStore(periods.slice(first)))
    const findAnchored = async (era: number) => (era === anchored.era ? anchored : undefined)
    return makeJoiner({
      limits: LIMITS,
      ...rest,
      store,
      peers: new Map(Object.entries(peers)),
      modules: { findAnchored, ...modules },
    })
  }

  const waitFor = (joiner: Joiner) => joiner.bootstrap.status()?.waitsFor
  const firstOf = async (joiner: Joiner) => (await joiner.store.readRange())?.first

  /** What an evil peer answers instead. */
  function lie(joiner: Joiner, change: (frame: Uint8Array, name: string) => Uint8Array): void {
    joiner.peers.answer = async (peer, name, honest, request) => {
      const frames = await honest(request)
      return peer === 'evil' ? frames.map((frame) => change(frame, name)) : frames
    }
  }

  const changeItems = (wanted: string, change: (item: Uint8Array, period: Period) => Uint8Array | undefined) => {
    return (frame: Uint8Array, name: string) => {
      if (name !== 'manifest') return frame
      const answer = manifestResponseCodec.decode(frame)
      if (answer.status !== 'ok' || answer.wanted !== wanted) return frame
      const items = answer.items.map((item, i) => item && change(item, answer.firstPeriod + i))
      return manifestResponseCodec.encode({ ...answer, items })
    }
  }

  it('above it periods are linked; of its own only SEALS are verified, and the archive is the same', async () => {
    const verified: Period[] = []
    const joiner = await join({
      modules: {
        cpu: {
          verifyBlock: inlineCpu.verifyBlock,
          verifyRecords: async (records) => {
            verified.push(...records.map(({ slot }) => slot.period))
            return records.map((record) => verifyRecord(record, NETWORK))
          },
        },
      },
    })
    assert.equal(await joiner.bootstrap.look(), FIRST)
    assert.deepEqual(await describeBriefly(joiner.store), wholeArchive)
    assert.deepEqual(joiner.offences, [])
    const withBlocks = periods.slice(1, ERA_PERIODS).filter(({ manifest }) => manifest.bitmap !== 0)
    assert.deepEqual(
      [...new Set(verified.filter((period) => period < ERA_PERIODS))].sort((a, b) => a - b),
      withBlocks.map(({ manifest }) => manifest.period),
    )
    assert.deepEqual(joiner.bootstrap.status()?.checked, [
      { first: ERA_PERIODS, last: FIRST - 1, by: 'links' },
      { first: 0, last: ERA_PERIODS - 1, by: 'anchor', firstEra: 0, lastEra: 0 },
    ])
    const told = joiner.logged.map(({ msg }) => String(msg)).filter((text) => text.startsWith('bootstrap: fetching'))
    assert.equal(told.length, 2)
    assert.match(told[0] ?? '', /linked to the next by block ids, no anchor yet/)
    assert.match(told[1] ?? '', /under anchored era roots/)
  })

  it('only what is to be held is fetched, with SEALS where that is all of BODY; the rest is visible', async () => {
    const isWanted = (hashSlot: number) => hashSlot % 3 === 0
    const joiner = await join({ first: ERA_PERIODS, modules: { wanted: () => isWanted } })
    await joiner.bootstrap.look()
    assert.equal(joiner.bootstrap.status()?.state, 'done')
    assert.equal(joiner.bootstrap.status()?.absentChunks, 0)
    let parts = 0
    for (const { manifest } of periods.slice(0, ERA_PERIODS)) {
      const { period, chunks } = manifest
      assert.deepEqual(await joiner.store.readManifest(period), manifest)
      const isMissing = chunks.map(({ chunkId }) => !isWanted(computeHashSlot(chunkId)))
      const holding = await joiner.store.readHolding(period)
      assert.deepEqual(
        holding?.missingChunks ?? [],
        [...chunks.keys()].filter((index) => isMissing[index]),
      )
      if (!holding) continue
      assert.deepEqual([holding.hasSeals, holding.hasExecutionResults], [false, !isMissing[0]])
      parts++
    }
    assert.ok(parts > ERA_PERIODS / 2)
    const chunks = periods.slice(0, ERA_PERIODS).reduce((sum, { summary }) => sum + summary.chunks, 0)
    assert.ok(joiner.peers.countOf('a', 'chunk') < (chunks + ERA_PERIODS) / 2)
    // What is asked for a part, too, is all of it when it comes.
    const rest = await join({ store: joiner.store, modules: { wanted: () => () => true } })
    for (const { manifest, chunks, seals, executionResults } of periods.slice(1, ERA_PERIODS)) {
      const part = { manifest, operations: 0, chunks: new Map(chunks.entries()), seals, executionResults }
      await rest.store.writePart(part)
    }
    assert.equal((await joiner.store.readSummary(LIE))?.operations, periods[LIE]?.summary.operations)
  })

  it('waits until it is known what is to be held', async () => {
    let wanted: (() => boolean) | undefined
    const joiner = await join({ first: ERA_PERIODS, modules: { wanted: () => wanted } })
    assert.equal(await joiner.bootstrap.look(), 0)
    assert.equal(waitFor(joiner), 'placement')
    wanted = () => true
    assert.equal(await joiner.bootstrap.look(), ERA_PERIODS)
  })

  it('nothing need be linked: behind a restart of the chain, and below what is held of the bottom in part', async () => {
    const restarted = await join({ first: 100, restartPeriods: [100] })
    assert.equal(await restarted.bootstrap.look(), 100)
    assert.deepEqual(await describeBriefly(restarted.store), wholeArchive)
    const store = await openStore(periods.slice(100))
    for (let period = 100; period < LAST; period++) await store.dropChunks(period, [0])
    const dropped = await join({ store })
    assert.equal(await dropped.bootstrap.look(), 100)
  })

  it('where no era is anchored, what is missing of a bottom held in part comes from peers to link what is below', async () => {
    const store = await openStore(periods.slice(110))
    for (let period = 110; period < LAST; period++) await store.dropChunks(period, [0])
    const joiner = await join({ store, modules: { findAnchored: async () => undefined } })
    assert.equal(await joiner.bootstrap.look(), 110)
    assert.equal((await joiner.store.readHolding(110))?.missingChunks[0], 0)
  })

  it('as far as retention_periods wants it, and on from where it was left', async () => {
    const joiner = await join({ first: 120, retentionPeriods: LAST + 1 - 90 })
    await joiner.bootstrap.look()
    assert.equal(await firstOf(joiner), 90)
    const next = await join({ store: joiner.store })
    assert.equal(await next.bootstrap.look(), 90)
    assert.deepEqual(await describeBriefly(joiner.store), wholeArchive)
  })

  it('error: roots that do not make the era root: those of another are taken, and the liar pays', async () => {
    const joiner = await join({ first: ERA_PERIODS, peers: { evil: whole, honest: whole } })
    lie(
      joiner,
      changeItems('roots', (root, period) => (period === LIE ? root.map((byte) => byte ^ 1) : root)),
    )
    await joiner.bootstrap.look()
    assert.deepEqual(await describeBriefly(joiner.store), wholeArchive)
    assert.deepEqual([...new Set(joiner.offences.map(({ peer }) => peer))], ['evil'])
    assert.equal(joiner.peers.countOf('evil', 'chunk'), 0)
  })

  it('error: an anchored record that no roots make (its totals are others): nobody is blamed, and periods are linked', async () => {
    for (const wrong of [
      { ...anchor, totalBytes: anchor.totalBytes + 1n },
      { ...anchor, totalChunks: anchor.totalChunks - 1n },
      { ...anchor, root: new Uint8Array(32) },
    ]) {
      const joiner = await join({ first: 120, retentionPeriods: LAST + 1 - 110, anchored: wrong })
      await joiner.bootstrap.look()
      assert.equal(await firstOf(joiner), 110)
      assert.deepEqual(joiner.offences, [])
      assert.deepEqual(joiner.bootstrap.status()?.checked, [{ first: 110, last: 119, by: 'links' }])
    }
  })

  it('totals that a quorum made up do not matter while every length is shown', async () => {
    const totals = { network: NETWORK, era: 0, totalBytes: 5n, totalChunks: 1n }
    const root = computeEraRoot(
      totals,
      periods.slice(0, ERA_PERIODS).map(({ manifest }) => computePeriodRoot(manifest)),
    )
    const joiner = await join({
      first: ERA_PERIODS,
      anchored: { ...anchor, ...totals, root },
      modules: { wanted: () => () => false },
    })
    assert.equal(await joiner.bootstrap.look(), ERA_PERIODS)
    assert.deepEqual(joiner.offences, [])
  })

  it('error: a manifest of another root costs the peer, and comes from another', async () => {
    const joiner = await join({ first: ERA_PERIODS, peers: { evil: whole, honest: whole } })
    lie(
      joiner,
      changeItems('manifests', (item, period) => {
        const manifest = parseManifest(item)
        return period === LIE ? encodeManifest({ ...manifest, bitmap: manifest.bitmap ^ 1 }) : item
      }),
    )
    await joiner.bootstrap.look()
    assert.deepEqual(await describeBriefly(joiner.store), wholeArchive)
    assert.deepEqual([...new Set(joiner.offences.map(({ peer }) => peer))], ['evil'])
  })

  /** Of other lengths of the last chunks of these periods: roots do not bind them. */
  const resize = (bytes: ReadonlyMap<Period, number>) =>
    changeItems('manifests', (item, period) => {
      const manifest = parseManifest(item)
      const length = manifest.chunks.at(-1)?.byteLength ?? 0
      return encodeManifest(withLastLength(manifest, length + (bytes.get(period) ?? 0)))
    })
  const shorten = resize(new Map([[LIE, -1]]))

  it('error: a last chunk of another length, which no root binds: found out whether it is fetched or not', async () => {
    for (const isWanted of [() => true, () => false]) {
      const joiner = await join({ first: ERA_PERIODS, peers: { evil: whole }, modules: { wanted: () => isWanted } })
      lie(joiner, shorten)
      await joiner.bootstrap.look()
      assert.ok(((await firstOf(joiner)) ?? 0) > LIE)
      assert.deepEqual([...new Set(joiner.offences.map(({ peer }) => peer))], ['evil'])
      joiner.peers.stores.set('honest', whole)
      joiner.clock.timeMs += 600_000
      joiner.peers.answer = (_peer, _name, honest, request) => honest(request)
      await joiner.bootstrap.look()
      assert.equal(await firstOf(joiner), 0)
      assert.deepEqual((await joiner.store.readManifest(LIE))?.chunks, periods[LIE]?.manifest.chunks)
    }
  })

  /** Two periods whose lengths add up although both are wrong. */
  function lieTwice(): Map<Period, number> {
    const isLonger = ({ chunks }: ArchivedPeriod) => chunks.length > 1 && (chunks.at(-1)?.length ?? 0) < 1_024
    const other = periods.findIndex((archived, period) => period > 0 && period !== LIE && isLonger(archived))
    return new Map([
      [LIE, -1],
      [other, 1],
    ])
  }

  /** Peers lie about the lengths of last chunks that none of them has, and this node wants none of them. */
  async function joinUnshown(lies: ReadonlyMap<Period, number>, first = ERA_PERIODS): Promise<Joiner> {
    const evil = await openStore(periods)
    for (const period of lies.keys()) {
      await evil.dropChunks(period, [(periods[period]?.manifest.chunks.length ?? 0) - 1])
    }
    const isWanted = () => false
    const joiner = await join({ first, peers: { evil }, modules: { wanted: () => isWanted } })
    lie(joiner, resize(lies))
    return joiner
  }

  it('hostile peer: a length that nobody shows and that does not add up is never taken', async () => {
    const joiner = await joinUnshown(new Map([[LIE, -1]]))
    for (let look = 0; look < 3; look++) {
      await joiner.bootstrap.look()
      joiner.clock.timeMs += 60_000
    }
    assert.equal(await firstOf(joiner), LIE + 1)
    joiner.peers.answer = (_peer, _name, honest, request) => honest(request)
    await joiner.bootstrap.look()
    assert.equal(await firstOf(joiner), 0)
  })

  it('hostile peer: a length that makes up for a period that lacks here adds nothing up', async () => {
    const lacking = periods.findIndex(({ manifest }) => manifest.period > 100 && manifest.bitmap === 0)
    const bytes = periods[lacking]?.summary.bodyBytes ?? 0
    assert.ok(lacking < ERA_PERIODS && bytes > 0 && (periods[LIE]?.chunks.at(-1)?.length ?? 0) + bytes <= 1_024)
    const joiner = await joinUnshown(new Map([[LIE, bytes]]), 100)
    await joiner.store.deletePeriods(lacking, lacking)
    await joiner.bootstrap.look()
    assert.equal(await firstOf(joiner), LIE + 1)
  })

  it('hostile peer: lengths that are wrong and add up, which nobody shows: the chunks say it when they come', async () => {
    const lies = lieTwice()
    const joiner = await joinUnshown(lies)
    await joiner.bootstrap.look()
    assert.equal(await firstOf(joiner), 0)
    for (const [period, by] of lies) {
      const { manifest, chunks } = periods[period] as ArchivedPeriod
      const index = chunks.length - 1
      const stored = await joiner.store.readManifest(period)
      assert.equal(stored?.chunks[index]?.byteLength, (chunks[index]?.length ?? 0) + by)
      assert.ok(stored)
      const last = new Map([[index, chunks[index] ?? new Uint8Array()]])
      await joiner.store.writePart({ manifest: stored, operations: 0, chunks: last })
      assert.deepEqual(await joiner.store.readManifest(period), manifest)
    }
  })

  it('lengths that add up and are shown to be wrong: who believed them pays nothing, and what is shown is stored', async () => {
    for (const isWanted of [() => true, () => false]) {
      const joiner = await join({ first: ERA_PERIODS, peers: { believer: whole }, modules: { wanted: () => isWanted } })
      const change = resize(lieTwice())
      joiner.peers.answer = async (_peer, name, honest, request) =>
        (await honest(request)).map((frame) => change(frame, name))
      assert.equal(await joiner.bootstrap.look(), ERA_PERIODS)
      assert.deepEqual(joiner.offences, [])
      for (const { manifest } of periods.slice(0, ERA_PERIODS)) {
        assert.deepEqual(await joiner.store.readManifest(manifest.period), manifest)
      }
    }
  })

  it('hostile peer: other lengths of all chunks: those of this archive are taken, and nothing is said to conflict', async () => {
    for (const isWanted of [() => true, () => false]) {
      const joiner = await join({ first: ERA_PERIODS, peers: { evil: whole }, modules: { wanted: () => isWanted } })
      const double = changeItems('manifests', (item) => {
        const manifest = parseManifest(item)
        return encodeManifest({
          ...manifest,
          chunks: manifest.chunks.map((chunk) => ({ ...chunk, byteLength: 2_048 })),
        })
      })
      const last = changeItems('manifests', (item, period) => {
        const bytes = periods[period]?.chunks.at(-1)?.length ?? 0
        return encodeManifest(withLastLength(parseManifest(item), bytes))
      })
      lie(joiner, (frame, name) => last(double(frame, name), name))
      assert.equal(await joiner.bootstrap.look(), ERA_PERIODS)
      assert.ok(joiner.logged.every(({ msg }) => msg !== 'what is archived is not what was anchored'))
      for (const { manifest } of periods.slice(0, ERA_PERIODS)) {
        assert.deepEqual(await joiner.store.readManifest(manifest.period), manifest)
      }
    }
  })

  it('error: a chunk that does not hash to its id, and SEALS of fewer signatures or forged ones, cost the peer', async () => {
    for (const change of [
      (frame: Uint8Array, name: string) =>
        name === 'chunk' ? frame.map((byte, i) => (i === frame.length - 1 ? byte ^ 1 : byte)) : frame,
      (frame: Uint8Array, name: string) => {
        if (name !== 'chunk') return frame
        try {
          const answer = sealsResponseCodec.decode(frame)
          if (answer.status !== 'ok') return frame
          const part = answer.part.subarray(0, -64)
          return sealsResponseCodec.encode({ ...answer, totalBytes: part.length, part })
        } catch {
          return frame
        }
      },
      (frame: Uint8Array, name: string) => {
        if (name !== 'chunk') return frame
        try {
          const answer = sealsResponseCodec.decode(frame)
          if (answer.status !== 'ok') return frame
          const part = answer.part.map((byte, i) => (i < 25 ? byte : byte ^ 0xff))
          return sealsResponseCodec.encode({ ...answer, part })
        } catch {
          return frame
        }
      },
    ]) {
      const joiner = await join({ first: ERA_PERIODS, peers: { evil: whole, honest: whole } })
      lie(joiner, change)
      await joiner.bootstrap.look()
      const archive = await describeBriefly(joiner.store)
      assert.equal(archive.size, wholeArchive.size)
      assert.deepEqual([...new Set(joiner.offences.map(({ peer }) => peer))], ['evil'])
      if (change.length === 2) assert.equal((await joiner.store.readRange())?.first, 0)
    }
  })

  it('an archive that is not what was anchored is left alone, loudly', async () => {
    const other = chainOf('another chain', LAST, { missRate: 0.9 })
    const store = await openStore(
      periods.slice(100).map((period) => {
        const at = period.manifest.period
        return at === 120 ? archiveOf(other, at, undefined, IDENTITY) : period
      }),
    )
    const joiner = await join({ store })
    await joiner.bootstrap.look()
    const said = joiner.logged.filter(({ level }) => level === 50 || level === 'error')
    assert.equal(said[0]?.msg, 'what is archived is not what was anchored')
    assert.ok(joiner.bootstrap.status()?.checked.every(({ by }) => by === 'links'))
  })

  it('an anchored era that is cut otherwise than this archive is left alone, loudly: ids bind lengths', async () => {
    const identity = { ...IDENTITY, chunkSizeBytes: 2_048 }
    const from = ERA_PERIODS - 3
    const others = periods.slice(0, ERA_PERIODS).map((archived, period) => {
      return period < from ? archived : archiveOf(chain, period, undefined, identity)
    })
    assert.ok((others.at(-1)?.chunks.length ?? 0) > 1)
    const joiner = await join({
      first: ERA_PERIODS,
      anchored: anchorOf(others.map(({ manifest }) => manifest)),
      peers: { a: whole, other: await openStoreFor(others.slice(from), identity) },
    })
    joiner.peers.answer = async (_peer, name, honest, request) => {
      const frames = await honest(request)
      if (name !== 'manifest') return frames
      return frames.map((frame) => {
        const answer = manifestResponseCodec.decode(frame)
        if (answer.status !== 'ok') return frame
        const items = answer.items.map((item, i) => {
          const manifest = others[answer.firstPeriod + i]?.manifest
          if (!manifest || !item) return item
          return answer.wanted === 'roots' ? computePeriodRoot(manifest) : encodeManifest(manifest)
        })
        return manifestResponseCodec.encode({ ...answer, items })
      })
    }
    await joiner.bootstrap.look()
    assert.ok(joiner.logged.some(({ msg }) => msg === 'what is archived is not what was anchored'))
  })

  it('what nobody gives keeps the rest from coming for a minute, and then no more', async () => {
    const lacking = await openStore(periods)
    await lacking.dropChunks(LIE, [(periods[LIE]?.chunks.length ?? 0) - 1])
    const joiner = await join({ first: ERA_PERIODS, restartPeriods: [LIE + 1], peers: { a: lacking } })
    await joiner.bootstrap.look()
    assert.equal(await firstOf(joiner), LIE + 1)
    assert.equal(waitFor(joiner), 'restart')
    assert.deepEqual(joiner.offences, [])
    joiner.clock.timeMs += 60_000
    await joiner.bootstrap.look()
    assert.equal(await firstOf(joiner), 0)
    assert.equal(joiner.bootstrap.status()?.absentChunks, 1)
    assert.equal((await joiner.store.readHolding(LIE))?.missingChunks.length, 1)
    assert.ok(joiner.logged.some(({ msg }) => msg === 'nobody gave some of what is to be held'))
  })

  it('stops at once, and when there is no room', async () => {
    let written = 0
    const full = await join({
      first: ERA_PERIODS,
      modules: { hasRoom: async () => written < 64, onWritten: async () => void written++ },
    })
    await full.bootstrap.look()
    assert.equal(waitFor(full), 'room')
    assert.equal(await firstOf(full), ERA_PERIODS - 64)
    const joiner = await join({ first: ERA_PERIODS })
    let asked = 0
    const waiting = new Promise<void>((resolve) => {
      joiner.peers.answer = (_peer, _name, honest, request) => {
        if (++asked < 100) return honest(request)
        resolve()
        return new Promise(() => undefined)
      }
    })
    const running = joiner.bootstrap.start()
    await waiting
    await joiner.bootstrap.stop()
    await running
  })
})
