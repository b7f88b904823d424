import assert from 'node:assert/strict'
import type { PlacementSnapshot } from '../../../core/index.ts'
import { RegisteredNodes } from '../../../storage-worker/placement/registered-nodes.ts'

function tableOf(...addresses: string[]): { readonly snapshot: PlacementSnapshot } {
  const nodes = addresses.map((address) => ({
    address,
    placementGb: 1n,
    retentionPeriods: 0n,
    operator: '',
    p2pAddrs: [`/dns4/${address}/tcp/1`],
  }))
  const network = { chainId: 1n, genesisTimestampMs: 0n }
  return { snapshot: { network, era: 1, replicas: 3, eraBytes: 0n, requireAnchors: false, nodes } }
}

describe('storage-worker/placement/registered-nodes', () => {
  it('are those of the table in force, as it changes; without a table there are none', () => {
    const placement: { inForce: { readonly snapshot: PlacementSnapshot } | undefined } = { inForce: undefined }
    const registered = new RegisteredNodes(placement)
    assert.deepEqual([registered.isKnown, registered.has('a'), registered.list()], [false, false, []])
    placement.inForce = tableOf('a', 'b')
    assert.deepEqual([registered.isKnown, registered.has('a'), registered.has('c')], [true, true, false])
    assert.deepEqual([registered.placementGbOf('a'), registered.placementGbOf('c')], [1n, 0n])
    placement.inForce = tableOf('b', 'c')
    assert.equal(registered.placementGbOf('c'), 1n)
    assert.deepEqual([registered.has('a'), registered.has('b'), registered.has('c')], [false, true, true])
    assert.deepEqual(
      registered.list().map(({ address, p2pAddrs }) => [address, ...p2pAddrs]),
      [
        ['b', '/dns4/b/tcp/1'],
        ['c', '/dns4/c/tcp/1'],
      ],
    )
  })
})
