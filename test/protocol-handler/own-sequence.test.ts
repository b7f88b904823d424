import assert from 'node:assert/strict'
import { ArchiveError } from '../../core/index.ts'
import { OwnSequence } from '../../protocol-handler/own-sequence.ts'
import { SetClock } from '../devnet/set-clock.ts'
import { KeptMarks } from './kept-marks.ts'

describe('protocol-handler/own-sequence', () => {
  const begin = (marks: KeptMarks, wallMs: number) => {
    const clock = new SetClock()
    clock.jumpMs = wallMs - clock.timeMs
    const failures: string[] = []
    const sequence = new OwnSequence({ marks, clock, onFailure: ({ code }) => failures.push(code) })
    return { clock, sequence, failures }
  }

  it('is the wall clock, and grows when that stands still or is set back', async () => {
    const { clock, sequence } = begin(new KeptMarks(), 5_000)
    assert.deepEqual([await sequence.next(), await sequence.next()], [5_000n, 5_001n])
    clock.jumpMs -= 4_000
    assert.equal(await sequence.next(), 5_002n)
    clock.jumpMs += 9_000
    assert.equal(await sequence.next(), 10_000n)
  })

  it('goes on after a restart where it was, also when the clock was far ahead before it', async () => {
    const marks = new KeptMarks()
    assert.equal(await begin(marks, 4_000_000_000_000).sequence.next(), 4_000_000_000_000n)
    const after = begin(marks, 1_800_000_000_000)
    assert.equal(await after.sequence.next(), 4_000_000_000_001n)
    assert.deepEqual(after.failures, [])
  })

  it('error: no number is used that could not be written; it is none the less one of those that grow', async () => {
    const marks = new KeptMarks()
    const { sequence } = begin(marks, 5_000)
    await sequence.next()
    marks.failure = new ArchiveError('STORE_WRITE_FAILED', 'injected')
    await assert.rejects(sequence.next(), { code: 'STORE_WRITE_FAILED' })
    marks.failure = undefined
    assert.equal(await sequence.next(), 5_001n)
  })

  it('error: a damaged record is told, and the clock says how to go on', async () => {
    const marks = new KeptMarks()
    for (const bytes of [Uint8Array.of(2), Uint8Array.of(1, 0), new Uint8Array(10).fill(1)]) {
      marks.values.set('ownSequence', bytes)
      const { sequence, failures } = begin(marks, 5_000)
      assert.equal(await sequence.next(), 5_000n)
      assert.deepEqual(failures, ['CORE_BYTES_INVALID'])
    }
  })
})
