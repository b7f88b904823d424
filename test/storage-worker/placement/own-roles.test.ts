import assert from 'node:assert/strict'
import { HASH_SLOTS } from '../../../core/index.ts'
import { computePlacementTable, OwnRoles, readPlacement } from '../../../storage-worker/index.ts'
import { MadeRegistry, NETWORK, REGISTRY } from './made-registry.ts'

const CLOCK = { nowMs: () => 1_000_000_000_000, monotonicMs: () => 0 }

function chunkIdIn(hashSlot: number): Uint8Array {
  const chunkId = new Uint8Array(32)
  new DataView(chunkId.buffer).setUint16(30, hashSlot)
  return chunkId
}

describe('storage-worker/placement/own-roles', () => {
  it('each hash slot of the table has one primary and its replicas, and is extra for the others', async () => {
    const registry = new MadeRegistry({ replicas: 2 })
    const addresses = ['AU1', 'AU2', 'AU3']
    for (const address of addresses) registry.add(address)
    const reading = await readPlacement({ registry: REGISTRY, network: NETWORK }, { node: registry, clock: CLOCK })
    const table = await computePlacementTable(reading)
    const nodes = addresses.map((address) => new OwnRoles({ address, table }))
    for (let hashSlot = 0; hashSlot < HASH_SLOTS; hashSlot++) {
      const roles = nodes.map((node) => node.roleOf(chunkIdIn(hashSlot)))
      assert.deepEqual([...roles].sort(), ['extra', 'primary', 'replica'])
      const { holders } = table.holdersOf(chunkIdIn(hashSlot))
      assert.equal(addresses[roles.indexOf('primary')], holders[0]?.address)
      assert.equal(addresses[roles.indexOf('replica')], holders[1]?.address)
    }
    const listed = nodes.map((node) => [node.listSlots('primary').length, node.listSlots('replica').length] as const)
    for (const place of [0, 1] as const) {
      assert.equal(
        listed.reduce((sum, counts) => sum + counts[place], 0),
        HASH_SLOTS,
      )
    }
    assert.equal(nodes[0]?.era, table.era)
  })

  it('everything is extra for a node that is in no table', async () => {
    const registry = new MadeRegistry({ replicas: 1 })
    registry.add('AU1')
    const reading = await readPlacement({ registry: REGISTRY, network: NETWORK }, { node: registry, clock: CLOCK })
    const roles = new OwnRoles({ address: 'AU9', table: await computePlacementTable(reading) })
    assert.equal(roles.listSlots('extra').length, HASH_SLOTS)
    assert.equal(roles.roleOf(chunkIdIn(7)), 'extra')
  })
})
