import assert from 'node:assert/strict'
import { ArchiveError, Loop } from '../../core/index.ts'
import { ManualClock } from '../clocks.ts'
import { settle } from '../turns.ts'

const EVERY_MS = 1_000

describe('core/loop', () => {
  let clock: ManualClock
  let looks: number

  beforeEach(() => {
    clock = new ManualClock(0)
    looks = 0
  })

  function loopOf(parts: {
    look?: () => Promise<void>
    looksLast?: boolean
    onFailure?: (error: ArchiveError) => void
  }) {
    const { look, looksLast, onFailure } = parts
    return new Loop(
      { everyMs: EVERY_MS, ...(looksLast !== undefined && { looksLast }) },
      {
        clock,
        look: async () => {
          looks++
          await look?.()
        },
        ...(onFailure && { onFailure }),
      },
    )
  }

  it('looks at once, and then after each pause', async () => {
    const loop = loopOf({})
    const running = loop.start()
    await settle()
    assert.equal(looks, 1)
    clock.advance(EVERY_MS - 1)
    await settle()
    assert.equal(looks, 1)
    clock.advance(1)
    await settle()
    assert.equal(looks, 2)
    await loop.stop()
    await running
    assert.equal(looks, 2)
  })

  it('pauses from the end of a look on: there is one at a time', async () => {
    let finish = (): void => undefined
    const loop = loopOf({ look: () => new Promise((resolve) => (finish = resolve)) })
    void loop.start()
    await settle()
    clock.advance(10 * EVERY_MS)
    await settle()
    assert.equal(looks, 1)
    finish()
    await settle()
    clock.advance(EVERY_MS)
    await settle()
    assert.equal(looks, 2)
    finish()
    await loop.stop()
  })

  it('one that looks last looks after its first pause, and once more when it is stopped', async () => {
    const loop = loopOf({ looksLast: true })
    const running = loop.start()
    await settle()
    assert.equal(looks, 0)
    clock.advance(EVERY_MS)
    await settle()
    assert.equal(looks, 1)
    await loop.stop()
    await running
    assert.equal(looks, 2)
  })

  it('a second start runs no second loop', async () => {
    const loop = loopOf({})
    assert.equal(loop.start(), loop.start())
    await settle()
    assert.equal(looks, 1)
    await loop.stop()
  })

  it('stop waits for the look under way, which its signal tells', async () => {
    let isFinished = false
    const loop = loopOf({
      look: async () => {
        await new Promise((resolve) => loop.signal.addEventListener('abort', resolve, { once: true }))
        await settle(3)
        isFinished = true
      },
    })
    void loop.start()
    await settle()
    assert.equal(loop.signal.aborted, false)
    await loop.stop()
    assert.deepEqual([loop.signal.aborted, isFinished, looks], [true, true, 1])
  })

  it('once stopped it looks no more, whenever it is started; a second stop is none', async () => {
    const loop = loopOf({})
    await loop.stop()
    await loop.stop()
    await loop.start()
    assert.equal(looks, 0)
  })

  it('error: an ArchiveError is passed on, and the next look tries again', async () => {
    const failures: ArchiveError[] = []
    const failure = new ArchiveError('STORE_DISK_FULL', 'no room')
    const loop = loopOf({ look: () => Promise.reject(failure), onFailure: (error) => failures.push(error) })
    const running = loop.start()
    await settle()
    clock.advance(EVERY_MS)
    await settle()
    await loop.stop()
    await running
    assert.deepEqual(failures, [failure, failure])
  })

  it('error: anything else ends it; start throws that, stop does not', async () => {
    const loop = loopOf({
      look: () => Promise.reject(new TypeError('a bug')),
      onFailure: () => assert.fail('a bug is no failure to live with'),
    })
    const running = loop.start()
    await assert.rejects(running, { message: 'a bug' })
    await loop.stop()
    assert.equal(looks, 1)
  })

  it('error: where failures are not expected an ArchiveError ends it, too', async () => {
    const loop = loopOf({ look: () => Promise.reject(new ArchiveError('STORE_DISK_FULL', 'no room')) })
    await assert.rejects(loop.start(), { code: 'STORE_DISK_FULL' })
  })
})
