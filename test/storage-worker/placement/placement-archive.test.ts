import assert from 'node:assert/strict'
import { keyspaceRange } from '../../../storage-worker/keyspace.ts'
import { PlacementArchive } from '../../../storage-worker/placement/placement-archive.ts'
import type { PlacementReading } from '../../../storage-worker/placement/read-placement.ts'
import { registered } from '../replication/audited-nodes.ts'
import { openMemoryLevel } from '../temp-store.ts'
import { NETWORK, REGISTRY } from './made-registry.ts'

const U64_MAX = 2n ** 64n - 1n

function readingOf(era: number, change: Partial<PlacementReading> = {}): PlacementReading {
  const nodes = [
    registered('AU1', { operator: 'one', p2pAddrs: ['/ip4/10.0.0.1/tcp/1', '/dns4/é/tcp/2'], placementGb: U64_MAX }),
    registered(`AU2${era}`, { retentionPeriods: 5_400n }),
  ]
  const snapshot = { network: NETWORK, era, replicas: 3, eraBytes: U64_MAX, requireAnchors: true, nodes }
  return { snapshot, replicationFactor: 3, lagEras: 42, period: era * 128 + 9, ...change }
}

describe('storage-worker/placement/placement-archive', () => {
  it('gives what was read of an era, after a restart too', async () => {
    const level = await openMemoryLevel('index')
    const archive = new PlacementArchive(level)
    const { lagEras: _, ...unknownLag } = readingOf(4)
    await archive.put(REGISTRY, readingOf(3))
    await archive.put(REGISTRY, unknownLag)
    for (const each of [archive, new PlacementArchive(level)]) {
      assert.deepEqual(await each.find(REGISTRY, 3), readingOf(3))
      assert.deepEqual(await each.find(REGISTRY, 4), unknownLag)
      assert.equal(await each.find(REGISTRY, 5), undefined)
    }
  })

  it('what is read of an era later stands in the place of what was; of another registry it is of no use', async () => {
    const archive = new PlacementArchive(await openMemoryLevel('index'))
    await archive.put(REGISTRY, readingOf(3))
    await archive.put(REGISTRY, readingOf(3, { replicationFactor: 5 }))
    assert.equal((await archive.find(REGISTRY, 3))?.replicationFactor, 5)
    assert.equal(await archive.find('another registry', 3), undefined)
  })

  it('limit: keeps 136 eras, whatever lies between two of them', async () => {
    const level = await openMemoryLevel('index')
    const archive = new PlacementArchive(level)
    for (const era of [0, 1, 2, 137]) await archive.put(REGISTRY, readingOf(era))
    const kept = async (era: number) => (await archive.find(REGISTRY, era)) !== undefined
    assert.deepEqual(await Promise.all([0, 1, 2, 137].map(kept)), [false, false, true, true])
    // The sidecar stood still for long.
    await archive.put(REGISTRY, readingOf(137 + 135))
    assert.deepEqual(await Promise.all([136, 137, 272].map(kept)), [false, true, true])
  })

  it('fault: one that is damaged counts as not read', async () => {
    const level = await openMemoryLevel('index')
    const archive = new PlacementArchive(level)
    await archive.put(REGISTRY, readingOf(3))
    const key = await level.firstKey(keyspaceRange('placements'))
    const value = key && (await level.get(key))
    assert.ok(value)
    const damaged = value.map((byte, i) => (i === 40 ? byte ^ 1 : byte))
    await level.write([{ type: 'put', key, value: damaged }], { sync: true })
    assert.equal(await archive.find(REGISTRY, 3), undefined)
  })
})
