import assert from 'node:assert/strict'
import { verifyFilledBlock } from '../../../archiver/index.ts'
import {
  ArchiveError,
  type ChunkStore,
  formatBlockId,
  parseBlockId,
  type Slot,
  THREAD_COUNT,
} from '../../../core/index.ts'
import { encodeFilledBlock } from '../../../devnet/index.ts'
import {
  type BlockResponse,
  blockRequestCodec,
  blockResponseCodec,
  type Offence,
  type WantedBlock,
} from '../../../protocol-handler/index.ts'
import { createBlockService } from '../../../storage-worker/peers/block-service.ts'
import { GapFiller } from '../../../storage-worker/peers/gap-filler.ts'
import { PeerClient, type Requester } from '../../../storage-worker/peers/peer-client.ts'
import {
  type ArchiverHolder,
  describeArchive,
  giveFinal,
  holdArchiver,
  loseSpool,
  offerChain,
} from '../../archiver/archiver-holder.ts'
import { blockAt, chainOf, isSlotOf, NETWORK } from '../../archiver/made-chain.ts'
import { forgeBodies } from '../../archiver/tampering.ts'
import { settle, until } from '../../turns.ts'

const PERIODS = 10
const RESULTS = { spooled: 'taken', known: 'left', ignored: 'left', postponed: 'left', unbound: 'left' } as const
/** Two blocks lie behind each other, one in another thread; where thread 5 has none in period 6 nothing is to be found. */
const LOST = [
  { period: 3, thread: 5 },
  { period: 4, thread: 5 },
  { period: 4, thread: 9 },
]

