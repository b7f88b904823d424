import assert from 'node:assert/strict'

type ListPart = import('../../explorer/compare-list.ts').ListPart
type Outcome = import('../../explorer/worker-messages.ts').Outcome
type Task = import('../../explorer/worker-messages.ts').Task

const { href } = new URL('../../explorer/compare-list.ts', import.meta.url)
const { compareList } = (await import(href)) as typeof import('../../explorer/compare-list.ts')

const at = (id: string, period: number) => ({ id, slots: [{ period, thread: 0 }] })
const PART: ListPart = {
  address: 'AU1',
  periods: undefined,
  operations: [at('b', 8), at('a', 4)],
  cursor: undefined,
  nextCursor: undefined,
}
const ABSENT: Outcome = { kind: 'absent', code: 'C', message: 'no' }

interface Archive {
  /** Pages of the list of a chosen range. */
  readonly pages?: readonly (readonly ReturnType<typeof at>[])[]
  /** Periods that it has. */
  readonly first?: number
  readonly last?: number
  /** Periods that one answer goes on. */
  readonly step?: number
  /** Where it has no more. */
  readonly end?: number
}

async function compare(part: ListPart, archive: Archive = {}) {
  const { pages = [], first = 1, last = 9, step = 100, end = 100 } = archive
  const ranges: Extract<Task, { kind: 'range' }>[] = []
  const verify = async (task: Task): Promise<Outcome> => {
    if (task.kind === 'list') {
      const page = Number(task.cursor ?? 0)
      const cursor = page + 1 < pages.length ? String(page + 1) : undefined
      return { kind: 'listed', operations: pages[page] ?? [], cursor }
    }
    if (task.kind === 'overview') {
      return { kind: 'overview', overview: { first, last, latest: [], chainId: '1', genesisTimestampMs: 0 } }
    }
    assert(task.kind === 'range')
    ranges.push(task)
    if (task.from > end) return ABSENT
    const to = Math.min(task.to, task.from + step - 1)
    const nothing = { operations: 0, scannedBodies: 0, missing: [], surplus: [], proofBytes: 0 }
    return { kind: 'range', range: { from: task.from, to, ...nothing, untrusted: 0, genesisTimestampMs: undefined } }
  }
  const found = await compareList(part, { verify, report: () => undefined, isWanted: () => true, now: () => 0 })
  return { found, ranges, title: found && 'title' in found ? found.title : undefined }
}

const spans = ({ ranges }: { ranges: readonly { from: number; to: number }[] }) =>
  ranges.map(({ from, to }) => `${from}-${to}`).join(' ')

describe('explorer/compare-list', () => {
  it('reads all that the archive says it has where the page has the whole list', async () => {
    const compared = await compare(PART)
    assert.equal(spans(compared), '1-9')
    assert.deepEqual(compared.ranges[0]?.listed, [
      { id: 'b', slot: { period: 8, thread: 0 } },
      { id: 'a', slot: { period: 4, thread: 0 } },
    ])
    assert.match(compared.title ?? '', /all that this archive says it has/)
  })

  it('reads what lies within a page that has a part of it', async () => {
    // What happened in its first and last period may go on in the pages beside it.
    assert.equal(spans(await compare({ ...PART, cursor: 'x' })), '1-7')
    assert.equal(spans(await compare({ ...PART, nextCursor: 'y' })), '5-9')
    const middle = await compare({ ...PART, cursor: 'x', nextCursor: 'y' })
    assert.equal(spans(middle), '5-7')
    assert.match(middle.title ?? '', /of which this page of the list is/)
    const one = await compare({ ...PART, operations: [at('a', 4)], cursor: 'x', nextCursor: 'y' })
    assert.deepEqual([spans(one), one.title], ['', 'The whole list is of one period: look at all of it first'])
  })

  it('goes on where an answer ends, to the end of the range, and to no other', async () => {
    const compared = await compare(PART, { step: 4 })
    assert.equal(spans(compared), '1-9 5-9 9-9')
  })

  it('hostile: an archive that does not answer to the end leaves no verdict', async () => {
    assert.equal((await compare(PART, { step: 4, end: 5 })).found, ABSENT)
  })

  describe('of periods that the reader chose', () => {
    const chosen: ListPart = { ...PART, periods: { from: 3, to: 8 } }

    it('compares the whole list, whatever page of it is shown, and whatever the archive says it has', async () => {
      const compared = await compare(
        { ...chosen, operations: [], cursor: 'x' },
        { first: 5, last: 5, pages: [[at('c', 8)], [at('b', 5)], [at('a', 3)]] },
      )
      assert.equal(spans(compared), '3-8')
      assert.deepEqual(
        compared.ranges[0]?.listed.map(({ id }) => id),
        ['c', 'b', 'a'],
      )
      assert.equal(compared.title, 'In periods 3 to 8 nothing is left out')
    })

    it('hostile, limit: reads 100 pages of a list, and leaves off one without end', async () => {
      const pages = Array(100).fill([at('a', 3)])
      assert.equal((await compare(chosen, { pages })).ranges[0]?.listed.length, 100)
      const { title, ranges } = await compare(chosen, { pages: [...pages, []] })
      assert.deepEqual([title, ranges], ['More than 100 pages of operations: choose fewer periods', []])
    })
  })
})
