import assert from 'node:assert/strict'
import { isArchiveError } from '../../core/index.ts'
import { WORK } from '../../daemon/peers/shares.ts'
import { type Priority, WorkQueue } from '../../protocol-handler/work-queue.ts'
import { VirtualClock } from '../clocks.ts'

/** A queue with one work that runs until `release`, and what ran after it. */
function holdQueue(capacity: number) {
  const queue = new WorkQueue({ concurrency: 1, capacity })
  const ran: string[] = []
  let release = (): void => {}
  const held = queue.add('backfill', () => new Promise<void>((resolve) => (release = resolve)))
  const add = (priority: Priority, name: string): Promise<string> =>
    queue
      .add(priority, async () => ran.push(name))
      .then(
        () => 'ran',
        (error) => (isArchiveError(error) ? error.code : String(error)),
      )
  const finish = (): Promise<void> => {
    release()
    return held
  }
  return { queue, ran, add, finish }
}

/** Milliseconds that works of each kind took in ten seconds in which every asker always has some more of them. */
async function flood(
  askers: readonly { readonly priority: Priority; readonly peers: string; readonly workMs: number }[],
) {
  const clock = new VirtualClock()
  const queue = new WorkQueue({ ...WORK, concurrency: 1 }, clock)
  const takenMs: Partial<Record<Priority, number>> = {}
  const ask = async (peer: string, priority: Priority, workMs: number): Promise<void> => {
    for (;;) {
      await queue.add(priority, () => clock.sleep(workMs), peer)
      takenMs[priority] = (takenMs[priority] ?? 0) + workMs
    }
  }
  const all = askers.flatMap(({ priority, peers, workMs }) =>
    [...peers].flatMap((peer) => Array.from({ length: 6 }, () => ask(peer, priority, workMs))),
  )
  await clock.run(10_000)
  await Promise.all([queue.stop(), clock.run(10_100), Promise.allSettled(all)])
  return takenMs
}

