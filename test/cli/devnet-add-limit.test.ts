import assert from 'node:assert/strict'
import { chooseAddLimit } from '../../cli/commands/devnet-orders.ts'

describe('cli/commands/devnet-orders: how long an added sidecar is waited for', () => {
  for (const [speed, limitMs] of [
    ['turbo', 120_000],
    [1_000, 120_480],
    [8, 180_000],
    [1, 290_000],
    [0.5, 290_000],
  ] as const) {
    it(`limit: ${limitMs / 1000} s at speed ${speed}`, () => {
      assert.equal(chooseAddLimit(speed), limitMs)
    })
  }
})
