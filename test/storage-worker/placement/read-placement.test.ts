import assert from 'node:assert/strict'
import { ArchiveError, ERA_PERIODS, type ErrorCode, isArchiveError } from '../../../core/index.ts'
import { PLACEMENT_LIMITS, readPlacement } from '../../../storage-worker/index.ts'
import type { PlacementLimits } from '../../../storage-worker/placement/read-placement.ts'
import { MadeRegistry, NETWORK, REGISTRY } from './made-registry.ts'

const ERA = 3
/** 2023, when all eras of these tests are due. */
const NOW_MS = 1_700_000_000_000

function add(registry: MadeRegistry, count: number): void {
  for (let i = 0; i < count; i++) registry.add(`AU${i}`)
}

function read(
  registry: MadeRegistry,
  options: { readonly era?: number; readonly limits?: Partial<PlacementLimits>; readonly nowMs?: () => number } = {},
) {
  const { era, limits, nowMs = () => NOW_MS } = options
  return readPlacement(
    { registry: REGISTRY, network: NETWORK, era, limits: { ...PLACEMENT_LIMITS, ...limits } },
    { node: registry, clock: { nowMs, monotonicMs: nowMs } },
  )
}

async function refuses(reading: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(reading, (error) => {
    assert(isArchiveError(error), String(error))
    assert.equal(error.code, code, error.message)
    return true
  })
}

