import assert from 'node:assert/strict'
import { NodeClock } from './node-clock.ts'
import { Scheduler } from './scheduler.ts'
import { SimRandom } from './sim-random.ts'

describe('test/sim: virtual time', () => {
  it('events happen in the order of their times, equal ones in the order of their making, for any number of them', async () => {
    const random = new SimRandom('order')
    const scheduler = new Scheduler()
    const wanted = Array.from({ length: 500 }, (_, made) => ({ stepMs: 10 * random.between(1, 40), made }))
    const happened: { readonly stepMs: number; readonly made: number }[] = []
    for (const event of wanted) scheduler.after(event.stepMs, () => happened.push(event))
    await scheduler.run(1_000)
    assert.deepEqual(
      happened,
      wanted.sort((a, b) => a.stepMs - b.stepMs || a.made - b.made),
    )
  })

  it('what a step sets off is done before the next one, slices of long work included', async () => {
    const scheduler = new Scheduler()
    const lines: string[] = []
    scheduler.after(5, () => {
      void (async () => {
        for (let i = 0; i < 50; i++) await undefined
        await new Promise((resolve) => setImmediate(resolve))
        await new Promise((resolve) => setImmediate(resolve))
        lines.push('worked')
      })()
    })
    scheduler.after(20, () => lines.push('next'))
    await scheduler.run(20)
    assert.deepEqual(lines, ['worked', 'next'])
  })

  it('sleepers of a run that is over never wake, others do in time and at once when told to', async () => {
    const scheduler = new Scheduler()
    const life = { isOver: false }
    const clock = new NodeClock({ skewMs: -4_000, rate: 1 }, { scheduler, life })
    const woken: string[] = []
    const stopping = new AbortController()
    void clock.sleep(100).then(() => woken.push(`slept ${clock.monotonicMs()}`))
    void clock.sleep(900, stopping.signal).then(() => woken.push(`told ${clock.monotonicMs()}`))
    void clock.sleep(300).then(() => woken.push('never'))
    scheduler.after(200, () => stopping.abort())
    scheduler.after(250, () => {
      life.isOver = true
    })
    await scheduler.run(1_000)
    assert.deepEqual(woken, ['slept 100', 'told 200'])
  })

  it('error: what asks the machine for time or chance is told so', async () => {
    for (const ask of [() => Date.now(), () => Math.random(), () => setTimeout(() => undefined, 1)]) {
      const scheduler = new Scheduler()
      scheduler.after(5, () => void ask())
      await assert.rejects(scheduler.run(10), /in a simulation/)
    }
    assert.ok(Math.random() < 1 && Date.now() > 0)
  })
})
