import assert from 'node:assert/strict'
import {
  ArchiveError,
  type ChunkStore,
  type ErrorCode,
  RawFilledBlockCodec,
  SecureHashCodec,
  type Slot,
  slotIndex,
} from '../../core/index.ts'
import { makeChain } from '../../devnet/index.ts'
import { settle, until } from '../turns.ts'
import {
  type ArchiverHolder,
  giveFinal,
  holdArchiver,
  offerChain,
  offerMadeBlock,
  reportFinal,
} from './archiver-holder.ts'
import { inlineCpu } from './inline-cpu.ts'

const NETWORK = { chainId: 77n, genesisTimestampMs: 1_000_000n }
const RETRY_MS = 2_000

describe('archiver/archiver: what fails', () => {
  const chain = makeChain({ seed: 'failures', ...NETWORK, periods: 6, endorsements: 0 })
  const offers = offerChain(chain)
  const early = offers.filter(({ slot }) => slot.period <= 4)
  const late = offers.filter(({ slot }) => slot.period > 4)

  /** Fails at period 2, as often as `times` says. */
  function holdFailing(error: unknown, times = Number.POSITIVE_INFINITY): Promise<ArchiverHolder> {
    let left = times
    return holdArchiver({
      network: NETWORK,
      wrap: ({ store, spool }) => ({
        spool,
        store: new Proxy(store, {
          get: (target, name) => {
            if (name !== 'writePeriod') return bound(target, name)
            const writePeriod: ChunkStore['writePeriod'] = async (period) => {
              if (period.manifest.period === 2 && left-- > 0) throw error
              await target.writePeriod(period)
            }
            return writePeriod
          },
        }),
      }),
    })
  }

  async function passTries(holder: ArchiverHolder, tries: number): Promise<void> {
    for (let i = 0; i < tries; i++) {
      await settle()
      holder.clock.advance(RETRY_MS)
    }
    await settle()
  }

  /** Archiving stands, the head is followed into the spool. */
  async function assertHalted(holder: ArchiverHolder, code: ErrorCode): Promise<void> {
    const { halted, stalled } = holder.archiver.status()
    assert.equal(halted?.code, code)
    assert.equal(stalled, undefined)
    assert.deepEqual(holder.archivedPeriods, [0, 1])
    assert.equal(holder.logged.filter((line) => line.code === code && line.msg === 'archiving halted').length, 1)
    await giveFinal(holder, late)
    await passTries(holder, 2)
    assert.deepEqual(holder.archivedPeriods, [0, 1])
    for (const { id } of offers.filter(({ slot }) => slot.period >= 2)) assert.ok(holder.archiver.isKnown(id))
    assert.deepEqual(holder.fatal, [])
    await holder.archiver.stop()
  }

  it('a store that passes is tried for as long as it takes', async () => {
    for (const code of ['STORE_WRITE_FAILED', 'STORE_DISK_FULL', 'STORE_QUOTA_FULL', 'STORE_OPEN_FAILED'] as const) {
      const holder = await holdFailing(new ArchiveError(code, 'injected'), 20)
      await giveFinal(holder, offers)
      await passTries(holder, 19)
      assert.deepEqual(holder.archiver.status().stalled, { code, message: 'injected' })
      await passTries(holder, 1)
      await until(() => holder.archivedPeriods.includes(5))
      const { stalled, halted } = holder.archiver.status()
      assert.deepEqual({ stalled, halted }, { stalled: undefined, halted: undefined })
      await holder.archiver.stop()
    }
  })

  for (const code of ['STORE_PERIOD_CONFLICT', 'STORE_DATABASE_DAMAGED', 'STORE_READ_FAILED'] as const) {
    it(`error: ${code} halts the archiving after three tries`, async () => {
      const holder = await holdFailing(new ArchiveError(code, 'injected'))
      await giveFinal(holder, early)
      await passTries(holder, 2)
      await assertHalted(holder, code)
    })
  }

  it('error: a bug in the store halts the archiving at once, with its code', async () => {
    const holder = await holdFailing(new ArchiveError('STORE_PERIOD_INVALID', 'injected'))
    await giveFinal(holder, early)
    await settle()
    await assertHalted(holder, 'STORE_PERIOD_INVALID')
  })

  it('error: a bug of ours halts the archiving after three tries (ARCHIVER_PERIOD_FAILED)', async () => {
    const holder = await holdFailing(new TypeError('no function'))
    await giveFinal(holder, early)
    await passTries(holder, 1)
    assert.equal(holder.archiver.status().halted, undefined)
    await passTries(holder, 1)
    await assertHalted(holder, 'ARCHIVER_PERIOD_FAILED')
  })

  it('a thread that dies twice over a period is replaced, and the period archived', async () => {
    let deaths = 2
    const holder = await holdArchiver({
      network: NETWORK,
      cpu: {
        ...inlineCpu,
        encodePeriod: async (job) => {
          if (job.decided.period === 2 && deaths-- > 0) throw new Error('the worker ended')
          return inlineCpu.encodePeriod(job)
        },
      },
    })
    await giveFinal(holder, offers)
    await passTries(holder, 2)
    await until(() => holder.archivedPeriods.includes(6))
    assert.deepEqual(holder.archivedPeriods, [0, 1, 2, 3, 4, 5, 6])
    await holder.archiver.stop()
  })

  describe('one of two nodes names nothing', () => {
    /** Both up, both past everything; node 1 names what `isNamed` says. */
    async function holdTwo(isNamed: (slot: Slot) => boolean): Promise<ArchiverHolder> {
      const holder = await holdArchiver({ network: NETWORK, nodeCount: 2 })
      for (const node of [0, 1]) reportFinal(holder, node, { period: 6, thread: 31 })
      for (const { filledBlock, id } of offers) await holder.archiver.takeBlock(0, filledBlock, id)
      const claims = offers.map(({ slot, id }) => ({ slot, id }))
      await holder.archiver.onClaims(0, claims)
      await holder.archiver.onClaims(
        1,
        claims.filter(({ slot }) => isNamed(slot)),
      )
      return holder
    }

    async function passSeconds(holder: ArchiverHolder, seconds: number): Promise<void> {
      for (let i = 0; i < seconds; i++) {
        await settle(3)
        holder.clock.advance(1_000)
      }
      await settle()
    }

    it('for the slots at the head: said after a minute (ARCHIVER_SLOT_UNNAMED), until it names them', async () => {
      const holder = await holdTwo(({ period }) => period < 4)
      await passSeconds(holder, 55)
      assert.equal(holder.archiver.status().awaited, undefined)
      await passSeconds(holder, 10)
      assert.deepEqual(holder.archiver.status().awaited, { slot: { period: 4, thread: 0 }, nodes: [1] })
      assert.equal(holder.logged.filter(({ code }) => code === 'ARCHIVER_SLOT_UNNAMED').length, 1)
      assert.deepEqual(holder.archivedPeriods, [0, 1, 2, 3])
      await holder.archiver.onClaims(
        1,
        offers.map(({ slot, id }) => ({ slot, id })),
      )
      await until(() => holder.archivedPeriods.includes(6))
      await passSeconds(holder, 2)
      assert.equal(holder.archiver.status().awaited, undefined)
      await holder.archiver.stop()
    })

    it('for one slot that later blocks decide: nothing waits, nothing is said', async () => {
      const holder = await holdTwo(({ period, thread }) => period !== 4 || thread !== 7)
      await passSeconds(holder, 90)
      assert.deepEqual(holder.archivedPeriods, [0, 1, 2, 3, 4, 5, 6])
      assert.ok(!holder.logged.some(({ code }) => code === 'ARCHIVER_SLOT_UNNAMED'))
      await holder.archiver.stop()
    })
  })

  it('a false final of the only node is not taken back: what is true there is refused, by a restart too (THREATS)', async () => {
    const target = chain.blockAt(4, 7)
    assert.ok(target)
    const rival = offerMadeBlock(chain.makeRival(target))
    const holder = await holdArchiver({ network: NETWORK })
    await giveFinal(holder, [...offers.filter(({ slot }) => slotIndex(slot) < slotIndex(target.slot)), rival])
    await giveFinal(holder, offers)
    await settle()
    for (const isRestarted of [false, true]) {
      if (isRestarted) await holder.restart()
      await giveFinal(holder, offers)
      await settle()
      assert.deepEqual(holder.archivedPeriods, [0, 1, 2, 3])
      assert.ok(holder.refused.includes('ARCHIVER_PARENT_LINK_BROKEN'))
      assert.deepEqual(holder.archiver.status().halted, undefined)
    }
    await holder.archiver.stop()
  })

  it('regression: a bug while an archived period is cleared from the spool is no failure of the disk: it is told', async () => {
    const holder = await holdArchiver({
      network: NETWORK,
      wrap: ({ store, spool }) => ({
        store,
        spool: new Proxy(spool, {
          get: (target, name) =>
            name === 'deleteFinals'
              ? (slots: readonly Slot[]) =>
                  slots.length === 0 ? target.deleteFinals(slots) : Promise.reject(new TypeError('no function'))
              : bound(target, name),
        }),
      }),
    })
    await giveFinal(holder, early)
    await until(() => holder.fatal.length > 0)
    const [error] = holder.fatal
    assert.ok(error instanceof ArchiveError && error.code === 'ARCHIVER_LOOP_FAILED')
    await holder.archiver.stop()
  })

  it('limit: a block under an id of megabytes is refused before anything of it is remembered or verified', async () => {
    const verified: string[] = []
    const holder = await holdArchiver({
      network: NETWORK,
      cpu: {
        ...inlineCpu,
        verifyBlock: async (job) => {
          verified.push(job.expectedId ?? '')
          return inlineCpu.verifyBlock(job)
        },
      },
    })
    const offer = (length: number) =>
      RawFilledBlockCodec.encode({ header: SecureHashCodec.encode({ secureHash: 'B'.repeat(length) }), operations: [] })
    assert.equal(await holder.archiver.takeBlock(0, offer(65)), 'refused')
    assert.equal(await holder.archiver.takeBlock(0, offer(4 * 1024 * 1024)), 'refused')
    assert.equal(verified.length, 0)
    assert.equal(await holder.archiver.takeBlock(0, offer(64)), 'refused')
    assert.deepEqual(
      verified.map((id) => id.length),
      [64],
    )
    assert.deepEqual(holder.refused.slice(0, 2), ['ARCHIVER_BLOCK_UNPARSABLE', 'ARCHIVER_BLOCK_UNPARSABLE'])
    await holder.archiver.stop()
  })

  describe('a spool that is not synced', () => {
    async function holdSync(fail: () => unknown): Promise<ArchiverHolder> {
      return holdArchiver({
        network: NETWORK,
        wrap: ({ store, spool }) => ({
          store,
          spool: new Proxy(spool, {
            get: (target, name) =>
              name === 'sync'
                ? async () => {
                    const error = fail()
                    if (error) throw error
                    await target.sync()
                  }
                : bound(target, name),
          }),
        }),
      })
    }

    async function passSyncs(holder: ArchiverHolder, syncs: number): Promise<void> {
      for (let i = 0; i < syncs; i++) {
        holder.clock.advance(1_000)
        await settle()
      }
    }

    const said = (holder: ArchiverHolder, message: string) =>
      holder.logged.filter((line) => line.msg === message).map((line) => line.code)

    it('for want of room is tried on and said at each change, not at each try', async () => {
      let failing: ErrorCode | undefined = 'STORE_DISK_FULL'
      let tries = 0
      const holder = await holdSync(() => {
        tries++
        return failing && new ArchiveError(failing, 'injected')
      })
      await passSyncs(holder, 5)
      assert.equal(tries, 5)
      assert.deepEqual(said(holder, 'spool not synced'), ['STORE_DISK_FULL'])
      failing = 'STORE_WRITE_FAILED'
      await passSyncs(holder, 3)
      failing = undefined
      await passSyncs(holder, 3)
      assert.deepEqual(said(holder, 'spool not synced'), ['STORE_DISK_FULL', 'STORE_WRITE_FAILED'])
      assert.equal(said(holder, 'spool synced again').length, 1)
      assert.equal(holder.archiver.status().halted, undefined)
      assert.deepEqual(holder.fatal, [])
      await holder.archiver.stop()
    })

    it('error: by damage halts the archiving with its code', async () => {
      let isDamaged = true
      const holder = await holdSync(() => isDamaged && new ArchiveError('STORE_DATABASE_DAMAGED', 'injected'))
      await passSyncs(holder, 3)
      assert.equal(holder.archiver.status().halted?.code, 'STORE_DATABASE_DAMAGED')
      assert.deepEqual(said(holder, 'archiving halted'), ['STORE_DATABASE_DAMAGED'])
      assert.deepEqual(holder.fatal, [])
      isDamaged = false
      await holder.archiver.stop()
    })

    it('error: by a bug ends the loop loudly (ARCHIVER_LOOP_FAILED)', async () => {
      const bug = new TypeError('no function')
      let hasBug = true
      const holder = await holdSync(() => hasBug && bug)
      await passSyncs(holder, 3)
      assert.deepEqual(
        holder.fatal.map((error) => [(error as ArchiveError).code, (error as ArchiveError).cause]),
        [['ARCHIVER_LOOP_FAILED', bug]],
      )
      hasBug = false
      await holder.archiver.stop()
    })
  })

  it('regression: a bug in a loop is told as ARCHIVER_LOOP_FAILED with its cause, and stopping still works', async () => {
    const bug = new TypeError('no function')
    const holder = await holdArchiver({
      network: NETWORK,
      onArchived: () => {
        throw bug
      },
    })
    await giveFinal(holder, early)
    await until(() => holder.fatal.length > 0)
    const [error] = holder.fatal
    assert.ok(error instanceof ArchiveError && error.code === 'ARCHIVER_LOOP_FAILED')
    assert.equal(error.kind, 'bug')
    assert.equal(error.cause, bug)
    await holder.archiver.stop()
    assert.equal(holder.fatal.length, 1)
  })
})

function bound<T extends object>(target: T, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name)
  return typeof value === 'function' ? value.bind(target) : value
}
