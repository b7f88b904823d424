import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  BYTES_PER_GB,
  computeHolders,
  computeHoldersInSteps,
  computePlacementRoot,
  computeScores,
  computeSlotQuota,
  encodePlacementLeaf,
  HASH_SLOTS,
  isArchiveError,
  type PlacementSnapshot,
  type RegisteredNode,
  rankNodes,
  type Steps,
  toHex,
} from '../../core/index.ts'
import { treeHead } from '../reference/merkle.ts'

const network = { chainId: 77n, genesisTimestampMs: 1n }
const cache = new Map<string, Float64Array>()

function scoresOf(address: string, placementGb: bigint): Float64Array {
  const name = `${address}/${placementGb}`
  const scores = cache.get(name) ?? computeScores(address, placementGb)
  cache.set(name, scores)
  return scores
}

function node(i: number, change: Partial<RegisteredNode> = {}): RegisteredNode {
  const p2pAddrs = [`/ip4/10.${i}.0.1/tcp/1`]
  return { address: `AU${i}`, placementGb: 10n, operator: '', p2pAddrs, retentionPeriods: 0n, ...change }
}

function snapshot(nodes: readonly RegisteredNode[], change: Partial<PlacementSnapshot> = {}): PlacementSnapshot {
  return { network, era: 3, replicas: 3, eraBytes: 0n, requireAnchors: false, nodes, ...change }
}

function takeSteps<T>(steps: Steps<T>): T {
  let step = steps.next()
  while (!step.done) step = steps.next()
  return step.value
}

/** The rule as it is written: walk the ranking three times. Quotas are counted down in `left`. */
function slowHolders(shot: PlacementSnapshot, nodes: readonly RegisteredNode[]) {
  const left = new Map(nodes.map((one) => [one.address, computeSlotQuota(one.placementGb, shot.eraBytes)]))
  const scored = nodes.map((one) => ({ ...one, scores: scoresOf(one.address, one.placementGb) }))
  return Array.from({ length: HASH_SLOTS }, (_, hashSlot) => {
    const ranking = rankNodes(hashSlot, scored)
    const chosen = new Map<RegisteredNode, number>()
    const operators = new Set<string>()
    const networks = new Set<string>()
    for (const pass of [1, 2, 3]) {
      for (const one of ranking) {
        const operator = one.operator || one.address
        const [where = ''] = one.p2pAddrs
        if (chosen.size === shot.replicas || chosen.has(one) || (left.get(one.address) ?? 0) === 0) continue
        if (pass < 3 && networks.has(where)) continue
        if (pass < 2 && operators.has(operator)) continue
        chosen.set(one, pass)
        operators.add(operator)
        networks.add(where)
        left.set(one.address, (left.get(one.address) ?? 0) - 1)
      }
    }
    const holders = ranking.filter((one) => chosen.has(one))
    const passes = holders.map((one) => chosen.get(one))
    return { addresses: holders.map(({ address }) => address), passes, clustered: passes.some((pass) => pass !== 1) }
  })
}

