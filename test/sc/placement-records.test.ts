import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  decodeRegistryResult,
  ERA_PERIODS,
  PLACEMENT_KEYS,
  type PlacementRecords,
  type PlacementSnapshot,
  readPlacementLagEras,
  readPlacementSnapshot,
  readReplicationFactor,
} from '../../core/index.ts'
import { ArgsWriter, stringArg, u64Arg } from '../reference/args-writer.ts'
import { anchor, deployAnchored, makeEra, NETWORK } from './anchored-world.ts'
import {
  ADMIN,
  ANYONE,
  call,
  deployRegistry,
  encodeConfig,
  goTo,
  MAS,
  tryCall,
  type User,
  userOf,
  view,
  type World,
} from './registry-world.ts'

const NODES = [10, 11, 12, 13].map(userOf)
const FIRST_ERA = 2

/** Entries as a node of the chain gives them. */
function readRecords({ engine, contract }: World): PlacementRecords {
  const read = (key: string) => engine.ledger.value(contract, new TextEncoder().encode(key)) ?? new Uint8Array()
  const prefix = new TextEncoder().encode(PLACEMENT_KEYS.nodePrefix)
  const addresses = engine.ledger
    .keys(contract, prefix)
    .map((key) => new TextDecoder().decode(key).slice(PLACEMENT_KEYS.nodePrefix.length))
  const nodes = new Map(
    addresses.map((address) => {
      const metadata = read(PLACEMENT_KEYS.metadataPrefix + address)
      const record = read(PLACEMENT_KEYS.nodePrefix + address)
      return [address, { record, metadata: metadata.length > 0 ? metadata : undefined }]
    }),
  )
  return { state: read(PLACEMENT_KEYS.state), config: read(PLACEMENT_KEYS.config), nodes }
}

function readSnapshot(world: World, era: number): PlacementSnapshot {
  return readPlacementSnapshot(readRecords(world), NETWORK, era * ERA_PERIODS + 100)
}

/** What placement of the next era takes: the values in force when this one ends, as the views tell them. */
function foretell(world: World, era: number): PlacementSnapshot {
  const nodes = [...readRecords(world).nodes.keys()].map((address) => {
    const node = decodeRegistryResult('getNodeInfo', view(world, 'getNodeInfo', stringArg(address)))
    const { current } = decodeRegistryResult('getNodeMetadata', view(world, 'getNodeMetadata', stringArg(address)))
    const { placementGb, retentionPeriods, active } = node
    return { address, placementGb, retentionPeriods, active, operator: current.operator, p2pAddrs: current.p2pAddrs }
  })
  const config = decodeRegistryResult('getConfig', view(world, 'getConfig'))
  const replicas = Math.max(1, Math.min(config.replicationFactor ?? 0, nodes.filter(({ active }) => active).length))
  return {
    network: NETWORK,
    era,
    replicas,
    eraBytes: 0n,
    requireAnchors: config.requireAnchors ?? false,
    nodes: nodes.filter(({ placementGb }) => placementGb > 0n).map(({ active: _, ...node }) => node),
  }
}

type Act = (world: World, node: User, number: number) => void
const ACTS: Record<string, Act> = {
  register: (world, node, number) => {
    const args = new ArgsWriter()
      .u64(BigInt(number + 1))
      .u64(BigInt(number % 3) * 10n)
      .finish()
    tryCall(world, node, 'registerStorageNode', args, 11n * MAS)
  },
  resize: (world, node, number) => {
    const args = new ArgsWriter()
      .u64(BigInt(number + 1))
      .u64(BigInt(number % 2) * 500n)
      .finish()
    tryCall(world, node, 'updateStorageAllocation', args)
  },
  describe: (world, node, number) => {
    const args = new ArgsWriter()
      .strings([`/ip4/10.${number}.0.1/tcp/1`])
      .string('')
      .string('')
      .string(`operator ${number}`)
    tryCall(world, node, 'updateNodeMetadata', args.finish(), MAS)
  },
  leave: (world, node) => {
    tryCall(world, node, 'unregisterStorageNode')
  },
  replicate: (world, _, number) => {
    tryCall(world, ADMIN, 'updateConfig', encodeConfig({ replicationFactor: BigInt(3 + (number % 3)) }))
  },
  fund: (world) => {
    tryCall(world, ANYONE, 'fundRewards', undefined, 1n)
  },
}

