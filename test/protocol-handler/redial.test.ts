import assert from 'node:assert/strict'
import { Redialer } from '../../protocol-handler/redial.ts'
import { SetClock } from '../devnet/set-clock.ts'

/** Targets of which some answer, and every dial with its time. */
function makeWorld(targets: string[]) {
  const clock = new SetClock()
  const startMs = clock.monotonicMs()
  const up = new Set<string>()
  const connected = new Set<string>()
  const dials: [string, number][] = []
  const redialer = new Redialer(
    {
      listTargets: () => targets,
      isConnected: (address) => connected.has(address),
      dial: async (address) => {
        dials.push([address, (clock.monotonicMs() - startMs) / 1_000])
        if (!up.has(address)) throw new Error('nobody there')
        connected.add(address)
      },
    },
    clock,
  )
  const look = async (seconds: number): Promise<void> => {
    for (let i = 0; i < seconds; i++) {
      await redialer.lookOnce()
      clock.timeMs += 1_000
    }
  }
  return { redialer, clock, up, connected, dials, look, targets }
}

describe('protocol-handler/redial', () => {
  it('tries a target that does not answer after 1, 2, 4 ... seconds, at most every 5 minutes', async () => {
    const { dials, look } = makeWorld(['a'])
    await look(1_200)
    assert.deepEqual(
      dials.map(([, second]) => second),
      [0, 1, 3, 7, 15, 31, 63, 127, 255, 511, 811, 1_111],
    )
  })

  it('tries at the same times when the wall clock is set', async () => {
    for (const jumpMs of [-150_000, 150_000]) {
      const { dials, look, clock } = makeWorld(['a'])
      await look(10)
      clock.jumpMs = jumpMs
      await look(30)
      assert.deepEqual(
        dials.map(([, second]) => second),
        [0, 1, 3, 7, 15, 31],
      )
    }
  })

  it('a peer that was connected and is lost is dialled at once', async () => {
    const { up, connected, dials, look } = makeWorld(['a'])
    up.add('a')
    await look(10)
    assert.equal(dials.length, 1)
    connected.delete('a')
    await look(1)
    assert.equal(dials.length, 2)
    assert.equal(connected.has('a'), true)
  })

  it('who cuts the connection as soon as it is there is dialled again after 1, 2, 4 ... seconds', async () => {
    const { up, connected, dials, look } = makeWorld(['a'])
    up.add('a')
    for (let i = 0; i < 40; i++) {
      await look(1)
      connected.delete('a')
    }
    assert.deepEqual(
      dials.map(([, second]) => second),
      [0, 1, 3, 7, 15, 31],
    )
  })

  it('limit: eight dials at a time, the rest with the next looks', async () => {
    const targets = Array.from({ length: 20 }, (_, i) => `t${i}`)
    const world = makeWorld(targets)
    for (const target of targets) world.up.add(target)
    await world.look(1)
    assert.equal(world.connected.size, 8)
    await world.look(2)
    assert.equal(world.connected.size, 20)
  })

  it('a target that is named no more is forgotten, and begins anew when it is named again', async () => {
    const { dials, look, targets } = makeWorld(['a'])
    await look(40)
    const before = dials.length
    targets.length = 0
    await look(1)
    targets.push('a')
    await look(1)
    assert.equal(dials.length, before + 1)
  })

  it('a target that hangs keeps no other from being dialled, and a stop does not wait for it', async () => {
    const clock = new SetClock()
    const dialled: string[] = []
    const redialer = new Redialer(
      {
        listTargets: () => ['hangs', ...(dialled.length > 0 ? ['later'] : [])],
        isConnected: (address) => address === 'later' && dialled.includes('later'),
        dial: async (address) => {
          dialled.push(address)
          if (address === 'hangs') await new Promise(() => {})
        },
      },
      clock,
    )
    redialer.start()
    while (!dialled.includes('later')) await new Promise((resolve) => setImmediate(resolve))
    await redialer.stop()
    assert.deepEqual(dialled, ['hangs', 'later'])
  })
})
