import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import type { ChunkStore, Slot } from '../../core/index.ts'
import type { MadeChain } from '../../devnet/index.ts'
import { settle, until } from '../turns.ts'
import { describeArchive, type FinalOffer, giveFinal, holdArchiver, loseSpool, offerChain } from './archiver-holder.ts'
import { override } from './failing-store.ts'
import { chainOf, NETWORK } from './made-chain.ts'
import { drawNumbers, shuffle } from './simulated-chain.ts'

const ROUNDS = Number(process.env.MASSA_STORAGE_HOLES_ROUNDS ?? 8)
const SEED = Number(process.env.MASSA_STORAGE_TEST_SEED ?? 1)
const PERIODS = 40
/** Blocks of losers are cleared so many periods behind the head, and a block names what is a period behind it. */
const TAIL_PERIODS = 68
/** By then each thread has shown a block behind what was lost: else only nodes are asked. */
const SHORT_TAIL_PERIODS = 16
/** At the end of a chain misses are not proven yet. */
const UNDECIDED = 5

interface World {
  readonly chain: MadeChain
  readonly offers: readonly FinalOffer[]
  /** What an archive without holes has of each period. */
  readonly whole: ReadonlyMap<number, string>
}

/** Periods that are never given by a node: of all threads, or of some. */
interface LostRun {
  readonly from: number
  readonly length: number
  readonly share: number
}

interface Run {
  readonly seed: number
  readonly firstPeriod: number
  readonly lost: readonly LostRun[]
  /** Periods of the head after which the archiver starts again; every second time without what it had spooled. */
  readonly restarts: readonly number[]
  /** Periods of the head after which peers are asked. */
  readonly asked: readonly number[]
  /** Periods of the head whose writing lasts until the next time peers are asked. */
  readonly slow: readonly number[]
  /** Periods that lose their first chunk at a restart, if they are archived then: nothing of their blocks is to be read. */
  readonly parts: readonly number[]
  readonly isTailLong: boolean
}

describe('archiver/archiver: holes', () => {
  let worlds: World[]

  before(async function () {
    this.timeout(300_000)
    worlds = []
    const silent = (threads: readonly number[], from: number, to: number): Slot[] =>
      threads.flatMap((thread) => Array.from({ length: to - from + 1 }, (_, n) => ({ period: from + n, thread })))
    worlds.push(await makeWorld('holes a', 0.1, silent([3, 17], 4, 12)))
    worlds.push(await makeWorld('holes b', 0.4, silent([0, 31], 9, 30)))
  })

  const number = (min: number, max: number) => fc.integer({ min, max })
  const runs = fc.record({
    seed: number(0, 2 ** 31),
    firstPeriod: fc.oneof(fc.constant(1), number(2, 8)),
    lost: fc.array(
      fc.record({ from: number(3, PERIODS - 4), length: number(1, 6), share: fc.constantFrom(1, 1, 0.5, 0.05) }),
      { minLength: 1, maxLength: 3 },
    ),
    restarts: fc.array(number(6, PERIODS), { maxLength: 3 }),
    asked: fc.array(number(6, PERIODS), { maxLength: 4 }),
    slow: fc.array(number(10, PERIODS), { maxLength: 2 }),
    parts: fc.array(number(3, PERIODS), { maxLength: 6 }),
    isTailLong: fc.boolean(),
  })

  it('of any shape, filled in any order, across restarts: the archive is the one of who saw all of it', async function () {
    this.timeout(600_000)
    await fc.assert(
      fc.asyncProperty(number(0, 1), runs, async (which, run) => {
        const world = worlds[which]
        assert.ok(world)
        await play(world, run)
      }),
      { numRuns: ROUNDS, seed: SEED, endOnFailure: true },
    )
  })
})

async function makeWorld(seed: string, missRate: number, missedSlots: readonly Slot[]): Promise<World> {
  const chain = chainOf(seed, PERIODS + TAIL_PERIODS, { missRate, missedSlots })
  const offers = offerChain(chain)
  const holder = await holdArchiver({ network: NETWORK })
  await giveFinal(holder, offers)
  await until(() => holder.archivedPeriods.includes(PERIODS + TAIL_PERIODS - UNDECIDED))
  await settle(200)
  await holder.archiver.stop()
  return { chain, offers, whole: await describeArchive(holder.store) }
}

