import assert from 'node:assert/strict'
import type { DecidedSlot } from '../../../archiver/period-encoder.ts'
import {
  type ArchivedPeriod,
  ArchiveError,
  ByteReader,
  type ChunkStore,
  encodeBlockRecord,
  encodeHeaderContent,
  encodeManifest,
  encodeOperationContent,
  MAX_HEADER_VERSION,
  type Manifest,
  type Period,
  parseManifest,
  parseOperationContent,
  readBlockRecord,
  toHex,
} from '../../../core/index.ts'
import { type MadeBlock, type MadeChain, signBlock } from '../../../devnet/index.ts'
import { type ChunkRequest, manifestResponseCodec, sealsResponseCodec } from '../../../protocol-handler/index.ts'
import { SESSION_BOUNDS } from '../../../storage-worker/bootstrap/backfill-session.ts'
import type { BootstrapModules } from '../../../storage-worker/bootstrap/bootstrap.ts'
import type { LevelChunkStore } from '../../../storage-worker/index.ts'
import { inlineCpu } from '../../archiver/inline-cpu.ts'
import { blockAt, chainOf, NETWORK } from '../../archiver/made-chain.ts'
import {
  archivedOf as archiveOf,
  type Change,
  decidedBlock,
  describeBriefly,
  type Joiner,
  makeJoiner,
  openStore as openStoreFor,
  verifyOnce,
} from './made-archive.ts'

const LAST = 14
const FIRST = 11
/** Where the liars lie: thread 3 has a block here, thread 4 has none. */
const LIE = 7

/** Periods of several chunks. */
const IDENTITY = { network: NETWORK, chunkSizeBytes: 16_384 }
const archivedOf = (chain: MadeChain, period: Period, change?: Change) => archiveOf(chain, period, change, IDENTITY)
const openStore = (periods: Iterable<ArchivedPeriod> = []) => openStoreFor(periods, IDENTITY)

type Lie = (peers: Joiner['peers']) => void