describe('protocol-handler/work-queue', () => {
  it('runs what is most urgent first, in order of arrival among equals', async () => {
    const { ran, add, finish } = holdQueue(10)
    const all = [
      add('backfill', 'b1'),
      add('read', 'r1'),
      add('repair', 'p1'),
      add('challenge', 'c1'),
      add('read', 'r2'),
      add('challenge', 'c2'),
    ]
    await finish()
    await Promise.all(all)
    assert.deepEqual(ran, ['c1', 'c2', 'p1', 'r1', 'r2', 'b1'])
  })

  it('limit: a full queue refuses what is not more urgent, and drops the newest of the least urgent for what is', async () => {
    const { ran, add, finish } = holdQueue(3)
    const waiting = [add('backfill', 'b1'), add('read', 'r1'), add('backfill', 'b2')]
    const refused = add('backfill', 'b3')
    const urgent = [add('challenge', 'c1'), add('repair', 'p1'), add('challenge', 'c2')]
    const late = [add('read', 'r2'), add('challenge', 'c3'), add('challenge', 'c4')]
    await finish()
    assert.equal(await refused, 'PROTOCOL_QUEUE_FULL')
    assert.deepEqual(await Promise.all(waiting), ['PROTOCOL_QUEUE_FULL', 'PROTOCOL_QUEUE_FULL', 'PROTOCOL_QUEUE_FULL'])
    assert.deepEqual(await Promise.all(urgent), ['ran', 'ran', 'ran'])
    // Challenges may be half of what waits.
    assert.deepEqual(await Promise.all(late), ['PROTOCOL_QUEUE_FULL', 'PROTOCOL_QUEUE_FULL', 'PROTOCOL_QUEUE_FULL'])
    assert.deepEqual(ran, ['c1', 'c2', 'p1'])
  })

  it('among equals each peer has its turn, and a full queue drops the newest of the one that has most waiting', async () => {
    const queue = new WorkQueue({ concurrency: 1, capacity: 4 })
    const ran: string[] = []
    let release = (): void => {}
    const held = queue.add('read', () => new Promise<void>((resolve) => (release = resolve)))
    const add = (peer: string, name: string) =>
      queue
        .add('read', async () => ran.push(name), peer)
        .then(
          () => 'ran',
          () => 'refused',
        )
    const all = [add('a', 'a1'), add('a', 'a2'), add('a', 'a3'), add('b', 'b1'), add('b', 'b2'), add('c', 'c1')]
    release()
    await held
    assert.deepEqual(await Promise.all(all), ['ran', 'refused', 'refused', 'ran', 'ran', 'ran'])
    assert.deepEqual(ran, ['a1', 'b1', 'c1', 'b2'])
  })

  it('reads and backfill take half of the places, so that what is urgent finds one free', async () => {
    const queue = new WorkQueue({ concurrency: 4, capacity: 100 })
    const releases: (() => void)[] = []
    const began: string[] = []
    const add = (priority: Priority): Promise<void> =>
      queue.add(priority, () => {
        began.push(priority)
        return new Promise<void>((resolve) => releases.push(resolve))
      })
    const all = [add('read'), add('backfill'), add('read'), add('repair'), add('challenge'), add('repair')]
    assert.deepEqual(began, ['read', 'backfill', 'repair', 'challenge'])
    while (began.length < 6 || releases.length > 0) {
      releases.shift()?.()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await Promise.all(all)
    assert.deepEqual(began.slice(4), ['repair', 'read'])
  })

  it('rests when works took more than their share of the time', async () => {
    const clock = new VirtualClock()
    const queue = new WorkQueue({ concurrency: 1, capacity: 100, timeShare: 0.5 }, clock)
    const startsMs: number[] = []
    const work = async (): Promise<void> => {
      startsMs.push(clock.timeMs)
      clock.timeMs += 100
    }
    for (let i = 0; i < 10; i++) void queue.add('read', work)
    await clock.run(10_000)
    // A burst of 250 ms of work, then half of the time.
    assert.deepEqual(startsMs, [0, 100, 200, 300, 400, 600, 800, 1_000, 1_200, 1_400])
    await queue.stop()
  })

  it('hostile peer: audits without end leave repair its share', async () => {
    const audits = { priority: 'challenge', peers: 'ab', workMs: 5 } as const
    const repairs = { priority: 'repair', peers: 'cde', workMs: 1 } as const
    const alone = (await flood([audits])).challenge ?? 0
    const both = await flood([audits, repairs])
    // Six tenths of the time, and what may be done at once.
    const mostMs = 0.6 * 10_000 + 250
    assert.ok(Math.abs(alone - mostMs) < 10, `${alone}`)
    for (const takenMs of [both.challenge ?? 0, both.repair ?? 0]) {
      assert.ok(Math.abs(takenMs - mostMs / 2) < 10, JSON.stringify(both))
    }
  })

  it('runs as many at a time as it may, and a work that fails makes room', async () => {
    const queue = new WorkQueue({ concurrency: 2, capacity: 100 })
    let running = 0
    let most = 0
    const work = async (): Promise<void> => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      throw new Error('fails')
    }
    const ends = await Promise.allSettled(Array.from({ length: 20 }, () => queue.add('repair', work)))
    assert.equal(most, 2)
    assert.ok(ends.every(({ status }) => status === 'rejected'))
    assert.equal(queue.length, 0)
  })

  it('a stop refuses what waits and waits for what runs', async () => {
    const { queue, ran, add, finish } = holdQueue(10)
    const waiting = add('challenge', 'c1')
    let stopped = false
    const stop = queue.stop().then(() => (stopped = true))
    assert.equal(await waiting, 'PROTOCOL_QUEUE_FULL')
    assert.equal(await add('challenge', 'c2'), 'PROTOCOL_QUEUE_FULL')
    assert.equal(stopped, false)
    await finish()
    await stop
    await queue.stop()
    assert.deepEqual(ran, [])
  })
})
