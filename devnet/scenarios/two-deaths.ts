import assert from 'node:assert/strict'
import type { Scenario } from './scenario.ts'

/** With three copies, and who is left to hold them. */
const LEAST_SIDECARS = 5

export const twoDeaths: Scenario = {
  name: 'two-deaths',
  story:
    'Two sidecars are killed at once, and others hold what they held; they come back with empty disks, and fetch it from these.',
  isLong: true,
  async play(stage) {
    const sidecars = await stage.listKeepers()
    assert(
      sidecars.length >= LEAST_SIDECARS,
      `it takes ${LEAST_SIDECARS} sidecars that keep for ever, here are ${sidecars.length}`,
    )
    const dead = sidecars.slice(-2)
    const [witness] = sidecars
    assert(witness)
    await stage.untilAtFloor(witness)
    const first = witness.archived?.first ?? 0

    try {
      for (const { name } of dead) await stage.kill(name)
      await stage.untilAway(witness, dead)
      await stage.untilAtFloor(witness)
    } finally {
      for (const { name } of dead) await stage.startEmpty(name)
    }

    let whole = first
    for (const sidecar of dead) {
      whole = Math.max(whole, await stage.untilRefilled(sidecar, first))
      await stage.untilAtFloor(sidecar)
    }
    await stage.untilAtFloor(witness)
    const last = (await stage.nextPeriod()) - 1
    await stage.untilArchived(last)
    await stage.checkArchives(first, whole, false)
    await stage.checkArchives(whole, last)
  },
}
