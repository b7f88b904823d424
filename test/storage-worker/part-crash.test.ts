import assert from 'node:assert/strict'
import { GuardedLevel, type Level, type LevelOperation } from '../../storage-worker/guarded-level.ts'
import { type LevelChunkStore as Chunks, LevelChunkStore, verifyArchive } from '../../storage-worker/index.ts'
import { assertHolds, assertHoldsPart, type HeldPart, without } from '../suites/chunk-store-suite.ts'
import { makePeriod, TEST_IDENTITY } from './synthetic-period.ts'
import { createMemoryLevel } from './temp-store.ts'

/*
 * Every place in the writes of one change at which a machine may stop, without a process to be killed for each: two
 * databases in memory that take nothing from one write on. What was not synced may be lost, or not.
 */

const PERIOD = makePeriod(4)
const { manifest, seals, summary } = PERIOD
const COUNT = PERIOD.chunks.length
const WHOLE = 'whole'
type State = HeldPart | typeof WHOLE | undefined

const partOf = (...indexes: number[]) => ({
  manifest,
  operations: summary.operations,
  chunks: new Map(indexes.map((index) => [index, PERIOD.chunks[index] ?? new Uint8Array(0)])),
})
const HEADLESS: HeldPart = { chunks: without(COUNT, 0), executionResults: true }
const ONE: HeldPart = { chunks: [1] }

const bring = (store: Chunks) => store.writePart(partOf(1))
const write = (store: Chunks) => store.writePeriod(PERIOD)
const behead = (store: Chunks) => store.dropChunks(4, [0])

const CHANGES: readonly {
  readonly what: string
  readonly before: State
  readonly prepare: readonly ((store: Chunks) => Promise<void>)[]
  readonly change: (store: Chunks) => Promise<void>
  readonly after: State
}[] = [
  { what: 'drops of a whole period', before: WHOLE, prepare: [write], change: behead, after: HEADLESS },
  {
    what: 'drops of a part',
    before: HEADLESS,
    prepare: [write, behead],
    change: (store) => store.dropChunks(4, without(COUNT, 0, 1)),
    after: { ...ONE, executionResults: true },
  },
  { what: 'a first part', before: undefined, prepare: [], change: bring, after: ONE },
  {
    what: 'a part beside a part',
    before: ONE,
    prepare: [bring],
    change: (store) => store.writePart(partOf(...without(COUNT, 0))),
    after: { chunks: without(COUNT, 0) },
  },
  {
    what: 'the part that makes it whole',
    before: HEADLESS,
    prepare: [write, behead],
    change: (store) => store.writePart({ ...partOf(0), seals }),
    after: WHOLE,
  },
  { what: 'the whole over a part', before: ONE, prepare: [bring], change: write, after: WHOLE },
  {
    what: 'a deletion of a part',
    before: ONE,
    prepare: [bring],
    change: (store) => store.deletePeriods(4, 4),
    after: undefined,
  },
]

describe('storage-worker: a machine stops while chunks come and go', () => {
  for (const { what, before, prepare, change, after } of CHANGES) {
    for (const losesUnsynced of [false, true]) {
      it(`${what}: is done or not, at each write${losesUnsynced ? ', without what was not synced' : ''}`, async () => {
        let seen = 0
        for (let stopAt = 0; ; stopAt++) {
          const machine = new Machine()
          const store = await machine.start()
          // Others around it, older and newer.
          for (const number of [3, 6]) await store.writePeriod(makePeriod(number))
          for (const each of prepare) await each(store)
          machine.stopAfter(stopAt)
          const isDone = await change(store).then(
            () => true,
            () => false,
          )
          await machine.stop(losesUnsynced)
          const again = await machine.start()
          const text = `stopped at write ${stopAt}`
          assert.deepEqual((await verifyArchive(again, { deep: true })).damages, [], text)
          const isAfter = await isIn(again, after)
          if (!isAfter) await assertIn(again, before)
          assert.ok(isAfter || !isDone, `${text}: acknowledged and lost`)
          for (const number of [3, 6]) await assertHolds(again, makePeriod(number))
          // What was begun can be done again.
          await change(again)
          await assertIn(again, after)
          assert.deepEqual((await verifyArchive(again, { deep: true })).damages, [], text)
          if (!isAfter) seen |= 1
          if (isAfter && !isDone) seen |= 2
          if (isDone && !machine.hasStopped) break
          assert.ok(stopAt < 20)
        }
        assert.equal(seen, 3, 'one stop before and one after the write that counts')
      })
    }
  }
})

async function isIn(store: Chunks, state: State): Promise<boolean> {
  return assertIn(store, state).then(
    () => true,
    () => false,
  )
}

async function assertIn(store: Chunks, state: State): Promise<void> {
  if (state === undefined) {
    assert.equal(await store.readManifest(4), undefined)
    assert.equal(await store.readSummary(4), undefined)
  } else if (state === WHOLE) await assertHolds(store, PERIOD)
  else await assertHoldsPart(store, PERIOD, state)
}

type Entries = readonly (readonly [Uint8Array, Uint8Array])[]

/** Two databases in memory, and what of them is on disk for certain. */
class Machine {
  hasStopped = false
  private readonly levels = { bodies: createMemoryLevel(), index: createMemoryLevel() }
  private readonly synced = new Map<'bodies' | 'index', Entries>()
  private writesLeft = Number.POSITIVE_INFINITY
  private isOff = false

  async start(): Promise<LevelChunkStore> {
    this.writesLeft = Number.POSITIVE_INFINITY
    this.isOff = false
    const open = (name: 'bodies' | 'index') =>
      GuardedLevel.open({
        name,
        create: () => watch(this.levels[name], (write, isSynced) => this.write(name, write, isSynced)),
      })
    const store = new LevelChunkStore(TEST_IDENTITY, { bodies: await open('bodies'), index: await open('index') })
    await store.recover()
    return store
  }

  /** So many writes are still made. */
  stopAfter(writes: number): void {
    this.writesLeft = writes
    this.hasStopped = false
  }

  async stop(losesUnsynced: boolean): Promise<void> {
    this.isOff = true
    for (const name of ['bodies', 'index'] as const) {
      const kept = losesUnsynced ? (this.synced.get(name) ?? []) : await readAll(this.levels[name])
      const fresh = createMemoryLevel()
      await fresh.open()
      await fresh.batch(kept.map(([key, value]): LevelOperation => ({ type: 'put', key, value })))
      this.levels[name] = fresh
    }
  }

  private async write(name: 'bodies' | 'index', write: () => Promise<void>, isSynced: boolean): Promise<void> {
    if (this.isOff || this.writesLeft === 0) {
      this.hasStopped = true
      throw new Error('the machine has stopped')
    }
    this.writesLeft--
    await write()
    if (isSynced) this.synced.set(name, await readAll(this.levels[name]))
  }
}

async function readAll(level: Level): Promise<Entries> {
  await level.open()
  return level.iterator().all()
}

/** As LevelBatch uses it. */
interface Chained {
  _write(options: { readonly sync: boolean }): Promise<void>
}

type OnWrite = (write: () => Promise<void>, isSynced: boolean) => Promise<void>

function watch(level: Level, onWrite: OnWrite): Level {
  const begin = (Object.getPrototypeOf(level) as Level).batch as unknown as (this: Level) => Chained
  const batch = () => {
    const chained = begin.call(level)
    const { _write } = chained
    return Object.assign(chained, {
      _write: (options: { readonly sync: boolean }) => onWrite(() => _write.call(chained, options), options.sync),
    })
  }
  return Object.assign(level, { batch })
}
