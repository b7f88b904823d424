import assert from 'node:assert/strict'
import { contractTraffic } from '../../../devnet/scenarios/contract-traffic.ts'
import type { Stage } from '../../../devnet/scenarios/index.ts'

const IDS = Array.from({ length: 12 }, (_, i) => `O${i}`)

/** A network that archives everything, and executes calls as it is told. */
function makeStage(succeeds: (i: number) => boolean): Stage {
  return {
    nextPeriod: async () => 7,
    callContract: async () => IDS,
    untilExecuted: async () => new Map(IDS.map((id, i) => [id, succeeds(i)])),
    untilArchived: async () => {},
    checkArchives: async () => {},
    report: async () => ({ sidecars: [{ name: 'sidecar-1' }] }),
    findOperation: async () => ({}),
  } as unknown as Stage
}

describe('devnet/scenarios/contract-traffic', () => {
  it('ends as told where every other call fails', async () => {
    await contractTraffic.play(makeStage((i) => i % 2 === 0))
  })

  for (const [what, succeeds] of [
    ['none fails', () => true],
    ['all fail', () => false],
    ['the others fail', (i: number) => i % 2 === 1],
  ] as const) {
    it(`error: does not end as told where ${what}`, async () => {
      await assert.rejects(contractTraffic.play(makeStage(succeeds)), { name: 'AssertionError' })
    })
  }
})