describe('storage-worker/placement/read-placement', () => {
  it('reads nodes with and without metadata, replicas and the settings, of the era of the final slot', async () => {
    const registry = new MadeRegistry({ era: ERA, replicas: 2 })
    registry.add('AU1', { placementGb: 7n, retentionPeriods: 100n })
    registry.add('AU2', { operator: 'x', p2pAddrs: ['/ip4/10.0.0.1/tcp/1'] })
    const { snapshot, replicationFactor, lagEras, period } = await read(registry)
    assert.deepEqual(snapshot, {
      network: NETWORK,
      era: ERA,
      replicas: 2,
      eraBytes: 0n,
      requireAnchors: false,
      nodes: [
        { address: 'AU1', placementGb: 7n, retentionPeriods: 100n, operator: '', p2pAddrs: [] },
        { address: 'AU2', placementGb: 10n, retentionPeriods: 0n, operator: 'x', p2pAddrs: ['/ip4/10.0.0.1/tcp/1'] },
      ],
    })
    assert.deepEqual([replicationFactor, lagEras, period], [3, 42, ERA * ERA_PERIODS + 20])
    assert.deepEqual((await read(registry, { era: ERA })).snapshot, snapshot)
  })

  it('up to 63 nodes all records come from one call, so from one height', async () => {
    for (const [count, calls] of [
      [0, 1],
      [63, 2],
      [64, 3],
    ] as const) {
      const registry = new MadeRegistry()
      add(registry, count)
      assert.equal((await read(registry)).snapshot.nodes.length, count)
      assert.equal(registry.calls.length, calls)
      assert(registry.calls.every((queries) => queries.length <= 128))
    }
  })

  it('reads 10,000 nodes within the limits of a node', async () => {
    const registry = new MadeRegistry()
    add(registry, 10_000)
    const { snapshot } = await read(registry)
    assert.equal(snapshot.nodes.length, 10_000)
    assert.equal(new Set(snapshot.nodes.map(({ address }) => address)).size, 10_000)
    for (const queries of registry.calls) {
      assert(queries.length <= 128)
      for (const query of queries) assert(query.kind === 'value' || query.limit <= 500)
    }
  }).timeout(60_000)

  it('heights may change between calls, within the era', async () => {
    const registry = new MadeRegistry()
    add(registry, 200)
    const still = await read(registry)
    registry.beforeCall = () => {
      registry.period += 10
      return undefined
    }
    const moving = await read(registry)
    assert.deepEqual(moving.snapshot, still.snapshot)
    assert.equal(moving.period, still.period + 50)
  })

  it('starts over when a node comes, goes, or the era ends between two calls', async () => {
    const changes: Record<string, (registry: MadeRegistry) => void> = {
      comes: (registry) => registry.add('AUnew'),
      goes: (registry) => registry.remove('AU5'),
      'era ends': (registry) => {
        registry.period += ERA_PERIODS
      },
    }
    for (const [name, change] of Object.entries(changes)) {
      for (const at of [2, 3]) {
        const registry = new MadeRegistry()
        add(registry, 600)
        registry.beforeCall = (call) => {
          if (call === at) change(registry)
          return undefined
        }
        const { snapshot } = await read(registry)
        registry.beforeCall = () => undefined
        assert.deepEqual(snapshot, (await read(registry)).snapshot, `${name} before call ${at}`)
      }
    }
  })

  it('limit: five readings that are all spoilt are refused, one more would do', async () => {
    for (const [attempts, spoilt] of [
      [5, 4],
      [5, 5],
    ] as const) {
      const registry = new MadeRegistry()
      registry.add('AU0')
      let left = spoilt
      registry.beforeCall = (call) => {
        if (call % 2 === 0 && left-- > 0) registry.add(`AUnew${call}`)
        return undefined
      }
      const reading = read(registry, { limits: { attempts } })
      if (spoilt < attempts) assert.equal((await reading).snapshot.nodes.length, spoilt + 1)
      else await refuses(reading, 'PLACEMENT_UNSETTLED')
    }
  })

  it('limit: nodes, at the bound and one past it', async () => {
    for (const nodes of [3, 501]) {
      const registry = new MadeRegistry()
      add(registry, nodes)
      assert.equal((await read(registry, { limits: { nodes } })).snapshot.nodes.length, nodes)
      registry.add('AUlast')
      await refuses(read(registry, { limits: { nodes } }), 'PLACEMENT_TOO_LARGE')
    }
  })

  it('limit: size of a value, at the bound and one past it', async () => {
    const registry = new MadeRegistry()
    registry.add('AU1')
    await read(registry, { limits: { recordBytes: 384 } })
    await refuses(read(registry, { limits: { recordBytes: 383 } }), 'PLACEMENT_TOO_LARGE')
    registry.put('meta_AU1', new Uint8Array(PLACEMENT_LIMITS.recordBytes + 1))
    await refuses(read(registry), 'PLACEMENT_TOO_LARGE')
  })

  it('limit: size of all values, at the bound and one past it', async () => {
    const registry = new MadeRegistry()
    registry.add('AU1')
    const totalBytes = 2 * (320 + 192) + 384
    await read(registry, { limits: { totalBytes } })
    await refuses(read(registry, { limits: { totalBytes: totalBytes - 1 } }), 'PLACEMENT_TOO_LARGE')
  })

  it('limit: time, at the bound and past it', async () => {
    const registry = new MadeRegistry()
    add(registry, 1)
    let nowMs = NOW_MS
    registry.beforeCall = () => {
      nowMs += 10
      return undefined
    }
    await read(registry, { limits: { timeMs: 10 }, nowMs: () => nowMs })
    await refuses(read(registry, { limits: { timeMs: 9 }, nowMs: () => nowMs }), 'PLACEMENT_TIMEOUT')
  })

  it('says that there is no registry, whether the address has nothing or only other records', async () => {
    const registry = new MadeRegistry()
    registry.clear()
    await refuses(read(registry), 'PLACEMENT_REGISTRY_MISSING')
    registry.put('other', Uint8Array.of(1))
    await refuses(read(registry), 'PLACEMENT_REGISTRY_MISSING')
  })

  it('refuses records of an unknown version', async () => {
    for (const key of ['state', 'config', 'node_AU1', 'meta_AU1']) {
      const registry = new MadeRegistry()
      registry.add('AU1', { operator: 'x' })
      registry.put(
        key,
        registry.get(key).map((byte, i) => (i === 0 ? 2 : byte)),
      )
      await refuses(read(registry), 'PLACEMENT_RECORD_UNREADABLE')
    }
  })

  it('refuses keys that repeat, go backwards, or were not asked for, and more than it asked for', async () => {
    const page = (...keys: string[]) => keys.map((key) => Buffer.from(key))
    for (const [keys, code] of [
      [page('node_AU1', 'node_AU1'), 'PLACEMENT_ANSWER_INVALID'],
      [page('node_AU2', 'node_AU1'), 'PLACEMENT_ANSWER_INVALID'],
      [page('state'), 'PLACEMENT_ANSWER_INVALID'],
      [Array.from({ length: 501 }, (_, i) => Buffer.from(`node_AU${i + 1000}`)), 'PLACEMENT_TOO_LARGE'],
    ] as const) {
      const registry = new MadeRegistry()
      const answers = [[registry.get('state')], [registry.get('config')], keys]
      registry.beforeCall = () => ({ slot: { period: registry.period, thread: 0 }, answers })
      await refuses(read(registry), code)
    }
  })

  it('refuses another era than the one that is asked for', async () => {
    const registry = new MadeRegistry({ era: ERA })
    for (const era of [ERA - 1, ERA + 1]) await refuses(read(registry, { era }), 'PLACEMENT_ERA_OTHER')
  })

  it('refuses a node of another network, and one that is ahead of the clock', async () => {
    const registry = new MadeRegistry()
    registry.network = { ...NETWORK, genesisTimestampMs: 1n }
    await refuses(read(registry), 'ARCHIVER_NETWORK_MISMATCH')
    registry.network = NETWORK
    await refuses(read(registry, { nowMs: () => 0 }), 'ARCHIVER_NODE_REFUSED')
  })

  it('lets through what keeps a node from answering', async () => {
    const registry = new MadeRegistry()
    registry.beforeCall = () => {
      throw new ArchiveError('ARCHIVER_NODE_UNREACHABLE', 'gone')
    }
    await refuses(read(registry), 'ARCHIVER_NODE_UNREACHABLE')
  })
})
