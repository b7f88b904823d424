import assert from 'node:assert/strict'
import { ConflictMark } from '../../archiver/conflict-mark.ts'
import { NODE_GRACE_MS } from '../../archiver/node-presence.ts'
import { ArchiveError, type Period, type Slot, slotIndex } from '../../core/index.ts'
import type { MadeChain } from '../../devnet/index.ts'
import { hasCode } from '../suites/chunk-store-suite.ts'
import { settle, until } from '../turns.ts'
import {
  type ArchiverHolder,
  type FinalOffer,
  giveFinal,
  type HolderOptions,
  holdArchiver,
  offerChain,
  offerMadeBlock,
  reportFinal,
} from './archiver-holder.ts'
import { override } from './failing-store.ts'
import { inlineCpu } from './inline-cpu.ts'
import { blockAt, chainOf, NETWORK } from './made-chain.ts'

const FORK: Slot = { period: 3, thread: 3 }
/** The first slot where both chains have a block, and not the same. */
const FIRST_DIFFERENT: Slot = { period: 3, thread: 4 }
const LAST = 6
const HOSTILE = 0
const HONEST = 1
const BEFORE = [0, 1, 2]
const ALL = [...BEFORE, 3, 4, 5, 6]

describe('archiver: nodes of different minds', () => {
  let honest: MadeChain
  let fork: MadeChain
  let held: ArchiverHolder | undefined
  before(() => {
    honest = chainOf('conflict', LAST, { operationsPerBlock: 0 })
    fork = chainOf('conflict', LAST, { operationsPerBlock: 0, missedSlots: [FORK] })
  })
  afterEach(async () => {
    const holder = held
    held = undefined
    await holder?.archiver.stop()
  })

  async function hold(nodeCount: number, options: Partial<HolderOptions> = {}): Promise<ArchiverHolder> {
    const holder = await holdArchiver({ network: NETWORK, nodeCount, ...options })
    held = holder
    return holder
  }

  /** A node says all it knows of these periods, once. */
  async function speak(holder: ArchiverHolder, node: number, chain: MadeChain, to = LAST, from = 0): Promise<void> {
    const offers = offerChain(chain).filter(({ slot }) => slot.period >= from && slot.period <= to)
    await giveFinal(holder, offers, node)
    await settle(20)
  }

  /** Minutes in which one node speaks every second that matters and others fail. */
  async function passMinutes(holder: ArchiverHolder, node: number, chain: MadeChain, failing: number[]): Promise<void> {
    for (let tenSeconds = 0; tenSeconds < 18; tenSeconds++) {
      for (const other of failing) holder.archiver.onNodeDown(other)
      await giveFinal(holder, offersAt(chain, LAST), node)
      holder.clock.advance(10_000)
      await settle(5)
    }
    await speak(holder, node, chain)
    await settle()
  }

  function offersAt(chain: MadeChain, period: Period): FinalOffer[] {
    return offerChain(chain).filter(({ slot }) => slot.period === period)
  }

  function countSaid({ logged }: ArchiverHolder, code: string): number {
    return logged.filter((line) => line.code === code).length
  }

  function assertArchived(holder: ArchiverHolder, periods: readonly Period[]): void {
    assert.deepEqual(holder.archivedPeriods, periods)
  }

  /** Two nodes that agreed about the periods up to 2 and then did not. */
  async function raiseConflict(options: Partial<HolderOptions> = {}): Promise<ArchiverHolder> {
    const holder = await hold(2, options)
    for (const node of [HOSTILE, HONEST]) await speak(holder, node, honest, 2)
    await until(() => holder.archivedPeriods.includes(2))
    await speak(holder, HOSTILE, fork)
    await speak(holder, HONEST, honest)
    assert.deepEqual(holder.archiver.status().conflict?.slot, FIRST_DIFFERENT)
    assertArchived(holder, BEFORE)
    return holder
  }

  describe('two nodes, restart during a conflict', () => {
    it('honest one late: the conflict stands from the start on, whoever answers first, until both name the same', async () => {
      const holder = await raiseConflict()
      await holder.restart()
      const claims = new Map([
        [HOSTILE, blockAt(fork, 3, 4).id],
        [HONEST, blockAt(honest, 3, 4).id],
      ])
      assert.deepEqual(holder.archiver.status().conflict, { slot: FIRST_DIFFERENT, claims })
      assert.equal(countSaid(holder, 'ARCHIVER_NODE_CONFLICT'), 2)
      await speak(holder, HOSTILE, fork)
      holder.clock.advance(1_500)
      await speak(holder, HONEST, honest)
      await settle()
      assertArchived(holder, BEFORE)
      await speak(holder, HOSTILE, honest, LAST, 3)
      await until(() => holder.archivedPeriods.includes(LAST))
      assertArchived(holder, ALL)
      assert.ok(await holder.store.readManifest(3))
      assert.equal(holder.archiver.status().conflict, undefined)
      assert.equal(holder.archiver.status().halted, undefined)
      await holder.restart()
      assert.equal(holder.archiver.status().conflict, undefined)
      assert.equal(countSaid(holder, 'ARCHIVER_CONFLICT_DROPPED'), 0)
    })

    it('honest one down: nothing of the fork is archived, however long it is down', async () => {
      const holder = await raiseConflict()
      await holder.restart()
      await passMinutes(holder, HOSTILE, fork, [HONEST])
      assertArchived(holder, BEFORE)
      assert.deepEqual(holder.archiver.status().conflict?.slot, FIRST_DIFFERENT)
      assert.equal(countSaid(holder, 'ARCHIVER_NODE_ALONE'), 0)
    })

    it('in another order of the configuration: each keeps what it said', async () => {
      const holder = await raiseConflict()
      const [hostileUrl, honestUrl] = ['node-0:33037', 'node-1:33037']
      await holder.restart([honestUrl, 'node-2:33037', hostileUrl])
      const claims = [...(holder.archiver.status().conflict?.claims ?? [])]
      assert.deepEqual(
        new Map(claims),
        new Map([
          [0, blockAt(honest, 3, 4).id],
          [2, blockAt(fork, 3, 4).id],
        ]),
      )
      // With a third node the majority decides.
      await speak(holder, 2, fork)
      await speak(holder, 0, honest)
      await settle()
      assertArchived(holder, BEFORE)
      await speak(holder, 1, honest)
      await until(() => holder.archivedPeriods.includes(LAST))
      assert.equal(holder.archiver.status().conflict, undefined)
    })

    it('and a node of it is no longer configured: the operator has decided, which is said (ARCHIVER_CONFLICT_DROPPED)', async () => {
      for (const urls of [['node-1:33037'], ['node-1:33037', 'node-9:33037']]) {
        const holder = await raiseConflict()
        await holder.restart(urls)
        assert.equal(countSaid(holder, 'ARCHIVER_CONFLICT_DROPPED'), 1)
        assert.equal(holder.archiver.status().conflict, undefined)
        for (const node of urls.keys()) await speak(holder, node, honest)
        await until(() => holder.archivedPeriods.includes(LAST))
        await holder.restart()
        assert.equal(countSaid(holder, 'ARCHIVER_CONFLICT_DROPPED'), 1)
        assert.equal(holder.archiver.status().conflict, undefined)
        await holder.archiver.stop()
      }
    })

    it('about a period that is archived by now: gone', async () => {
      const holder = await hold(2)
      for (const node of [0, 1]) await speak(holder, node, honest, 2)
      const claims = new Map([
        ['node-0:33037', blockAt(honest, 2, 9).id],
        ['node-1:33037', honest.makeRival(blockAt(honest, 2, 9)).id],
      ])
      await new ConflictMark(holder.spool).keep({ slot: { period: 2, thread: 9 }, claims })
      await holder.restart()
      assert.equal(holder.archiver.status().conflict, undefined)
      assert.equal(countSaid(holder, 'ARCHIVER_CONFLICT_DROPPED'), 1)
      for (const node of [0, 1]) await speak(holder, node, honest)
      await until(() => holder.archivedPeriods.includes(LAST))
    })

    it('which both nodes have forgotten: what descends from it, named by both, decides', async () => {
      const holder = await raiseConflict()
      await holder.restart()
      await speak(holder, HOSTILE, honest, LAST, 5)
      await settle()
      assertArchived(holder, BEFORE)
      await speak(holder, HONEST, honest, LAST, 5)
      await speak(holder, HOSTILE, honest, LAST, 5)
      await until(() => holder.archivedPeriods.includes(LAST))
      assertArchived(holder, ALL)
      assert.equal(holder.archiver.status().conflict, undefined)
    })

    it('fault: a conflict that could not be kept at once is, within a second', async () => {
      let isFull = true
      const holder = await hold(2, {
        wrap: ({ store, spool }) => ({
          store,
          spool: override(spool, {
            putMark: async (name, bytes) => {
              if (isFull && name === 'conflict') throw new ArchiveError('STORE_DISK_FULL', 'injected')
              await spool.putMark(name, bytes)
            },
          }),
        }),
      })
      await speak(holder, HOSTILE, fork)
      await assert.rejects(speak(holder, HONEST, honest), hasCode('STORE_DISK_FULL'))
      isFull = false
      holder.clock.advance(1_000)
      await settle()
      await holder.restart()
      assert.deepEqual(holder.archiver.status().conflict?.slot, FIRST_DIFFERENT)
    })

    it('fault: what was kept is damaged: the start says what to do (ARCHIVER_CONFLICT_UNREADABLE); one node alone starts', async () => {
      const holder = await raiseConflict()
      const mark = await holder.spool.readMark('conflict')
      assert.ok(mark)
      const newer = mark.slice()
      newer[0] = 2
      for (const bytes of [newer, mark.subarray(0, -1), new Uint8Array(0)]) {
        await holder.spool.putMark('conflict', bytes)
        await assert.rejects(holder.restart(), (error: unknown) => {
          assert.ok(error instanceof ArchiveError && error.message.includes('grpc_urls'))
          return hasCode('ARCHIVER_CONFLICT_UNREADABLE')(error)
        })
      }
      await holder.restart(['node-1:33037'])
      assert.equal(countSaid(holder, 'ARCHIVER_CONFLICT_DROPPED'), 1)
      await speak(holder, 0, honest)
      await until(() => holder.archivedPeriods.includes(LAST))
      await holder.restart()
    })
  })

  describe('two nodes', () => {
    it('at a start: one that was not asked yet is waited for, and has its say', async () => {
      const holder = await hold(2)
      await speak(holder, HOSTILE, fork)
      holder.clock.advance(5_000)
      await settle()
      assertArchived(holder, [])
      await speak(holder, HONEST, honest)
      await until(() => holder.archivedPeriods.includes(2))
      await settle()
      assertArchived(holder, BEFORE)
      assert.deepEqual(holder.archiver.status().conflict?.slot, FIRST_DIFFERENT)
    })

    it('at a start that takes long: one that could not be asked yet is waited for all the same', async () => {
      const holder = await hold(2, {
        wrap: ({ store, spool }) => ({
          store,
          spool: override(spool, {
            listFinals: () => {
              held?.clock.advance(2 * NODE_GRACE_MS)
              return spool.listFinals()
            },
          }),
        }),
      })
      for (const node of [0, 1]) await speak(holder, node, honest, 2)
      await holder.restart()
      await speak(holder, HOSTILE, fork)
      await settle()
      assertArchived(holder, BEFORE)
    })

    it('limit: one that fails is waited for, for a minute; then the other decides alone, which is said once (ARCHIVER_NODE_ALONE)', async () => {
      const holder = await hold(2)
      for (const node of [0, 1]) await speak(holder, node, honest, 1)
      holder.archiver.onNodeDown(1)
      holder.clock.advance(NODE_GRACE_MS - 1)
      holder.archiver.onNodeDown(1)
      await speak(holder, 0, honest)
      assertArchived(holder, [0, 1])
      holder.clock.advance(1)
      await speak(holder, 0, honest)
      await until(() => holder.archivedPeriods.includes(LAST))
      const said = holder.logged.filter(({ code }) => code === 'ARCHIVER_NODE_ALONE')
      assert.equal(said.length, 1)
      assert.equal(said[0]?.level, 'warn')
      assert.equal(said[0]?.slot, '(2, 0)')
      assert.equal(said[0]?.url, 'node-0:33037')
    })

    it('of which one fails now and then, or takes minutes over its first answer: it is waited for', async () => {
      const failing = await hold(2)
      for (const node of [0, 1]) await speak(failing, node, honest, 2)
      for (let i = 0; i < 3; i++) {
        failing.archiver.onNodeDown(1)
        failing.clock.advance(NODE_GRACE_MS - 1)
        await speak(failing, 0, fork)
        await failing.archiver.onClaims(1, [])
      }
      assertArchived(failing, BEFORE)
      await failing.archiver.stop()
      const slow = await hold(2)
      reportFinal(slow, 1, { period: LAST, thread: 31 })
      slow.clock.advance(3 * NODE_GRACE_MS)
      await speak(slow, 0, fork)
      assertArchived(slow, [])
    })

    it('of which one gives its status and nothing else: it is down like any that fails', async () => {
      const holder = await hold(2)
      for (const node of [0, 1]) await speak(holder, node, honest, 1)
      for (let second = 0; second <= NODE_GRACE_MS / 1_000; second++) {
        reportFinal(holder, 1, { period: LAST, thread: 31 })
        holder.archiver.onNodeDown(1)
        holder.clock.advance(1_000)
      }
      await speak(holder, 0, honest)
      await until(() => holder.archivedPeriods.includes(LAST))
    })

    it('a conflict is not forgotten when a node of it restarts and stays away', async () => {
      const holder = await raiseConflict()
      holder.archiver.onNodeRestart(HONEST)
      await passMinutes(holder, HOSTILE, fork, [HONEST])
      assertArchived(holder, BEFORE)
      assert.deepEqual(holder.archiver.status().conflict?.slot, FIRST_DIFFERENT)
    })

    it('what a node said before it restarted does not count: no conflict with what it says now', async () => {
      const holder = await hold(2)
      for (const node of [0, 1]) await speak(holder, node, honest, 2)
      await giveFinal(holder, [offerMadeBlock(honest.makeRival(blockAt(honest, 3, 9)))], 1)
      holder.archiver.onNodeRestart(1)
      await speak(holder, 0, honest)
      await speak(holder, 1, honest, LAST, 5)
      await until(() => holder.archivedPeriods.includes(LAST))
      assert.equal(countSaid(holder, 'ARCHIVER_NODE_CONFLICT'), 0)
    })
  })

  describe('three nodes', () => {
    it('two late: the one that answers decides nothing, however long, and what is waited for is shown', async () => {
      const holder = await hold(3)
      await speak(holder, 0, fork)
      await passMinutes(holder, 0, fork, [])
      assertArchived(holder, [])
      assert.deepEqual(holder.archiver.status().awaited, { slot: { period: 1, thread: 0 }, nodes: [1, 2] })
      await speak(holder, 1, honest)
      await speak(holder, 2, honest)
      await until(() => holder.archivedPeriods.includes(LAST))
      assertArchived(holder, ALL)
      assert.equal(holder.refused.length, 0)
      assert.equal(countSaid(holder, 'ARCHIVER_CHAIN_REPLACED'), 0)
    })

    it('running, two fail for a moment or for minutes: the third decides nothing', async () => {
      const holder = await hold(3)
      for (const node of [0, 1, 2]) await speak(holder, node, honest, 2)
      for (const node of [1, 2]) holder.archiver.onNodeDown(node)
      await speak(holder, 0, fork)
      assertArchived(holder, BEFORE)
      await passMinutes(holder, 0, fork, [1, 2])
      assertArchived(holder, BEFORE)
      for (const node of [1, 2]) await speak(holder, node, honest)
      await until(() => holder.archivedPeriods.includes(LAST))
      assertArchived(holder, ALL)
      assert.equal(countSaid(holder, 'ARCHIVER_CHAIN_REPLACED'), 0)
    })

    it('running, one is down: the two that agree go on at once', async () => {
      const holder = await hold(3)
      for (const node of [0, 1, 2]) await speak(holder, node, honest, 2)
      holder.archiver.onNodeDown(2)
      for (const node of [0, 1]) await speak(holder, node, honest)
      await until(() => holder.archivedPeriods.includes(LAST))
      assert.equal(countSaid(holder, 'ARCHIVER_NODE_ALONE'), 0)
    })
  })

  describe('a period in hand', () => {
    /** Both nodes named period 3, which is on its way to disk; then one names another block of it. */
    async function disagreeAbout3(holder: ArchiverHolder): Promise<void> {
      const rival = offerMadeBlock(honest.makeRival(blockAt(honest, 3, 9)))
      await giveFinal(holder, [rival], HOSTILE)
      assert.deepEqual(holder.archiver.status().conflict?.slot, { period: 3, thread: 9 })
    }

    function halt(holder: ArchiverHolder): Promise<void> {
      const { id } = honest.makeRival(blockAt(honest, 2, 9))
      return holder.archiver.onClaims(HOSTILE, [{ slot: { period: 2, thread: 9 }, id }])
    }

    it('that waits for a full store is not written once nodes disagree about it, and is when they agree again', async () => {
      let isFull = true
      let encoded = 0
      const holder = await hold(2, {
        cpu: {
          ...inlineCpu,
          encodePeriod(job) {
            if (job.decided.period === 3) encoded++
            return inlineCpu.encodePeriod(job)
          },
        },
        wrap: ({ store, spool }) => ({
          spool,
          store: override(store, {
            writePeriod: async (period) => {
              if (isFull && period.manifest.period === 3) throw new ArchiveError('STORE_WRITE_FAILED', 'injected')
              await store.writePeriod(period)
            },
          }),
        }),
      })
      for (const node of [0, 1]) await speak(holder, node, honest, 3)
      await until(() => holder.archiver.status().stalled !== undefined)
      await disagreeAbout3(holder)
      isFull = false
      for (let i = 0; i < 5; i++) {
        holder.clock.advance(2_000)
        await settle(10)
      }
      assertArchived(holder, BEFORE)
      assert.equal(encoded, 1)
      await giveFinal(holder, offersAt(honest, 3), HOSTILE)
      await until(() => holder.archivedPeriods.includes(3))
    })

    it('that is being written when a node begins to differ is archived, and from then on another block of it is another chain', async () => {
      let release = (): void => undefined
      const released = new Promise<void>((resolve) => {
        release = resolve
      })
      let isWriting = false
      const holder = await hold(2, {
        wrap: ({ store, spool }) => ({
          spool,
          store: override(store, {
            writePeriod: async (period) => {
              if (period.manifest.period === 3) {
                isWriting = true
                await released
              }
              await store.writePeriod(period)
            },
          }),
        }),
      })
      for (const node of [0, 1]) await speak(holder, node, honest, 3)
      await until(() => isWriting)
      await disagreeAbout3(holder)
      release()
      await until(() => holder.archivedPeriods.includes(3))
      for (const node of [0, 1]) await speak(holder, node, honest)
      await until(() => holder.archivedPeriods.includes(LAST))
      assert.equal(holder.archiver.status().conflict, undefined)
      const rival = honest.makeRival(blockAt(honest, 3, 9))
      await holder.archiver.onClaims(HOSTILE, [{ slot: rival.slot, id: rival.id }])
      assert.equal(holder.archiver.status().halted?.code, 'ARCHIVER_CHAIN_REPLACED')
    })

    for (const [what, stop] of [
      ['nodes disagree about it', disagreeAbout3],
      ['archiving is halted', halt],
    ] as const) {
      it(`that is being encoded is not written when ${what}`, async () => {
        let release = (): void => undefined
        const released = new Promise<void>((resolve) => {
          release = resolve
        })
        let isEncoding = false
        const holder = await hold(2, {
          cpu: {
            ...inlineCpu,
            encodePeriod: async (job) => {
              if (job.decided.period === 3) {
                isEncoding = true
                await released
              }
              return inlineCpu.encodePeriod(job)
            },
          },
        })
        for (const node of [0, 1]) await speak(holder, node, honest, 3)
        await until(() => isEncoding)
        await stop(holder)
        release()
        await settle()
        assertArchived(holder, BEFORE)
        assert.equal(await holder.store.readManifest(3), undefined)
      })
    }
  })

  it('the two chains are one up to the fork', () => {
    const differ = [...honest.blocks.values()].filter(({ slot, id }) => {
      const other = fork.blockAt(slot.period, slot.thread)
      return other !== undefined && other.id !== id
    })
    assert.deepEqual(differ[0]?.slot, FIRST_DIFFERENT)
    assert.ok(slotIndex(FORK) < slotIndex(FIRST_DIFFERENT))
  })
})