async function play({ chain, offers, whole }: World, run: Run): Promise<void> {
  const draw = drawNumbers(run.seed)
  const lost = new Set(
    offers.filter(({ slot }) => {
      return run.lost.some(({ from, length, share }) => {
        return slot.period >= from && slot.period < from + length && draw() < share
      })
    }),
  )
  const byId = new Map(offers.map((offer) => [offer.id, offer]))
  let release: (() => void) | undefined
  const holder = await holdArchiver({
    network: NETWORK,
    wrap: ({ store, spool }) => ({
      spool,
      store: override(store, {
        writePeriod: async (period) => {
          if (run.slow.includes(period.summary.period)) {
            await new Promise<void>((resolve) => {
              release = resolve
            })
          }
          await store.writePeriod(period)
        },
      }),
    }),
  })
  const letGo = (): void => {
    release?.()
    release = undefined
  }
  /** A peer gives what it is asked for as the service of blocks finds it: the last block before the child. */
  const ask = async (most: number): Promise<number> => {
    let taken = 0
    for (const { thread, childPeriod, missing } of shuffle(holder.archiver.status().gaps, draw).slice(0, most)) {
      const offer = byId.get(missing)
      const found = lastBefore(chain, thread, childPeriod)
      if (!offer || found !== missing) continue
      if ((await holder.archiver.takePeerBlock(missing, offer.filledBlock)) === 'spooled') taken++
    }
    return taken
  }
  const last = PERIODS + (run.isTailLong ? TAIL_PERIODS : SHORT_TAIL_PERIODS)
  let restarts = 0
  const restart = async (): Promise<void> => {
    letGo()
    await settle(20)
    letGo()
    await holder.archiver.stop()
    if (restarts++ % 2 === 1) await loseSpool(holder.spool)
    for (const period of run.parts) {
      if (await holder.store.readManifest(period)) await holder.store.dropChunks(period, [0])
    }
    await holder.restart()
  }
  for (let period = run.firstPeriod; period <= last; period++) {
    const given = offers.filter((offer) => offer.slot.period === period && !lost.has(offer))
    if (given.length > 0) await giveFinal(holder, shuffle(given, draw))
    await settle(10)
    if (run.asked.includes(period)) {
      await ask(1 + Math.floor(draw() * 40))
      letGo()
    }
    if (run.restarts.includes(period)) await restart()
  }
  const isAtHead = (): boolean => holder.archivedPeriods.some((period) => period >= last - UNDECIDED)
  const isWhole = (): boolean => {
    letGo()
    return isAtHead() && holder.archiver.status().holes.length === 0
  }
  for (let idle = 0; idle < 4 && !isWhole(); ) {
    const before = holder.archiver.status().gaps
    await ask(Number.POSITIVE_INFINITY)
    await settle(20)
    // Archived parents are not taken, but they tell what is to be asked for next.
    idle = isDeepStrictEqual(holder.archiver.status().gaps, before) ? idle + 1 : 0
  }
  await until(isWhole).catch(() => undefined)
  const { holes, gaps } = holder.archiver.status()
  const head = holder.archivedPeriods.at(-1)
  assert.ok(isWhole(), JSON.stringify({ head, last, holes, gaps: gaps.slice(0, 4) }))
  await holder.archiver.stop()
  const archived = await describeArchive(holder.store)
  const inPart = await listInPart(holder.store)
  assert.deepEqual(
    [...archived].filter(([period]) => !inPart.has(period)),
    [...whole].filter(([period]) => archived.has(period) && !inPart.has(period)),
  )
  const end = await holder.store.readRange()
  assert.equal(archived.size, (end?.last ?? 0) - (end?.first ?? 0) + 1)
}

async function listInPart(store: ChunkStore): Promise<Set<number>> {
  const inPart = new Set<number>()
  for await (const { period, heldChunks } of store.listSummaries({ from: 0, to: PERIODS })) {
    if (heldChunks !== undefined) inPart.add(period)
  }
  return inPart
}

function lastBefore(chain: MadeChain, thread: number, period: number): string | undefined {
  for (let at = period - 1; at > 0; at--) {
    const block = chain.blockAt(at, thread)
    if (block) return block.id
  }
  return undefined
}