describe('storage-worker/peers: gaps are filled from other sidecars', () => {
  const chain = chainOf('peers fill gaps', PERIODS, {
    missRate: 0.05,
    missedSlots: [{ period: 6, thread: 5 }],
    operationsPerBlock: 2,
  })
  const isLost = ({ slot }: { slot: { period: number; thread: number } }) =>
    LOST.some((lost) => isSlotOf(lost)({ slot }))
  const offers = offerChain(chain)
  let whole: ArchiverHolder
  let wholeArchive: Map<number, string>
  const lastId = blockAt(chain, 4, 5).id

  before(async () => {
    whole = await holdArchiver({ network: NETWORK })
    await giveFinal(whole, offers)
    await until(() => whole.archivedPeriods.length >= PERIODS)
    await settle()
    await whole.archiver.stop()
    wholeArchive = await describeArchive(whole.store)
    assert.equal(offers.filter(isLost).length, LOST.length)
  })

  /** Answers of peers by name; each may be changed on its way. */
  class Peers implements Requester {
    readonly asked: { readonly peer: string; readonly ids: number }[] = []
    readonly stores = new Map<string, ChunkStore>()
    change: (peer: string, answer: BlockResponse) => BlockResponse | Uint8Array = (_, answer) => answer

    async request(peer: string, name: string, options: { bytes: Uint8Array; frames: number }): Promise<Uint8Array[]> {
      assert.equal(name, 'block')
      const request = blockRequestCodec.decode(options.bytes)
      assert.equal(options.frames, request.blocks.length)
      this.asked.push({ peer, ids: request.blocks.length })
      const store = this.stores.get(peer)
      if (!store) throw new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'injected')
      const frames = await createBlockService(store).answer(request, 'asker')
      return frames.map((frame) => {
        const changed = this.change(peer, blockResponseCodec.decode(frame))
        return changed instanceof Uint8Array ? changed : blockResponseCodec.encode(changed)
      })
    }
  }

  async function setUp(peerNames: readonly string[]) {
    const holder = await holdArchiver({ network: NETWORK })
    for (let period = 1; period <= PERIODS; period++) {
      await giveFinal(
        holder,
        offers.filter((offer) => offer.slot.period === period && !isLost(offer)),
      )
      await settle(10)
    }
    await until(() => holder.archivedPeriods.includes(PERIODS - 1))
    assert.equal(holder.archiver.status().gaps.length, 2)
    const peers = new Peers()
    for (const peer of peerNames) peers.stores.set(peer, whole.store)
    const offences: { readonly peer: string; readonly offence: Offence }[] = []
    const failures: unknown[] = []
    const filler = new GapFiller(
      { network: NETWORK },
      {
        client: new PeerClient(peers, (peer, offence) => offences.push({ peer, offence }), { clock: holder.clock }),
        ports: {
          listGaps: () => holder.archiver.status().gaps,
          listPeers: () => peerNames.map((peer) => ({ peer, firstPeriod: 0, isRegistered: false })),
          takeBlock: async (id, filledBlock) => {
            const result = await holder.archiver.takePeerBlock(id, filledBlock)
            return result in RESULTS ? RESULTS[result as keyof typeof RESULTS] : 'wrong'
          },
          onWrong: (peer) => offences.push({ peer, offence: 'reject' }),
        },
        clock: holder.clock,
        onFailure: (error) => failures.push(error),
      },
    )
    return { holder, peers, filler, offences, failures }
  }

  /** All that the archiver held and had not archived is gone, and it starts again. */
  async function restartWithoutSpool(holder: ArchiverHolder): Promise<void> {
    await holder.archiver.stop()
    await loseSpool(holder.spool)
    await holder.restart()
  }

  const isChildOf =
    (thread: number, parent: string) =>
    ({ slot }: { slot: Slot }): boolean =>
      slot.thread === thread && chain.blockAt(slot.period, thread)?.header.parents.map(formatBlockId)[thread] === parent

  async function assertFilled(holder: ArchiverHolder): Promise<void> {
    await until(() => [3, 4, 5].every((period) => holder.archivedPeriods.includes(period)), 'the filling')
    await settle()
    assert.deepEqual(holder.archiver.status().gaps, [])
    assert.deepEqual(await describeArchive(holder.store), wholeArchive)
    await holder.archiver.stop()
  }

  async function assertUnchanged(holder: ArchiverHolder): Promise<void> {
    await settle()
    assert.equal(holder.archiver.status().gaps.length, 2)
    assert.deepEqual(
      holder.archivedPeriods.filter((period) => period >= 3 && period <= 5),
      [],
    )
    await holder.archiver.stop()
  }

  it('from the child to its parent, and the archive is the one of who saw all of it', async () => {
    const { holder, peers, filler, offences } = await setUp(['a'])
    assert.equal(await filler.fill(), 3)
    assert.deepEqual(peers.asked, [
      { peer: 'a', ids: 2 },
      { peer: 'a', ids: 1 },
    ])
    assert.deepEqual(offences, [])
    assert.equal(filler.filledBlocks, 3)
    await assertFilled(holder)
  })

  it('below archived periods, as after a restart that found no spool: the child stands above what is open', async () => {
    const { holder, filler, offences } = await setUp(['a'])
    await restartWithoutSpool(holder)
    const gaps = holder.archiver.status().gaps
    assert.equal(gaps.length, THREAD_COUNT)
    assert.deepEqual([...new Set(gaps.map(({ lastPeriod }) => lastPeriod))], [5])
    assert.deepEqual(
      gaps.map(({ childPeriod }) => childPeriod),
      gaps.map(({ thread, missing }) => offers.find(isChildOf(thread, missing))?.slot.period),
    )
    const lost = offers.filter(({ slot }) => slot.period >= 3 && slot.period <= 5)
    assert.equal(await filler.fill(), lost.length)
    assert.deepEqual(offences, [])
    await assertFilled(holder)
  })

  it('by several peers, each block asked of one', async () => {
    const { holder, peers, filler } = await setUp(['a', 'b'])
    assert.equal(await filler.fill(), 3)
    assert.deepEqual(
      peers.asked.slice(0, 2).map(({ ids }) => ids),
      [1, 1],
    )
    await assertFilled(holder)
  })

  it('by a peer that lacked them at first: it is asked again soon, and then ever later, up to ten minutes', async () => {
    const { holder, peers, filler } = await setUp(['a'])
    peers.change = (_, answer) => ({ status: 'notHeld', id: answer.id })
    const waits = []
    for (const waitMs of [15_000, 30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000]) {
      await filler.fill()
      const count = peers.asked.length
      holder.clock.advance(waitMs - 1)
      await filler.fill()
      waits.push(peers.asked.length === count)
      holder.clock.advance(1)
    }
    assert.deepEqual(waits, Array(8).fill(true))
    peers.change = (_, answer) => answer
    assert.equal(await filler.fill(), 3)
    await assertFilled(holder)
  })

  it('by another peer when one cannot be reached or lacks them; it is asked again later', async () => {
    const { holder, peers, filler, failures } = await setUp(['away', 'a'])
    peers.stores.delete('away')
    peers.change = (_, answer) => ({ status: 'notHeld', id: answer.id })
    assert.equal(await filler.fill(), 0)
    const count = peers.asked.length
    assert.equal(await filler.fill(), 0)
    assert.equal(peers.asked.length, count)
    assert.ok(failures.every((error) => (error as { code: string }).code === 'PROTOCOL_PEER_UNREACHABLE'))
    assert.ok(failures.length > 0)
    peers.change = (_, answer) => answer
    holder.clock.advance(15_000)
    assert.equal(await filler.fill(), 3)
    await assertFilled(holder)
  })

  const wrongAnswers: [string, (answer: BlockResponse & { status: 'ok' }) => BlockResponse | Uint8Array][] = [
    ['another block than was asked for', (answer) => ({ ...answer, id: parseBlockId(blockAt(chain, 8, 8).id) })],
    ['a record that hashes to another id', (answer) => ({ ...answer, record: flip(answer.record, 60) })],
    ['a record with a byte behind it', (answer) => ({ ...answer, record: Uint8Array.of(...answer.record, 0) })],
    ['a signature too few', (answer) => ({ ...answer, seals: answer.seals.subarray(64) })],
    ['a wrong signature of the header', (answer) => ({ ...answer, seals: flip(answer.seals, 5) })],
    ['a wrong signature of an operation', (answer) => ({ ...answer, seals: flip(answer.seals, 64 + 5) })],
    ['what is no message', () => Uint8Array.of(1, 9)],
  ]
  for (const [what, change] of wrongAnswers) {
    it(`hostile peer: ${what} costs it and changes nothing; an honest one fills the gap`, async () => {
      const { holder, peers, filler, offences } = await setUp(['evil', 'honest'])
      peers.change = (peer, answer) => (peer === 'evil' && answer.status === 'ok' ? change({ ...answer }) : answer)
      await filler.fill()
      assert.ok(offences.length > 0)
      assert.deepEqual([...new Set(offences.map(({ peer }) => peer))], ['evil'])
      await assertFilled(holder)
    })

    it(`hostile peer alone: ${what}: the gap stays`, async () => {
      const { holder, peers, filler } = await setUp(['evil'])
      peers.change = (_, answer) => (answer.status === 'ok' ? change({ ...answer }) : answer)
      assert.equal(await filler.fill(), 0)
      await assertUnchanged(holder)
    })
  }

  describe('operations whose bytes no id binds', () => {
    const victim = blockAt(chain, 4, 5)
    const forged = forgeBodies(victim, NETWORK.chainId)

    it('hostile peer: a forged body is not taken and waits for an honest one; a massa-node is believed', async () => {
      assert.equal(verifyFilledBlock(forged, NETWORK.chainId, victim.id).unverifiedBodies, victim.operations.length)
      const { holder, peers, filler, offences } = await setUp(['evil', 'honest'])
      assert.equal(await holder.archiver.takePeerBlock(victim.id, forged), 'unbound')
      const { record, seals } = verifyFilledBlock(forged, NETWORK.chainId, victim.id)
      peers.change = (peer, answer) => {
        const isForged = peer === 'evil' && answer.status === 'ok' && formatBlockId(answer.id) === victim.id
        return isForged ? { ...answer, record, seals } : answer
      }
      assert.equal(await filler.fill(), 3)
      assert.deepEqual(offences, [])
      await assertFilled(holder)
      const { holder: other } = await setUp([])
      assert.equal(await other.archiver.takeBlock(0, forged, victim.id), 'spooled')
      await other.archiver.stop()
    })

    it('one that a node gives while that of a peer is looked at is taken', async () => {
      const { holder } = await setUp([])
      const results = await Promise.all([
        holder.archiver.takePeerBlock(victim.id, forged),
        holder.archiver.takeBlock(0, encodeFilledBlock(victim), victim.id),
      ])
      assert.deepEqual(results, ['unbound', 'spooled'])
      await holder.archiver.stop()
    })
  })

  it('a valid block that is not missing is not taken', async () => {
    const { holder } = await setUp([])
    const rival = chain.makeRival(blockAt(chain, 4, 9))
    const [offer] = offerChain({ ...chain, blocks: new Map([[0, rival]]) })
    assert.ok(offer)
    assert.equal(await holder.archiver.takePeerBlock(offer.id, offer.filledBlock), 'ignored')
    await assertUnchanged(holder)
  })

  describe('what is served', () => {
    const ask = async (store: ChunkStore, wanted: Partial<WantedBlock>) => {
      const request = { blocks: [{ thread: 5, beforePeriod: 5, id: parseBlockId(lastId), ...wanted }] }
      const [frame = new Uint8Array()] = await createBlockService(store).answer(request, 'asker')
      return blockResponseCodec.decode(frame).status
    }

    it('is the last block of the thread before the period, past misses, if it has the id', async () => {
      assert.equal(await ask(whole.store, {}), 'ok')
      assert.equal(await ask(whole.store, { beforePeriod: 4 }), 'notHeld')
      assert.equal(await ask(whole.store, { beforePeriod: 6 }), 'notHeld')
      assert.equal(await ask(whole.store, { thread: 6 }), 'notHeld')
      const beforeMiss = blockAt(chain, 5, 5).id
      assert.equal(await ask(whole.store, { beforePeriod: 7, id: parseBlockId(beforeMiss) }), 'ok')
      assert.equal(await ask(whole.store, { beforePeriod: 6, id: parseBlockId(beforeMiss) }), 'ok')
      assert.equal(await ask(whole.store, { beforePeriod: 0 }), 'notHeld')
      assert.equal(await ask(whole.store, { beforePeriod: Number.MAX_SAFE_INTEGER }), 'notHeld')
    })

    it('is nothing where the archive of the one who is asked has a hole itself', async () => {
      const { holder } = await setUp([])
      await holder.archiver.stop()
      assert.equal(await ask(holder.store, {}), 'notHeld')
      assert.equal(await ask(holder.store, { beforePeriod: 6, id: parseBlockId(blockAt(chain, 5, 5).id) }), 'notHeld')
    })

    it('looks 1,024 periods back and no further', async () => {
      const manifests: number[] = []
      const store = new Proxy(whole.store, {
        get: (target, name) => {
          if (name !== 'readManifest') return Reflect.get(target, name).bind?.(target) ?? Reflect.get(target, name)
          return async (period: number) => {
            manifests.push(period)
            return { ...(await target.readManifest(4)), period, bitmap: 0 }
          }
        },
      })
      assert.equal(await ask(store, { beforePeriod: 5_000, id: parseBlockId(lastId) }), 'notHeld')
      assert.deepEqual([manifests.length, manifests[0], manifests.at(-1)], [1_024, 4_999, 3_976])
    })
  })
})

function flip(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
}
