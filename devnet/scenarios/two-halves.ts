import assert from 'node:assert/strict'
import type { Scenario } from './scenario.ts'

const LEAST_SIDECARS = 4
const PARTED_PERIODS = 20

export const twoHalves: Scenario = {
  name: 'two-halves',
  story:
    'For twenty periods nothing that a sidecar of one half sends reaches the other; then all archives are the same, and every chunk has its copies.',
  isLong: true,
  async play(stage) {
    const { sidecars } = await stage.report()
    assert(sidecars.length >= LEAST_SIDECARS, `it takes ${LEAST_SIDECARS} sidecars, here are ${sidecars.length}`)
    const half = Math.floor(sidecars.length / 2)
    const [some, others] = [sidecars.slice(0, half), sidecars.slice(half)]
    const [one] = some
    const [other] = others
    assert(one && other)
    await stage.untilAtFloor(one)

    const first = await stage.nextPeriod()
    const last = first + PARTED_PERIODS - 1
    await stage.part(some.map(({ name }) => name))
    try {
      await stage.untilAway(one, others)
      await stage.untilAway(other, some)
      await stage.untilArchived(last)
    } finally {
      await stage.join()
    }

    for (const sidecar of sidecars) await stage.untilAtFloor(sidecar)
    const now = (await stage.nextPeriod()) - 1
    await stage.untilArchived(now)
    // Whoever keeps the newest periods alone has let go of some since.
    const keepsAll = (await stage.report()).sidecars.every(({ archived }) => archived && archived.first <= first)
    await stage.checkArchives(first, now, keepsAll)
  },
}