describe('core/registry/placement-records, on the shipped contract', () => {
  it('any height of an era gives what was in force when the one before it ended (random schedules)', () => {
    const act = fc.record({
      name: fc.constantFrom(...Object.keys(ACTS)),
      node: fc.constantFrom(...NODES),
      number: fc.nat({ max: 40 }),
      periods: fc.nat({ max: 70 }),
    })
    let kept = 0
    fc.assert(
      fc.property(fc.array(act, { minLength: 5, maxLength: 30 }), (acts) => {
        const world = deployRegistry({ unbondingPeriods: 300n })
        let period = FIRST_ERA * ERA_PERIODS
        let inForce: PlacementSnapshot | undefined
        goTo(world, period)
        for (const { name, node, number, periods } of acts) {
          const eraBefore = Math.floor(period / ERA_PERIODS)
          period += periods
          const era = Math.floor(period / ERA_PERIODS)
          if (era > eraBefore) inForce = foretell(world, era)
          if (periods > 0) goTo(world, period)
          if (inForce) assert.deepEqual(readSnapshot(world, era), inForce)
          ACTS[name]?.(world, node, number)
          if (!inForce) continue
          kept += inForce.nodes.length
          assert.deepEqual(readSnapshot(world, era), inForce)
        }
      }),
      { numRuns: 40 },
    )
    assert.ok(kept > 100, `${kept} nodes were placed`)
  })

  it('bytes that were anchored bind capacity and replicas from the next era on', () => {
    const world = deployAnchored(3)
    anchor(world, makeEra(1), new Uint8Array(32))
    goTo(world, 5 * ERA_PERIODS)
    const untouched = readSnapshot(world, 5)
    call(world, ANYONE, 'fundRewards', undefined, 1n)
    assert.deepEqual(readSnapshot(world, 5), untouched)
    assert.equal(untouched.eraBytes, makeEra(1).totalBytes)
    assert.equal(untouched.requireAnchors, true)
    assert.equal(untouched.nodes.length, 3)
  })

  it('reads of the settings how many copies there are to be, and how long a node has to fetch', () => {
    for (const [replicationFactor, placementLagEras] of [
      [3n, 42n],
      [5n, 7n],
    ] as const) {
      const { config } = readRecords(deployRegistry({ replicationFactor, placementLagEras }))
      assert.equal(readReplicationFactor(config), Number(replicationFactor))
      assert.equal(readPlacementLagEras(config), Number(placementLagEras))
    }
  })

  it('refuses records that were written after the era, of another version or length, or under another address', () => {
    const world = deployRegistry()
    call(world, userOf(10), 'registerStorageNode', u64Arg(10), 11n * MAS)
    goTo(world, 3 * ERA_PERIODS)
    call(world, ANYONE, 'fundRewards', undefined, 1n)
    const records = readRecords(world)
    const [[address, entry] = ['', undefined]] = [...records.nodes]
    assert.ok(entry)
    const next = (record: Uint8Array) => record.map((byte, i) => (i === 0 ? 2 : byte))
    const wrong: PlacementRecords[] = [
      { ...records, state: next(records.state) },
      { ...records, config: records.config.subarray(1) },
      { ...records, state: records.state.map((byte, i) => (i === records.state.length - 1 ? 1 : byte)) },
      { ...records, config: records.config.subarray(0, -1) },
      { ...records, nodes: new Map([[address, { ...entry, record: next(entry.record) }]]) },
      { ...records, nodes: new Map([['AU1', entry]]) },
    ]
    for (const bad of wrong) {
      assert.throws(() => readPlacementSnapshot(bad, NETWORK, 3 * ERA_PERIODS), { code: 'CORE_BYTES_INVALID' })
    }
    assert.throws(() => readPlacementSnapshot(records, NETWORK, 2 * ERA_PERIODS), { code: 'CORE_BYTES_INVALID' })
    assert.equal(readPlacementSnapshot(records, NETWORK, 3 * ERA_PERIODS).nodes.length, 1)
  })
})