describe('core/holders', () => {
  it('chooses as the written rule does, whatever capacities, operators, networks and order of nodes', () => {
    const someNode = fc.record({
      placementGb: fc.constantFrom(1n, 3n, 10n),
      operator: fc.constantFrom('', '', 'x', 'y'),
      where: fc.nat(4),
    })
    fc.assert(
      fc.property(
        fc.array(someNode, { minLength: 1, maxLength: 7 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(0n, 5n, 20n),
        (some, replicas, eraGb) => {
          const nodes = some.map(({ where, ...change }, i) =>
            node(i, { ...change, p2pAddrs: [`/ip4/10.${where}.0.1/tcp/1`] }),
          )
          const shot = snapshot([...nodes].reverse(), { replicas, eraBytes: eraGb * BigInt(BYTES_PER_GB) })
          const wanted = slowHolders(shot, nodes)
          assert.deepEqual(computeHolders(shot, { kind: 'permanent' }, scoresOf), wanted)
          // With so few places most hash slots need more than the shortlist has.
          const steps = computeHoldersInSteps(shot, undefined, { scoresOf, shortlist: 2 })
          assert.deepEqual(takeSteps(steps), wanted)
        },
      ),
      { numRuns: 12 },
    )
  }).timeout(60_000)

  it('gives nobody more hash slots than its capacity holds, and all that fit', () => {
    const nodes = [node(1, { placementGb: 1n }), node(2, { placementGb: 50n }), node(3, { placementGb: 50n })]
    const holders = computeHolders(snapshot(nodes, { eraBytes: 10n * BigInt(BYTES_PER_GB) }))
    const count = holders.filter(({ addresses }) => addresses.includes('AU1')).length
    assert.equal(count, 1638)
    assert.equal(computeSlotQuota(1n, 10n * BigInt(BYTES_PER_GB)), 1638)
    assert(holders.every(({ addresses }) => addresses.length >= 2))
  })

  it('limit: a quota is at most all hash slots, exact beyond 2^53, and unbounded without bytes', () => {
    assert.equal(computeSlotQuota(5n, 5n * BigInt(BYTES_PER_GB)), HASH_SLOTS)
    assert.equal(computeSlotQuota(5n, 5n * BigInt(BYTES_PER_GB) + 1n), HASH_SLOTS - 1)
    assert.equal(computeSlotQuota((1n << 64n) - 1n, 1n), HASH_SLOTS)
    assert.equal(computeSlotQuota(0n, 0n), HASH_SLOTS)
    assert.equal(computeSlotQuota(10_000_000_000n, 10_000_000_000n * BigInt(BYTES_PER_GB) + 1n), HASH_SLOTS - 1)
  })

  it('says that copies are clustered when one operator or one network holds two', () => {
    const apart = computeHolders(snapshot([node(1), node(2), node(3)]))
    assert(apart.every(({ clustered, addresses }) => !clustered && addresses.length === 3))
    const oneOperator = computeHolders(snapshot([1, 2, 3].map((i) => node(i, { operator: 'x' }))))
    assert(oneOperator.every(({ clustered, addresses }) => clustered && addresses.length === 3))
    const oneNetwork = computeHolders(snapshot([1, 2, 3].map((i) => node(i, { p2pAddrs: ['/ip4/10.0.0.1/tcp/1'] }))))
    assert(oneNetwork.every(({ clustered }) => clustered))
  })

  it('has fewer holders than replicas when there are fewer nodes, and none without nodes', () => {
    assert(
      computeHolders(snapshot([node(1)])).every(({ addresses, clustered }) => addresses.length === 1 && !clustered),
    )
    assert(computeHolders(snapshot([])).every(({ addresses }) => addresses.length === 0))
    assert(computeHolders(snapshot([node(1, { placementGb: 0n })])).every(({ addresses }) => addresses.length === 0))
  })

  it('permanent copies are with nodes that keep for ever, recent ones also with those that still keep the age', () => {
    const nodes = [node(1), node(2, { retentionPeriods: 100n })]
    const all = (kind: Parameters<typeof computeHolders>[1], requireAnchors = false): string =>
      computeHolders(snapshot(nodes, { requireAnchors }), kind)[0]?.addresses.toSorted().join() ?? ''
    assert.equal(all({ kind: 'permanent' }), 'AU1')
    assert.equal(all({ kind: 'recent', agePeriods: 99 }), 'AU1,AU2')
    assert.equal(all({ kind: 'recent', agePeriods: 100 }), 'AU1')
    assert.equal(all({ kind: 'recent', agePeriods: 0 }, true), 'AU1')
  })

  it('refuses a node that stands twice, and replicas out of range', () => {
    assert.throws(() => computeHolders(snapshot([node(1), node(1)])), isArchiveError)
    for (const replicas of [0, 256, 1.5]) {
      assert.throws(() => computeHolders(snapshot([node(1)], { replicas })), isArchiveError)
    }
  })

  it('roots its holders as RFC 6962 over the written leaves', () => {
    const lists = computeHolders(snapshot([node(1), node(2)])).map(({ addresses }) => addresses)
    const leaves = lists.map((addresses, hashSlot) => encodePlacementLeaf(hashSlot, addresses))
    const first = lists[0] ?? []
    const text = first.map((address) => `03${Buffer.from(address).toString('hex')}`).join('')
    assert.equal(toHex(leaves[0] ?? new Uint8Array(0)), `000002${text}`)
    const root = toHex(computePlacementRoot(network, 3, lists))
    assert.notEqual(root, toHex(treeHead(leaves)))
    assert.notEqual(root, toHex(computePlacementRoot(network, 4, lists)))
    assert.throws(() => computePlacementRoot(network, 3, lists.slice(1)), isArchiveError)
  })
})
