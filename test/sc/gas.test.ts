import assert from 'node:assert/strict'
import { GAS_BUDGETS, type GasRows, MAX_WASM_BYTES, measureGas, NODE_COUNTS } from './gas-table.ts'
import { registerByCall, registerMany } from './many-nodes.ts'
import { checkInvariants, dumpLedger } from './registry-records.ts'
import { deployRegistry, goTo, REGISTRY_WASM } from './registry-world.ts'

describe('sc: gas', () => {
  const [few, , many] = NODE_COUNTS
  const rows = new Map<number, GasRows>()
  before(function () {
    this.timeout(60_000)
    for (const count of NODE_COUNTS) rows.set(count, measureGas(count))
  })

  it('the nodes that are written down are those that calls would register', () => {
    const dumps = [true, false].map((byCalls) => {
      const world = deployRegistry()
      registerMany(world, 0, 2)
      goTo(world, 20)
      if (byCalls) for (let i = 2; i < 27; i++) registerByCall(world, i)
      else registerMany(world, 2, 25)
      checkInvariants(world)
      return [...dumpLedger(world)].filter(([key]) => key.startsWith('AS')).sort()
    })
    assert.deepEqual(dumps[0], dumps[1])
    assert.ok((dumps[0]?.length ?? 0) > 54)
  })

  it('is the same at 10, 1,000 and 10,000 nodes', () => {
    const labels = rows.get(few)
    assert.ok(labels && labels.size >= 36)
    for (const [label, least] of labels) {
      for (const count of NODE_COUNTS) {
        const gas = rows.get(count)?.get(label) ?? 0n
        const percent = (Number(gas - least) / Number(least)) * 100
        assert.ok(Math.abs(percent) <= 1, `${label}: ${least} at ${few}, ${gas} at ${count} nodes`)
      }
    }
  })

  for (const [label, budget] of GAS_BUDGETS) {
    it(`limit: ${label} takes less than ${budget} gas`, () => {
      const gas = rows.get(many)?.get(label) ?? 0n
      assert.ok(gas > 0n && gas < budget, `${gas}`)
    })
  }

  it('limit: the wasm has at most 64 KB', () => {
    assert.ok(REGISTRY_WASM.length <= MAX_WASM_BYTES, `${REGISTRY_WASM.length}`)
  })
})
