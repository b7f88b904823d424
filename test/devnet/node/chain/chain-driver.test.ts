import assert from 'node:assert/strict'
import { type Clock, slotIndex } from '../../../../core/index.ts'
import { ChainDriver, type DevnetChain } from '../../../../devnet/node/index.ts'
import { indexOf, openChain } from './made-chain.ts'

/** Real time that passes while somebody sleeps, and as told. */
class SleptClock implements Clock {
  timeMs = 1_000
  /** Called at each sleep; what stops a test. */
  onSleep: (durationMs: number) => void = () => {}

  /** By how much the wall clock was set forward (or back) since. */
  jumpMs = 0

  nowMs(): number {
    return this.timeMs + this.jumpMs
  }

  monotonicMs(): number {
    return this.timeMs
  }

  async sleep(durationMs: number): Promise<void> {
    this.timeMs += durationMs
    this.onSleep(durationMs)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Time passes only in short sleeps; a long one ends when it is broken off. */
class WokenClock extends SleptClock {
  override async sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    if (durationMs <= 1_000) return super.sleep(durationMs)
    this.onSleep(durationMs)
    await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
  }
}

const QUICK = { endorsements: 0, deltaF0: 40 }

/** Runs until the chain has reached the slot. */
async function runTo(driver: ChainDriver, chain: DevnetChain, index: number): Promise<void> {
  const reached = new Promise<void>((resolve) => {
    const end = chain.onBlockReceived((block) => {
      if (block.slotIndex < index) return
      end()
      resolve()
    })
  })
  driver.start()
  await Promise.race([reached, driver.failure])
}

describe('devnet/node/chain/driver', () => {
  it('makes a slot in half a second, and eight of them at speed 8', async () => {
    for (const speed of [1, 8]) {
      const chain = openChain(QUICK)
      const clock = new SleptClock()
      const driver = new ChainDriver({ speed }, { chain, clock })
      const before = clock.timeMs
      await runTo(driver, chain, 31 + 80)
      await driver.stop()
      const passedMs = clock.timeMs - before
      assert(Math.abs(passedMs - 40_000 / speed) <= 600 / speed + 10, `${passedMs} ms at speed ${speed}`)
      const aheadMs = driver.nowMs() - (chain.genesisTimestampMs + slotIndex(chain.lastSlot) * 500)
      assert(aheadMs >= 0 && aheadMs < 500)
    }
  })

  it('holds virtual time back where the machine is too slow for it', async () => {
    const chain = openChain(QUICK)
    const clock = new SleptClock()
    const driver = new ChainDriver({ speed: 1 }, { chain, clock })
    // Making a block takes three seconds.
    chain.onBlockReceived(() => {
      clock.timeMs += 3_000
    })
    const before = clock.timeMs
    await runTo(driver, chain, 31 + 20)
    await driver.stop()
    assert(clock.timeMs - before >= 60_000)
    assert(driver.nowMs() < chain.genesisTimestampMs + (indexOf(chain) + 1) * 500)
  })

  it('limit: makes up for eight slots that it is behind, and no more', async () => {
    for (const [behindSlots, madeUp] of [
      [8, 8],
      [9, 0],
      [400, 0],
    ] as const) {
      const chain = openChain(QUICK)
      const clock = new SleptClock()
      const driver = new ChainDriver({ speed: 1 }, { chain, clock })
      await runTo(driver, chain, 31 + 4)
      // The machine stands still when the next slot is due.
      let stoodAtMs = 0
      clock.onSleep = () => {
        if (stoodAtMs > 0) return
        clock.timeMs += behindSlots * 500
        stoodAtMs = clock.timeMs
      }
      const start = indexOf(chain)
      const made: number[] = []
      chain.onBlockReceived(({ slotIndex: index }) => {
        if (clock.timeMs === stoodAtMs) made.push(index)
      })
      await runTo(driver, chain, start + 20)
      await driver.stop()
      assert.equal(made.length - 1, madeUp, `${behindSlots} slots behind`)
    }
  })

  it('as fast as its consumers follow: asks before every slot, and rests while they say no', async () => {
    const chain = openChain(QUICK)
    const clock = new SleptClock()
    let asked = 0
    let mayGoOn = true
    const turbo = {
      mayGoOn: () => {
        asked++
        return mayGoOn
      },
    }
    const driver = new ChainDriver({ turbo }, { chain, clock })
    await runTo(driver, chain, 31 + 300)
    assert(asked >= 300)
    mayGoOn = false
    await new Promise<void>((resolve) => {
      let rests = 0
      clock.onSleep = () => {
        if (++rests === 3) resolve()
      }
    })
    const stood = indexOf(chain)
    mayGoOn = true
    await runTo(driver, chain, stood + 5)
    await driver.stop()
    assert.equal(driver.nowMs(), chain.nowMs)
  })

  it('stands still while paused, goes on from there, and stops where it is told to', async () => {
    const chain = openChain(QUICK)
    const clock = new SleptClock()
    const driver = new ChainDriver({ speed: 4 }, { chain, clock })
    await runTo(driver, chain, 31 + 10)
    driver.pause()
    await new Promise<void>((resolve) => {
      let rests = 0
      clock.onSleep = () => {
        if (++rests === 20) resolve()
      }
    })
    clock.onSleep = () => {}
    const stood = [indexOf(chain), driver.nowMs()]
    clock.timeMs += 3_600_000
    assert.deepEqual([indexOf(chain), driver.nowMs()], stood)
    driver.resume()
    await runTo(driver, chain, indexOf(chain) + 5)
    assert(indexOf(chain) < (stood[0] ?? 0) + 20)
    driver.setSpeed(100)
    await runTo(driver, chain, indexOf(chain) + 5)
    await driver.stop()
    await driver.stop()
    const end = indexOf(chain)
    clock.timeMs += 60_000
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(indexOf(chain), end)
  })

  for (const [order, change] of [
    ['another speed', (driver: ChainDriver) => driver.setSpeed(8)],
    ['turbo', (driver: ChainDriver) => driver.setTurbo({ mayGoOn: () => true })],
    [
      'a pause that ends',
      (driver: ChainDriver) => {
        driver.pause()
        driver.setSpeed(8)
        driver.resume()
      },
    ],
    ['its end', () => {}],
  ] as const) {
    it(`wakes from a sleep of days for ${order}`, async () => {
      const chain = openChain(QUICK)
      const clock = new WokenClock()
      const driver = new ChainDriver({ speed: 1e-6 }, { chain, clock })
      const asleep = new Promise<void>((resolve) => {
        clock.onSleep = () => resolve()
      })
      driver.start()
      await asleep
      clock.onSleep = () => {}
      change(driver)
      if (order !== 'its end') await runTo(driver, chain, 31 + 5)
      await driver.stop()
    })
  }

  it('goes on at its speed when the wall clock is set', async () => {
    for (const jumpMs of [-150_000, 150_000]) {
      const chain = openChain(QUICK)
      const clock = new SleptClock()
      const driver = new ChainDriver({ speed: 1 }, { chain, clock })
      const before = clock.timeMs
      await runTo(driver, chain, 31 + 20)
      clock.jumpMs = jumpMs
      await runTo(driver, chain, 31 + 80)
      await driver.stop()
      const passedMs = clock.timeMs - before
      assert(Math.abs(passedMs - 40_000) <= 610, `${passedMs} ms`)
    }
  })

  describe('bound to the clock', () => {
    const lagMs = (chain: DevnetChain, clock: SleptClock) =>
      clock.timeMs - (chain.genesisTimestampMs + indexOf(chain) * 500)
    const start = (options: Partial<ConstructorParameters<typeof ChainDriver>[0]>, behindMs: number) => {
      const chain = openChain(QUICK)
      const clock = new SleptClock()
      clock.timeMs = chain.nowMs + behindMs
      return { chain, clock, driver: new ChainDriver({ isBoundToClock: true, ...options }, { chain, clock }) }
    }

    it('at speed 1 makes every slot at its time', async () => {
      const { chain, clock, driver } = start({ speed: 1 }, 0)
      const lags: number[] = []
      chain.onBlockReceived(({ slotIndex: index }) => lags.push(clock.timeMs - chain.genesisTimestampMs - index * 500))
      await runTo(driver, chain, 31 + 80)
      await driver.stop()
      assert.equal(lags.length, 80)
      assert(Math.min(...lags) >= 0 && Math.max(...lags) < 10, `${lags}`)
    })

    it('at speed 1 makes up at speed 8 for a day at most, and no faster', async () => {
      const { chain, clock, driver } = start({ speed: 1 }, 70_000)
      const before = clock.timeMs
      await runTo(driver, chain, 31 + 160)
      // 80 s of chain time in 10 s.
      assert(Math.abs(clock.timeMs - before - 10_000) < 500, `${clock.timeMs - before} ms`)
      await runTo(driver, chain, 31 + 200)
      assert(Math.abs(lagMs(chain, clock)) < 10)
      // The machine stands still for a minute.
      clock.timeMs += 60_000
      await runTo(driver, chain, 31 + 400)
      await driver.stop()
      assert(Math.abs(lagMs(chain, clock)) < 10)
    })

    for (const [behindMs, speed] of [
      [86_400_000, 8],
      [86_400_001, 1],
    ] as const) {
      it(`limit: ${behindMs} ms behind, speed 1 is speed ${speed}`, async () => {
        const { chain, clock, driver } = start({ speed: 1 }, behindMs)
        const before = clock.timeMs
        await runTo(driver, chain, 31 + 40)
        await driver.stop()
        const passedMs = clock.timeMs - before
        assert(Math.abs(passedMs - 20_000 / speed) <= 600, `${passedMs} ms`)
      })
    }

    it('waits while the wall clock is set back, and goes on at once when that is corrected', async () => {
      const { chain, clock, driver } = start({ speed: 1 }, 0)
      await runTo(driver, chain, 31 + 20)
      clock.jumpMs = -150_000
      const stood = indexOf(chain)
      let sleptMs = 0
      clock.onSleep = (durationMs) => {
        sleptMs += durationMs
        assert(indexOf(chain) <= stood + 1)
        if (sleptMs >= 10_000) clock.jumpMs = 0
      }
      const before = clock.timeMs
      await runTo(driver, chain, stood + 2)
      assert(clock.timeMs - before < 12_000, `${clock.timeMs - before} ms`)
      clock.onSleep = () => {}
      await runTo(driver, chain, stood + 60)
      await driver.stop()
      assert(Math.abs(lagMs(chain, clock)) < 510)
    })

    for (const options of [{ speed: 100 }, { turbo: { mayGoOn: () => true } }]) {
      it(`${'turbo' in options ? 'turbo' : 'speed 100'} ends at the present`, async () => {
        const { chain, clock, driver } = start(options, 20_000)
        chain.onBlockReceived(() => assert(lagMs(chain, clock) >= 0))
        const before = clock.timeMs
        await runTo(driver, chain, 31 + 60)
        await driver.stop()
        const passedMs = clock.timeMs - before
        assert(passedMs >= 10_000 && passedMs <= 10_100, `${passedMs} ms`)
      })
    }
  })

  it('error: says so when the chain cannot go on', async () => {
    const chain = openChain(QUICK)
    chain.advanceTo = () => Promise.reject(new Error('disk full'))
    const driver = new ChainDriver({}, { chain, clock: new SleptClock() })
    driver.start()
    await assert.rejects(driver.failure, /disk full/)
    await driver.stop()
  })
})
