import assert from 'node:assert/strict'
import { ArchiveError, isArchiveError } from '../../../core/index.ts'
import type { FinalPeriod } from '../../../storage-worker/index.ts'
import { AutoClock, StillClock } from '../../clocks.ts'
import { settle, until } from '../../turns.ts'
import { MadeFinals } from './made-finals.ts'

describe('storage-worker/history/final-periods', () => {
  /** As a reader sees it; he goes on reading by himself. */
  function follow(made: MadeFinals, from: number) {
    const gone = new AbortController()
    const seen: string[] = []
    const done = (async () => {
      for await (const final of made.finals.follow(from, gone.signal)) seen.push(nameOf(final))
    })()
    done.catch(() => undefined)
    return { seen, done, leave: () => gone.abort() }
  }

  const nameOf = (final: FinalPeriod) => (final.kind === 'gap' ? `gap ${final.from}-${final.to}` : `${final.period}`)

  it('gives each archived period in order, then the next one when it is archived', async () => {
    const clock = new StillClock()
    const made = new MadeFinals(clock)
    made.add(10, 12)
    const reader = follow(made, 11)
    await until(() => reader.seen.length === 2)
    await settle()
    assert.deepEqual(reader.seen, ['11', '12'])
    made.add(13)
    clock.advance(500)
    await until(() => reader.seen.length === 3)
    reader.leave()
    await reader.done
    assert.deepEqual(reader.seen, ['11', '12', '13'])
  })

  it('reads a period once for all who follow', async () => {
    const made = new MadeFinals(new StillClock())
    made.add(0, 20)
    const readers = Array.from({ length: 50 }, () => follow(made, 5))
    await until(() => readers.every(({ seen }) => seen.length === 16))
    assert.deepEqual(
      made.read,
      Array.from({ length: 16 }, (_, i) => i + 5),
    )
    for (const reader of readers) reader.leave()
  })

  it('waits for a period that is not archived while few later ones are, and leaves a hole out that nobody filled', async () => {
    const clock = new AutoClock()
    const made = new MadeFinals(clock)
    made.add(0, 3)
    made.add(6, 10)
    const reader = follow(made, 3)
    await until(() => reader.seen.length === 1)
    await settle(200)
    assert.deepEqual(reader.seen, ['3'])
    made.add(11, 69)
    await until(() => reader.seen.length > 5)
    reader.leave()
    await reader.done
    assert.deepEqual(reader.seen.slice(0, 4), ['3', 'gap 4-5', '6', '7'])
  })

  it('fills in what was a hole when it is archived in time', async () => {
    const made = new MadeFinals(new AutoClock())
    made.add(0, 3)
    made.add(6, 7)
    const reader = follow(made, 3)
    await settle(50)
    made.add(4, 5)
    await until(() => reader.seen.length === 5)
    reader.leave()
    await reader.done
    assert.deepEqual(reader.seen, ['3', '4', '5', '6', '7'])
  })

  it('error: a period before the first archived one is refused, also when it was deleted meanwhile', async () => {
    const made = new MadeFinals(new AutoClock())
    made.add(5, 6)
    const unknown = (error: unknown) => isArchiveError(error, 'API_HISTORY_UNKNOWN')
    const { signal } = new AbortController()
    await assert.rejects(made.finals.check(4, signal), unknown)
    await made.finals.check(5, signal)
    await made.finals.check(100, signal)
    const reader = follow(made, 7)
    await settle(50)
    made.archived.clear()
    made.add(20)
    await assert.rejects(reader.done, unknown)
  })

  it('error: what cannot be read ends it, and is read again for the next one', async () => {
    const made = new MadeFinals(new AutoClock())
    made.add(0, 1)
    made.failure = new ArchiveError('STORE_CHUNK_AWAY', 'not on this disk')
    await assert.rejects(follow(made, 0).done, (error) => isArchiveError(error, 'STORE_CHUNK_AWAY'))
    made.failure = undefined
    const reader = follow(made, 0)
    await until(() => reader.seen.length === 2)
    reader.leave()
    await reader.done
  })

  it('reads nothing more for whoever left', async () => {
    const made = new MadeFinals(new StillClock())
    made.add(0, 100)
    const readers = Array.from({ length: 100 }, (_, from) => follow(made, from))
    for (const reader of readers) reader.leave()
    await Promise.all(readers.map(({ done }) => done))
    await made.finals.idle()
    assert.deepEqual(made.read, [])
  })
})
