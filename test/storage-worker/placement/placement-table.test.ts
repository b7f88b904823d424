import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import {
  BYTES_PER_GB,
  computeHolders,
  computePlacementRoot,
  computeScores,
  HASH_SLOTS,
  type Network,
  type PlacementSnapshot,
  type RegisteredNode,
  rankNodes,
  toHex,
} from '../../../core/index.ts'
import { computePlacementTable, PLACEMENT_LIMITS, readPlacement } from '../../../storage-worker/index.ts'
import { runInSlices } from '../../../storage-worker/placement/run-in-slices.ts'
import { type Json, VectorCase } from '../../core/vector-case.ts'
import { MadeRegistry, NETWORK, REGISTRY } from './made-registry.ts'

/** Longer than all eras of the vectors last. */
const LONG_MS = 1_000_000_000_000
const VECTORS = fileURLToPath(new URL('../../vectors/', import.meta.url))

async function tabulate(registry: MadeRegistry, network: Network = NETWORK) {
  registry.network = network
  const options = { registry: REGISTRY, network, limits: PLACEMENT_LIMITS }
  return computePlacementTable(
    await readPlacement(options, {
      node: registry,
      clock: { nowMs: () => Number(network.genesisTimestampMs) + LONG_MS, monotonicMs: () => 0 },
    }),
  )
}

function makeSnapshot(
  nodes: readonly Partial<RegisteredNode>[],
  change: { readonly replicas: number; readonly eraBytes?: bigint },
): PlacementSnapshot {
  const { replicas, eraBytes = 0n } = change
  return {
    network: NETWORK,
    era: 3,
    replicas,
    eraBytes,
    requireAnchors: false,
    nodes: nodes.map((node) => {
      return { address: '', placementGb: 10n, operator: '', p2pAddrs: [], retentionPeriods: 0n, ...node }
    }),
  }
}

/** Chunk ids, one in each hash slot. */
function chunkIdIn(hashSlot: number): Uint8Array {
  const chunkId = new Uint8Array(32)
  chunkId[30] = hashSlot >>> 8
  chunkId[31] = hashSlot & 0xff
  return chunkId
}

function listVectors(area: string, kind: string): { readonly name: string; readonly vector: VectorCase }[] {
  return readdirSync(VECTORS + area)
    .filter((name) => name.endsWith('.json'))
    .map((name) => ({
      name,
      vector: new VectorCase(JSON.parse(readFileSync(`${VECTORS}${area}/${name}`, 'utf8')) as Json),
    }))
    .filter(({ vector }) => vector.text('kind') === kind)
}

function enter(registry: MadeRegistry, vector: VectorCase): void {
  for (const node of vector.cases('nodes')) {
    registry.add(node.text('address'), { placementGb: BigInt(node.number('placementGb')) })
  }
}

