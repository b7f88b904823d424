import assert from 'node:assert/strict'
import { z } from 'zod'
import { makeControlRoutes, type NodeProcess } from '../../../../devnet/node/index.ts'

/** Takes every order and remembers the speeds. */
class FakeNode {
  readonly speeds: unknown[] = []

  setSpeed(speed: unknown): void {
    this.speeds.push(speed)
  }
}

describe('devnet/node/process/control-routes', () => {
  let node: FakeNode
  const order = (name: string, body: unknown) => makeControlRoutes(node as unknown as NodeProcess)[name]?.(body)
  const isRefused = (pattern: RegExp) => (error: unknown) =>
    error instanceof z.ZodError && pattern.test(z.prettifyError(error))

  beforeEach(() => {
    node = new FakeNode()
  })

  it('limit: a speed is from 0.01 to 1000, or turbo; a refusal says so', () => {
    for (const speed of [0.01, 1_000, 'turbo']) order('POST /control/speed', { speed })
    assert.deepEqual(node.speeds, [0.01, 1_000, 'turbo'])
    for (const speed of [0.009, 0, -1, 1_000.1, 1e-9, 'Turbo', null]) {
      assert.throws(
        () => order('POST /control/speed', { speed }),
        isRefused(/expected a factor from 0\.01 to 1000, or "turbo"/),
      )
    }
    assert.equal(node.speeds.length, 3)
  })

  for (const name of ['pause', 'resume', 'restart', 'drop-streams']) {
    it(`error: ${name} refuses what it does not know`, () => {
      assert.throws(() => order(`POST /control/${name}`, { x: 1 }), isRefused(/Unrecognized key: "x"/))
    })
  }
})
