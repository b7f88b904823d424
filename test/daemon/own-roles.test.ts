import assert from 'node:assert/strict'
import { findOwnRoles } from '../../daemon/own-roles.ts'
import { computePlacementTable, type PlacementStatus, readPlacement } from '../../storage-worker/index.ts'
import { MadeRegistry, NETWORK, REGISTRY } from '../storage-worker/placement/made-registry.ts'

const CLOCK = { nowMs: () => 1_000_000_000_000, monotonicMs: () => 0 }

describe('daemon/own-roles', () => {
  it('tells the roles of the own address by the table in force, and else what lacks', async () => {
    const registry = new MadeRegistry({ replicas: 1 })
    registry.add('AU1')
    const reading = await readPlacement({ registry: REGISTRY, network: NETWORK }, { node: registry, clock: CLOCK })
    const inForce = await computePlacementTable(reading)
    const find = (status: Partial<PlacementStatus> | undefined, table: typeof inForce | undefined, address?: string) =>
      findOwnRoles(
        { inForce: table, status: () => status && { registry: REGISTRY, isCurrent: true, ...status } },
        address,
      )
    const found = find({}, inForce, 'AU1')
    assert('roles' in found)
    assert.deepEqual([found.roles.address, found.roles.era], ['AU1', inForce.era])
    assert.deepEqual(find(undefined, undefined, 'AU1'), { why: 'no storage-registry is configured' })
    assert.deepEqual(find({}, undefined, 'AU1'), { why: 'no placement is in force yet' })
    const failing = { code: 'PLACEMENT_REGISTRY_MISSING', message: 'it is gone' } as const
    assert.deepEqual(find({ failing }, undefined, 'AU1'), { why: 'it is gone' })
    assert.deepEqual(find({}, inForce), { why: 'no key is configured, so it is not known which node this is' })
  })
})