describe('storage-worker/bootstrap: hostile peers', () => {
  const chain = chainOf('hostile bootstrap', LAST, {
    missRate: 0.1,
    operationsPerBlock: 2,
    missedSlots: [{ period: LIE, thread: 4 }],
  })
  const other = chainOf('another chain', LAST, { missRate: 0.1 })
  let periods: ArchivedPeriod[]
  let whole: LevelChunkStore
  let wholeArchive: Map<Period, string>

  before(async () => {
    periods = Array.from({ length: LAST + 1 }, (_, period) => archivedOf(chain, period))
    whole = await openStore(periods)
    wholeArchive = await describeBriefly(whole)
    assert.ok(chain.blockAt(LIE, 3))
    assert.ok((periods[LIE]?.chunks.length ?? 0) > 2)
  })

  /** A store in which some periods are not what they were. */
  async function forge(change: (period: Period) => ArchivedPeriod | undefined): Promise<ChunkStore> {
    return openStore(periods.map((period) => change(period.manifest.period) ?? period))
  }

  function forgeSlot(thread: number, change: (slot: DecidedSlot) => DecidedSlot): Promise<ChunkStore> {
    const changes: Change = (slot, at) => (at === thread ? change(slot) : slot)
    return forge((period) => (period === LIE ? archivedOf(chain, period, changes) : undefined))
  }

  async function join(peers: ReadonlyMap<string, ChunkStore>, lie?: Lie, bounds = SESSION_BOUNDS): Promise<Joiner> {
    const joiner = makeJoiner({ store: await openStore(periods.slice(FIRST)), peers, bounds })
    lie?.(joiner.peers)
    return joiner
  }

  /** Changes what a peer answers to one kind of request. */
  function changeAnswers(peer: string, name: string, change: (frame: Uint8Array) => Uint8Array): Lie {
    return (peers) => {
      peers.answer = async (asked, kind, honest, request) => {
        const frames = await honest(request)
        return asked === peer && kind === name ? frames.map(change) : frames
      }
    }
  }

  const changeManifests = (change: (manifest: Manifest) => Manifest | Uint8Array) =>
    changeAnswers('evil', 'manifest', (frame) => {
      const answer = manifestResponseCodec.decode(frame)
      if (answer.status !== 'ok') return frame
      const items = answer.items.map((item) => {
        const changed = item && change(parseManifest(item))
        return changed instanceof Uint8Array || !changed ? changed : encodeManifest(changed)
      })
      return manifestResponseCodec.encode({ ...answer, items })
    })

  const changeSeals = (change: (seals: Uint8Array) => Uint8Array) =>
    changeAnswers('evil', 'chunk', (frame) => {
      try {
        const answer = sealsResponseCodec.decode(frame)
        if (answer.status !== 'ok') return frame
        const part = change(answer.part)
        return sealsResponseCodec.encode({ ...answer, totalBytes: part.length, part })
      } catch {
        return frame
      }
    })

  /** An operation that stands as one whose bytes its id does not bind. */
  const unbind = (slot: DecidedSlot, thread: number): DecidedSlot => {
    if (slot.kind !== 'block') return slot
    const record = readBlockRecord(new ByteReader(slot.record), NETWORK, { period: LIE, thread })
    const operations = record.operations.map((operation) => {
      const parsed = parseOperationContent(operation.content)
      const { body } = parsed
      if (body.kind !== 'execute-sc') return operation
      // Another fee is not what the id says.
      const changed = { ...parsed, feeNanoMas: parsed.feeNanoMas + 1n, body: { ...body, datastore: [] } }
      const content = encodeOperationContent(changed)
      return { ...operation, content, reproducible: false, serializedSizeBytes: content.length + 98 }
    })
    assert.ok(operations.some(({ reproducible }) => !reproducible))
    return { ...slot, record: encodeBlockRecord({ ...record, operations }) }
  }

  const lies: [string, () => Promise<ChunkStore>, Lie?][] = [
    [
      'a block of right shape that is not the parent of its child',
      () => forgeSlot(3, () => decidedBlock(chain.makeRival(blockAt(chain, LIE, 3)))),
    ],
    ['a false miss', () => forgeSlot(3, () => ({ kind: 'miss' }))],
    ['a false miss that is called void', () => forgeSlot(3, () => ({ kind: 'void' }))],
    ['a block where there is none', () => forgeSlot(4, () => decidedBlock(makeExtra(chain)))],
    [
      'a thread that has no block any more',
      () =>
        forge((period) =>
          period <= LIE && period > 0
            ? archivedOf(chain, period, (slot, thread) => (thread === 3 ? { kind: 'miss' } : slot))
            : undefined,
        ),
    ],
    [
      'periods without any block down to the first one',
      () =>
        forge((period) =>
          period <= LIE && period > 0 ? archivedOf(chain, period, () => ({ kind: 'miss' })) : undefined,
        ),
    ],
    [
      'forged chunks behind a true chunk 0, whose SEALS do not fit then',
      () =>
        forgeSlot(30, (slot) =>
          slot.kind === 'block' ? decidedBlock(chain.makeRival(blockAt(chain, LIE, 30))) : slot,
        ),
    ],
    ['another chain', () => forge((period) => archivedOf(other, period))],
    ['another chain below a period', () => forge((period) => (period <= LIE ? archivedOf(other, period) : undefined))],
    [
      'the blocks of another period',
      async () => whole,
      changeManifests((manifest) => {
        const { bitmap, chunks } = periods[LIE - 1]?.manifest ?? manifest
        return manifest.period === LIE ? { ...manifest, bitmap, chunks } : manifest
      }),
    ],
    [
      'a bitmap that is not the one of its BODY',
      async () => whole,
      changeManifests((manifest) =>
        manifest.period === LIE ? { ...manifest, bitmap: manifest.bitmap ^ 16 } : manifest,
      ),
    ],
    [
      'chunks of another length than their ids say',
      async () => whole,
      changeManifests((manifest) => {
        const chunks = manifest.chunks.map((chunk) => ({ ...chunk, byteLength: chunk.byteLength - 1 }))
        return manifest.period === LIE ? { ...manifest, chunks } : manifest
      }),
    ],
    [
      'an empty period that is cut otherwise',
      async () => whole,
      changeManifests((manifest) => (manifest.period === LIE ? { ...manifest, bitmap: 0 } : manifest)),
    ],
    [
      'the manifest of another network',
      async () => whole,
      changeManifests((manifest) => ({ ...manifest, network: { ...NETWORK, genesisTimestampMs: 2_000_000n } })),
    ],
    ['what is no manifest', async () => whole, changeManifests(() => Uint8Array.of(9))],
    [
      'manifests of more chunks than a period has',
      async () => whole,
      changeManifests((manifest) => {
        const [chunk] = manifest.chunks
        return chunk
          ? { ...manifest, chunks: Array.from({ length: 1_200 }, () => ({ ...chunk, byteLength: 16_384 })) }
          : manifest
      }),
    ],
  ]
  for (const [what, makeEvil, lie] of lies) {
    it(`${what}: costs the peer, and the archive is that of the honest one`, async () => {
      const joiner = await join(
        new Map([
          ['evil', await makeEvil()],
          ['honest', whole],
        ]),
        lie,
      )
      // The evil one leads first.
      assert.equal(joiner.asked.listFor(1)[0], 'evil')
      await joiner.bootstrap.look()
      assert.deepEqual(await describeBriefly(joiner.store), wholeArchive)
      assert.deepEqual([...new Set(joiner.offences.map(({ peer }) => peer))], ['evil'])
    })

    it(`${what}, and nobody else: nothing of it is archived`, async () => {
      const joiner = await join(new Map([['evil', await makeEvil()]]), lie)
      await joiner.bootstrap.look()
      for (const [period, text] of await describeBriefly(joiner.store)) assert.equal(text, wholeArchive.get(period))
      assert.ok(((await joiner.store.readRange())?.first ?? 0) >= LIE)
      assert.deepEqual([...new Set(joiner.offences.map(({ peer }) => peer))], ['evil'])
      const asked = joiner.peers.asked.length
      await joiner.bootstrap.look()
      assert.equal(joiner.peers.asked.length, asked)
      assert.equal(joiner.bootstrap.status()?.waitsFor, 'peers')
    })
  }

  const sealLies: [string, (seals: Uint8Array) => Uint8Array][] = [
    ['one wrong signature', (seals) => seals.map((byte, i) => (i === 25 + 64 * 5 + 3 ? byte ^ 1 : byte))],
    ['a signature too few', (seals) => seals.subarray(0, -64)],
    ['a signature too many', (seals) => Uint8Array.of(...seals, ...new Uint8Array(64))],
    ['the head of another period', (seals) => seals.map((byte, i) => (i === 24 ? byte ^ 1 : byte))],
  ]
  for (const [what, change] of sealLies) {
    it(`SEALS with ${what}: those of another peer are taken`, async () => {
      const lie = changeSeals((seals) => (seals.length > 25 ? change(seals) : seals))
      const joiner = await join(
        new Map([
          ['evil', whole],
          ['honest', whole],
        ]),
        lie,
      )
      await joiner.bootstrap.look()
      assert.deepEqual(await describeBriefly(joiner.store), wholeArchive)
      assert.deepEqual([...new Set(joiner.offences.map(({ peer }) => peer))], ['evil'])
      const alone = await join(new Map([['evil', whole]]), lie)
      assert.equal(await alone.bootstrap.look(), 0)
    })
  }

  it('a period of another chain: none of its signatures is verified, nor of those below it, and no SEALS are asked for', async () => {
    const evil = await forge((period) => (period === LIE ? archivedOf(other, period) : undefined))
    const verified = new Set<Period>()
    const cpu: BootstrapModules['cpu'] = {
      verifyBlock: inlineCpu.verifyBlock,
      verifyRecords: async (records) => {
        for (const { slot } of records) verified.add(slot.period)
        return records.map(verifyOnce)
      },
    }
    const joiner = makeJoiner({
      store: await openStore(periods.slice(FIRST)),
      peers: new Map([['evil', evil]]),
      modules: { cpu },
    })
    const asked: string[] = []
    joiner.peers.answer = async (_peer, name, honest, request) => {
      const { wanted, chunkId } = request as ChunkRequest
      if (name === 'chunk' && wanted === 'seals') asked.push(toHex(chunkId))
      return honest(request)
    }
    await joiner.bootstrap.look()
    const fitting = periods.slice(LIE + 1, FIRST)
    assert.deepEqual(verified, new Set(fitting.map(({ manifest }) => manifest.period)))
    assert.deepEqual(
      asked.sort(),
      fitting.map(({ manifest }) => toHex(manifest.chunks[0]?.chunkId ?? new Uint8Array())).sort(),
    )
    assert.deepEqual([...new Set(joiner.offences.map(({ peer }) => peer))], ['evil'])
  })

  it('an operation whose bytes its id does not bind: no forgery, but not to be told from one before its era is anchored', async () => {
    const period = archivedOf(chain, LIE)
    const isExecution = (content: Uint8Array) => parseOperationContent(content).body.kind === 'execute-sc'
    const thread = Array.from({ length: 32 }, (_, at) => at).find(
      (at) =>
        chain.blockAt(LIE, at) &&
        readBlockRecord(new ByteReader(decidedBlock(blockAt(chain, LIE, at)).record), NETWORK, {
          period: LIE,
          thread: at,
        }).operations.some(({ content }) => isExecution(content)),
    )
    assert.ok(thread !== undefined && period)
    const evil = await forgeSlot(thread, (slot) => unbind(slot, thread))
    const alone = await join(new Map([['evil', evil]]))
    await alone.bootstrap.look()
    assert.deepEqual(alone.offences, [])
    assert.equal(alone.bootstrap.status()?.waitsFor, 'anchor')
    assert.ok(((await alone.store.readRange())?.first ?? 0) > LIE)
    const both = await join(
      new Map([
        ['evil', evil],
        ['honest', whole],
      ]),
    )
    await both.bootstrap.look()
    assert.deepEqual(await describeBriefly(both.store), wholeArchive)
  })

  it('a block newer than this release, whose id is not known here: nobody is blamed for it', async () => {
    const evil = await forgeSlot(3, (slot) => {
      if (slot.kind !== 'block') return slot
      const block = readBlockRecord(new ByteReader(slot.record), NETWORK, { period: LIE, thread: 3 })
      const headerContent = encodeHeaderContent({ ...block.header, currentVersion: MAX_HEADER_VERSION + 1 })
      return { ...slot, record: encodeBlockRecord({ ...block, headerContent }) }
    })
    const joiner = await join(new Map([['evil', evil]]))
    await joiner.bootstrap.look()
    assert.deepEqual(joiner.offences, [])
    assert.equal(joiner.bootstrap.status()?.waitsFor, 'anchor')
  })

  it('a peer that never has anything is asked after all others', async () => {
    const joiner = await join(
      new Map([
        ['empty', await openStore()],
        ['honest', whole],
      ]),
    )
    await joiner.bootstrap.look()
    assert.deepEqual(await describeBriefly(joiner.store), wholeArchive)
    const [empty, honest] = ['empty', 'honest'].map((peer) => joiner.peers.countOf(peer))
    assert.ok((empty ?? 0) * 2 < (honest ?? 0), `${empty} and ${honest}`)
    assert.deepEqual(joiner.offences, [])
  })

  it('a peer that says it has what it never gives is passed over', async () => {
    const joiner = await join(
      new Map([
        ['evil', whole],
        ['honest', whole],
      ]),
      (peers) => {
        peers.answer = async (peer, name, honest, request) =>
          peer === 'evil' && name !== 'manifest' ? [Uint8Array.of(1, 1)] : honest(request)
      },
    )
    await joiner.bootstrap.look()
    assert.deepEqual(await describeBriefly(joiner.store), wholeArchive)
    assert.deepEqual(joiner.offences, [])
  })

  it('20 peers that never answer are waited for alone 3 s each before an honest one is asked, and once', async () => {
    const silent = Array.from({ length: 20 }, (_, i) => `silent ${i}`)
    const joiner = await join(new Map([...silent, 'honest'].map((name) => [name, whole])))
    joiner.peers.answer = async (peer, _name, honest, request) => {
      if (peer === 'honest') return honest(request)
      await joiner.clock.sleep(30_000)
      throw new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'injected')
    }
    const beganMs = joiner.clock.monotonicMs()
    await joiner.bootstrap.look()
    assert.deepEqual(await describeBriefly(joiner.store), wholeArchive)
    assert.equal(
      joiner.peers.asked.findIndex(({ peer }) => peer === 'honest'),
      20,
    )
    assert.ok(silent.every((peer) => joiner.peers.countOf(peer) <= 2))
    assert.ok(joiner.clock.monotonicMs() - beganMs < 120_000, `${joiner.clock.monotonicMs() - beganMs}`)
  })

  it('a chunk that does not hash to its id costs the peer at once, and comes from another', async () => {
    const joiner = await join(
      new Map([
        ['evil', whole],
        ['honest', whole],
      ]),
      changeAnswers('evil', 'chunk', (frame) => frame.map((byte, i) => (i === frame.length - 1 ? byte ^ 1 : byte))),
    )
    await joiner.bootstrap.look()
    assert.deepEqual(await describeBriefly(joiner.store), wholeArchive)
    assert.ok(joiner.offences.some(({ offence }) => offence === 'wrongChunk'))
    assert.ok(joiner.offences.every(({ peer }) => peer === 'evil'))
  })
})

/** A block of a valid producer that claims a slot that has none; its parents are those that a block there would have. */
function makeExtra(chain: MadeChain): MadeBlock {
  const neighbour = blockAt(chain, LIE, 3)
  const { producer, header } = neighbour
  const parents = header.parents.map((parent, thread) => (thread === 3 ? neighbour.idBytes : parent))
  return signBlock(producer, { ...header, slot: { period: LIE, thread: 4 }, parents, endorsements: [] }, [])
}
