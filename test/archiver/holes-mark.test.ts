import assert from 'node:assert/strict'
import { ArchivedIndex } from '../../archiver/archived-index.ts'
import { ArchiveError, type ChunkStore, type Period, type PeriodSummary, type Spool } from '../../core/index.ts'

const EVERY = 1024

/** A store that knows its periods only, a spool that holds marks, and what was done to them. */
function parts(archived: Set<Period>) {
  const marks = new Map<string, Uint8Array>()
  const seen = { summaries: 0, written: 0, isFailing: false }
  const store = {
    readRange: async () =>
      archived.size === 0 ? undefined : { first: Math.min(...archived), last: Math.max(...archived) },
    async *listSummaries({ from, to, reverse }: { from: Period; to: Period; reverse?: boolean }) {
      const periods = [...archived].filter((period) => period >= from && period <= to).sort((a, b) => a - b)
      for (const period of reverse ? periods.reverse() : periods) {
        seen.summaries++
        // Without blocks nothing of the period is read.
        yield { period, blocks: 0 } as PeriodSummary
      }
    },
  } as unknown as ChunkStore
  const spool = {
    putMark: async (name: string, bytes: Uint8Array) => {
      if (seen.isFailing) throw new ArchiveError('STORE_DISK_FULL', 'injected')
      seen.written++
      marks.set(name, bytes)
    },
    readMark: async (name: string) => marks.get(name),
  } as unknown as Spool
  const index = new ArchivedIndex(store, spool)
  const archive = async (period: Period): Promise<void> => {
    archived.add(period)
    await index.add(period, [])
  }
  return { store, spool, marks, seen, archive }
}

describe('archiver/archived-index: the mark of holes', () => {
  it('is renewed every 1024 periods although no hole changes', async () => {
    const { seen, archive } = parts(new Set())
    for (let period = 1; period < EVERY; period++) await archive(period)
    assert.equal(seen.written, 0)
    await archive(EVERY)
    assert.equal(seen.written, 1)
    for (let period = EVERY + 1; period < 2 * EVERY; period++) await archive(period)
    assert.equal(seen.written, 1)
    await archive(2 * EVERY)
    assert.equal(seen.written, 2)
  })

  it('is written when a hole opens, narrows and closes', async () => {
    const { seen, archive } = parts(new Set())
    await archive(1)
    for (const [period, written] of [
      [4, 1],
      [5, 1],
      [2, 2],
      [3, 3],
      [6, 3],
    ] as const) {
      await archive(period)
      assert.equal(seen.written, written, `after period ${period}`)
    }
  })

  it('lets a start find the holes from the summaries after it alone', async () => {
    const archived = new Set<Period>()
    const { store, spool, seen, archive } = parts(archived)
    for (let period = 1; period <= EVERY + 10; period++) if (period !== 500) await archive(period)
    // A crash: archived, and the mark not yet written.
    archived.add(EVERY + 13)
    seen.summaries = 0
    const started = new ArchivedIndex(store, spool)
    await started.load()
    for (const period of [500, EVERY + 11, EVERY + 12]) assert.ok(!started.has(period), String(period))
    for (const period of [1, 499, 501, EVERY, EVERY + 10, EVERY + 13]) assert.ok(started.has(period), String(period))
  })

  it('that still holds a period which was filled just before a crash opens nothing there', async () => {
    const archived = new Set<Period>()
    const { store, spool, archive } = parts(archived)
    for (const period of [1, 8]) await archive(period)
    for (const period of [2, 5]) archived.add(period)
    const started = new ArchivedIndex(store, spool)
    await started.load()
    assert.deepEqual(started.listHoles(), [
      { from: 3, to: 4 },
      { from: 6, to: 7 },
    ])
  })

  it('that could not be written is written with the next period', async () => {
    const { seen, archive } = parts(new Set())
    await archive(1)
    seen.isFailing = true
    await archive(3)
    await archive(4)
    assert.equal(seen.written, 0)
    seen.isFailing = false
    await archive(5)
    assert.equal(seen.written, 1)
    await archive(6)
    assert.equal(seen.written, 1)
  })

  it('makes a start read a bounded number of summaries to find holes', async () => {
    const archived = new Set<Period>()
    const { store, spool, seen, archive } = parts(archived)
    for (let period = 1; period <= 5 * EVERY - 1; period++) await archive(period)
    const asked: { from: Period; to: Period }[] = []
    const watched = Object.assign(Object.create(store), {
      listSummaries: (range: { from: Period; to: Period; reverse?: boolean }) => {
        if (!range.reverse) asked.push(range)
        return store.listSummaries(range)
      },
    }) as ChunkStore
    seen.summaries = 0
    await new ArchivedIndex(watched, spool).load()
    assert.deepEqual(asked, [{ from: 4 * EVERY, to: 5 * EVERY - 1 }])
  })
})