describe('storage-worker/placement/placement-table', () => {
  it('holds for the golden vectors of hash slots, ranks, first ranks and placement roots', async () => {
    let held = 0
    const empty = await tabulate(new MadeRegistry())
    for (const { name, vector } of listVectors('placement', 'hashSlot')) {
      assert.equal(empty.holdersOf(vector.bytes('chunkId')).hashSlot, vector.number('want'), name)
      held++
    }
    for (const { name, vector } of listVectors('placement', 'rank')) {
      const registry = new MadeRegistry({ replicas: Math.max(1, vector.cases('nodes').length) })
      enter(registry, vector)
      const table = await tabulate(registry)
      const ranks = vector
        .numbers('hashSlots')
        .map((hashSlot) => table.holdersOf(chunkIdIn(hashSlot)).holders.map(({ address }) => address))
      assert.deepEqual(ranks, vector.json('want'), name)
      held++
    }
    for (const { name, vector } of listVectors('placement', 'firstRanks')) {
      const registry = new MadeRegistry({ replicas: 1 })
      enter(registry, vector)
      const table = await tabulate(registry)
      const chunkIds = Array.from({ length: HASH_SLOTS }, (_, hashSlot) => chunkIdIn(hashSlot))
      assert.deepEqual(table.countPrimaries(chunkIds), vector.json('want'), name)
      held++
    }
    for (const { name, vector } of listVectors('challenge', 'placementRoot')) {
      const registry = new MadeRegistry({ era: vector.number('era'), replicas: vector.number('replicas') })
      enter(registry, vector)
      const network = { chainId: vector.bigint('chainId'), genesisTimestampMs: vector.bigint('genesisTimestampMs') }
      assert.equal(toHex((await tabulate(registry, network)).root), vector.text('want'), name)
      held++
    }
    assert(held >= 12, `${held} vectors`)
  }).timeout(60_000)

  it('tells holders in order, with what they offer and the pass that chose them, and the slots of a node', async () => {
    const registry = new MadeRegistry()
    const p2pAddrs = ['/ip4/10.0.0.1/tcp/1']
    registry.add('AU1', { operator: 'x', placementGb: 5n })
    registry.add('AU2', { operator: 'x', p2pAddrs })
    registry.add('AU3', { operator: 'y', p2pAddrs })
    const table = await tabulate(registry)
    const expected = computeHolders(table.snapshot)
    const passes = new Set<number>()
    for (const [hashSlot, slot] of expected.entries()) {
      const { holders, clustered, ...rest } = table.holdersOf(chunkIdIn(hashSlot))
      assert.deepEqual(
        holders,
        slot.addresses.map((address, i) => ({
          address,
          placementGb: address === 'AU1' ? 5n : 10n,
          pass: slot.passes[i],
        })),
      )
      assert.deepEqual([clustered, rest.hashSlot, holders.length], [slot.clustered, hashSlot, 3])
      assert.equal(
        clustered,
        holders.some(({ pass }) => pass > 1),
      )
      for (const { pass } of holders) passes.add(pass)
    }
    assert.deepEqual([...passes].sort(), [1, 2, 3])
    assert.equal(table.listSlotsOf('AU2').length, HASH_SLOTS)
    assert.deepEqual([table.listSlotsOf('AU4'), table.isHolder('AU4', 0)], [[], false])
    assert.equal(table.fewestHolders, 3)
    const lists = expected.map(({ addresses }) => addresses)
    assert.equal(toHex(table.root), toHex(computePlacementRoot(NETWORK, table.era, lists)))
  })

  it('where nobody keeps for ever it shows who holds new chunks, and roots nobody', async () => {
    const registry = new MadeRegistry()
    registry.add('AU1', { retentionPeriods: 1n })
    const table = await tabulate(registry)
    assert.equal(table.keepsForEver, false)
    assert.equal(table.holdersOf(chunkIdIn(0)).holders[0]?.address, 'AU1')
    const nobody = Array.from({ length: HASH_SLOTS }, () => [])
    assert.equal(toHex(table.root), toHex(computePlacementRoot(NETWORK, table.era, nobody)))
    registry.add('AU2')
    const kept = await tabulate(registry)
    assert.deepEqual(
      [kept.keepsForEver, kept.listSlotsOf('AU1').length, kept.listSlotsOf('AU2').length],
      [true, 0, HASH_SLOTS],
    )
  })

  it('says who holds, who does not and who ranks next as core computes it, whoever and however many there are', async () => {
    const someNode = fc.record({
      placementGb: fc.constantFrom(0n, 1n, 3n, 10n),
      operator: fc.constantFrom('', '', 'x', 'y'),
      where: fc.nat(3),
      retentionPeriods: fc.constantFrom(0n, 0n, 50n),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(someNode, { maxLength: 6 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(0n, 6n),
        async (some, replicas, eraGb) => {
          const snapshot = makeSnapshot(
            some.map(({ where, ...node }, i) => {
              return { ...node, address: `AU${i}`, p2pAddrs: [`/ip4/10.${where}.0.1/tcp/1`] }
            }),
            { replicas, eraBytes: eraGb * BigInt(BYTES_PER_GB) },
          )
          const table = await computePlacementTable({ snapshot, replicationFactor: replicas, period: 400 })
          const { keepsForEver } = table
          const plain = computeHolders(
            snapshot,
            keepsForEver ? { kind: 'permanent' } : { kind: 'recent', agePeriods: 0 },
          )
          const counting = snapshot.nodes.filter(
            ({ placementGb, retentionPeriods }) => placementGb > 0n && (!keepsForEver || retentionPeriods === 0n),
          )
          const scored = counting.map(({ address, placementGb }) => {
            return { address, scores: computeScores(address, placementGb) }
          })
          for (const hashSlot of [0, 1, 777, 9_000, HASH_SLOTS - 1]) {
            const { addresses = [], clustered } = plain[hashSlot] ?? {}
            const held = table.holdersOfSlot(hashSlot)
            assert.deepEqual([held.holders.map(({ address }) => address), held.clustered], [addresses, clustered])
            const behind = rankNodes(hashSlot, scored)
              .map(({ address }) => address)
              .filter((address) => !addresses.includes(address))
            assert.deepEqual(await table.rankBehind(hashSlot, 9), behind)
            assert.deepEqual(await table.rankBehind(hashSlot, 1), behind.slice(0, 1))
            for (const { address } of snapshot.nodes) {
              assert.equal(table.isHolder(address, hashSlot), addresses.includes(address))
            }
          }
          for (const { address } of snapshot.nodes) {
            const slots = plain.flatMap(({ addresses }, hashSlot) => (addresses.includes(address) ? [hashSlot] : []))
            assert.deepEqual(table.listSlotsOf(address), slots)
          }
          assert.equal(table.fewestHolders, Math.min(...plain.map(({ addresses }) => addresses.length)))
        },
      ),
      { numRuns: 10 },
    )
  }).timeout(60_000)

  it('where nobody keeps for ever, those that keep for longer hold old chunks, and what they will hold from the beginning on', async () => {
    const retentions = [10n, 10n, 100n, 100n, 1_000n, 1_000n]
    const nodes = retentions.map((retentionPeriods, i) => ({ address: `AU${i}`, retentionPeriods }))
    const snapshot = makeSnapshot(nodes, { replicas: 2 })
    const table = await computePlacementTable({ snapshot, replicationFactor: 2, period: 400 })
    const namesAt = (hashSlot: number, age: number) =>
      table.holdersOfSlot(hashSlot, age).holders.map(({ address }) => address)
    for (const [from, to] of [
      [0, 9],
      [10, 99],
      [100, 5_000],
    ] as const) {
      const plain = computeHolders(snapshot, { kind: 'recent', agePeriods: Math.min(from, 999) })
      for (const hashSlot of [0, 1, 777, HASH_SLOTS - 1]) {
        assert.deepEqual(namesAt(hashSlot, from), plain[hashSlot]?.addresses)
        assert.deepEqual(namesAt(hashSlot, to), plain[hashSlot]?.addresses)
      }
    }
    for (const hashSlot of [0, 1, 777, HASH_SLOTS - 1]) {
      assert.deepEqual(new Set(namesAt(hashSlot, 100)), new Set(['AU4', 'AU5']))
      const ever = [...new Set([0, 10, 100].flatMap((age) => namesAt(hashSlot, age)))]
      assert.deepEqual(table.addressesOfSlot(hashSlot), ever)
      for (const { address } of nodes) {
        assert.equal(table.isHolder(address, hashSlot), ever.includes(address))
        assert.equal(table.listSlotsOf(address).includes(hashSlot), ever.includes(address))
      }
      const behind = await table.rankBehind(hashSlot, 9)
      assert.deepEqual([...ever, ...behind].sort(), nodes.map(({ address }) => address).sort())
    }
    assert.equal(table.listSlotsOf('AU4').length, HASH_SLOTS)
    assert.ok(table.listNeighbours('AU0').includes('AU4'))
  })

  it('where some keep for ever, others hold chunks while they are new, and nobody holds more than it offers', async () => {
    const snapshot = makeSnapshot(
      [
        { address: 'AU0', placementGb: 1n },
        ...[10n, 10n, 100n, 100n].map((retentionPeriods, i) => ({ address: `AU${i + 1}`, retentionPeriods })),
        { address: 'AU5', placementGb: 0n, retentionPeriods: 500n },
      ],
      { replicas: 2, eraBytes: 16n * BigInt(BYTES_PER_GB) },
    )
    const table = await computePlacementTable({ snapshot, replicationFactor: 2, period: 400 })
    assert.equal(table.keepsForEver, true)
    assert.deepEqual([table.listSlotsOf('AU0').length, table.fewestHolders], [HASH_SLOTS / 16, 0])
    assert.deepEqual(table.listDutySlotsOf('AU0'), table.listSlotsOf('AU0'))
    for (const age of [0, 9, 10, 99, 100]) {
      const plain = computeHolders(snapshot, { kind: 'recent', agePeriods: age })
      for (const hashSlot of [0, 1, 777, HASH_SLOTS - 1]) {
        const recent = table.recentOfSlot(hashSlot, age).map(({ address }) => address)
        assert.deepEqual(
          recent,
          plain[hashSlot]?.addresses.filter((address) => address !== 'AU0'),
        )
        for (const address of recent) assert.ok(table.listDutySlotsOf(address).includes(hashSlot))
      }
    }
    for (const address of ['AU1', 'AU4']) {
      assert.deepEqual(table.listSlotsOf(address), [])
      const held = new Set(table.listDutySlotsOf(address))
      assert.ok(held.size > 0)
      for (let hashSlot = 0; hashSlot < HASH_SLOTS; hashSlot += 101) {
        const names = table.recentOfSlot(hashSlot).map((node) => node.address)
        assert.equal(names.includes(address), held.has(hashSlot))
        assert.equal(table.isHolder(address, hashSlot), false)
      }
      assert.deepEqual(table.listNeighbours(address), ['AU0'])
    }
    assert.deepEqual([table.listDutySlotsOf('AU5'), table.listDutySlotsOf('AU9')], [[], []])
  })

  it('a node without room that keeps for ever takes nothing from the others, nor do anchors leave anything to them', async () => {
    const nodes = [
      { address: 'AU1', retentionPeriods: 100n },
      { address: 'AU2', placementGb: 0n },
    ]
    const read = (requireAnchors: boolean) =>
      computePlacementTable({
        snapshot: { ...makeSnapshot(nodes, { replicas: 1 }), requireAnchors },
        replicationFactor: 1,
        period: 400,
      })
    const table = await read(false)
    assert.deepEqual([table.keepsForEver, table.listSlotsOf('AU1').length], [false, HASH_SLOTS])
    assert.deepEqual(table.recentOfSlot(0), [])
    const anchored = await read(true)
    assert.deepEqual([anchored.keepsForEver, anchored.listDutySlotsOf('AU1')], [true, []])
  })

  it('neighbours of a node are those that hold what it holds, or where it ranks first behind them', async () => {
    const snapshot = makeSnapshot(
      Array.from({ length: 40 }, (_, i) => ({ address: `AU${i}`, placementGb: i === 0 ? 0n : BigInt(i) })),
      { replicas: 1, eraBytes: 600n * BigInt(BYTES_PER_GB) },
    )
    const table = await computePlacementTable({ snapshot, replicationFactor: 1, period: 400 })
    for (const own of ['AU0', 'AU1', 'AU39']) {
      const near = new Set<string>()
      for (let hashSlot = 0; hashSlot < HASH_SLOTS; hashSlot++) {
        const holders = table.holdersOfSlot(hashSlot).holders.map(({ address }) => address)
        const [next] = await table.rankBehind(hashSlot, 1)
        if (holders.includes(own) || next === own) for (const holder of holders) near.add(holder)
      }
      near.delete(own)
      assert.deepEqual([...table.listNeighbours(own)].sort(), [...near].sort())
      assert.equal(near.size === 0, own === 'AU0')
    }
    assert.deepEqual(table.listNeighbours('nobody'), [])
  })

  it('ranks behind the 32 ranks that are kept as before them, as far as there are nodes', async () => {
    const nodes = Array.from({ length: 40 }, (_, i) => ({ address: `AU${i}`, placementGb: BigInt(1 + (i % 7)) }))
    const snapshot = makeSnapshot(nodes, { replicas: 3 })
    const table = await computePlacementTable({ snapshot, replicationFactor: 3, period: 400 })
    const scored = nodes.map(({ address, placementGb }) => ({ address, scores: computeScores(address, placementGb) }))
    for (const hashSlot of [0, 5_000]) {
      const ranked = rankNodes(hashSlot, scored).map(({ address }) => address)
      for (const count of [0, 1, 29, 30, 36, 37, 38]) {
        assert.deepEqual(await table.rankBehind(hashSlot, count), ranked.slice(3, 3 + count), `${count}`)
      }
    }
    for (const hashSlot of [-1, 0.5, HASH_SLOTS]) {
      assert.deepEqual([await table.rankBehind(hashSlot, 3), table.holdersOfSlot(hashSlot).holders], [[], []])
    }
    await assert.rejects(table.rankBehind(0, 37, AbortSignal.abort(new Error('enough'))), /enough/)
  })

  it('lets everything else have its turn between two steps', async () => {
    const turns: number[] = []
    let turn = 0
    let counting = true
    const count = (): void => {
      turn++
      if (counting) setImmediate(count)
    }
    setImmediate(count)
    function* steps(): Generator<undefined, string> {
      for (let i = 0; i < 4; i++) {
        turns.push(turn)
        yield
      }
      return 'done'
    }
    assert.equal(await runInSlices(steps(), { sliceMs: 0 }), 'done')
    counting = false
    assert(
      turns.every((seen, i) => i === 0 || seen > (turns[i - 1] ?? 0)),
      turns.join(),
    )
  })

  it('ends when it is told to', async () => {
    const aborting = new AbortController()
    function* endless(): Generator<undefined, never> {
      for (;;) {
        aborting.abort(new Error('enough'))
        yield
      }
    }
    await assert.rejects(runInSlices(endless(), { signal: aborting.signal, sliceMs: 0 }), /enough/)
  })
})
