import assert from 'node:assert/strict'
import { HASH_SLOTS } from '../../../core/index.ts'
import {
  type CopyTable,
  CopyTally,
  type CountedNode,
  type KnownClaims,
} from '../../../storage-worker/cluster/copy-tally.ts'
import { NodeClaims } from '../../../storage-worker/cluster/node-claims.ts'
import { NETWORK } from '../replication/made-archive.ts'

const HEAD = 400

/** Holders of hash slots 0, 1, ...; the others have none. */
function makeTable(
  holders: readonly (readonly string[])[],
  retention: Readonly<Record<string, bigint>> = {},
  recent: readonly (readonly string[])[] = [],
): CopyTable {
  const addresses = [...new Set([...holders.flat(), ...Object.keys(retention)])]
  const nodes = addresses.map((address) => {
    return { address, placementGb: 1n, retentionPeriods: retention[address] ?? 0n, operator: '', p2pAddrs: [] }
  })
  const keepsForEver = nodes.length === 0 || nodes.some(({ retentionPeriods }) => retentionPeriods === 0n)
  return {
    replicas: 3,
    keepsForEver,
    snapshot: { nodes },
    addressesOfSlot: (hashSlot) => holders[hashSlot] ?? [],
    recentOfSlot: (hashSlot) => (recent[hashSlot] ?? []).map((address) => ({ address })),
    holdersOfSlot: (hashSlot) => ({
      hashSlot,
      holders: (holders[hashSlot] ?? []).map((address) => ({ address, placementGb: 1n, pass: 1 })),
      clustered: false,
    }),
  }
}

/** That it holds eras [0, endEra) of these hash slots. */
function claim(
  slots: readonly number[],
  options: { endEra?: number; headPeriod?: number; not?: readonly [number, number][] } = {},
) {
  const { endEra = 4, headPeriod = HEAD, not = [] } = options
  const page = {
    network: NETWORK,
    headPeriod,
    firstEra: 0,
    fromHashSlot: 0,
    endHashSlot: HASH_SLOTS,
    held: slots.map((hashSlot) => ({ hashSlot, endEra })),
    exceptions: not.map(([hashSlot, era]) => ({ hashSlot, era })),
    missingPeriods: [],
  }
  const claims = new NodeClaims([page])
  for (const _ of claims.take(page));
  return claims
}

const answered = (address: string, claims: NodeClaims): CountedNode => ({ address, state: 'answered', claims })
const own = (address: string): CountedNode => ({ address, state: 'own' })

function makeTally(
  table: CopyTable,
  nodes: readonly CountedNode[],
  options: {
    readonly ownSlots?: readonly number[]
    readonly announced?: readonly string[]
    readonly doubtOf?: KnownClaims['doubtOf']
  } = {},
): CopyTally {
  const { ownSlots = [], announced = [], doubtOf = () => undefined } = options
  return new CopyTally(
    { table, nodes, ownSlots: new Set(ownSlots), head: HEAD },
    { listClaimants: () => announced, doubtOf },
  )
}

/** Chunks by hash slot, and how many of them are not here. */
function eraOf(
  era: number,
  chunks: Readonly<Record<number, number>>,
  lackingHere: Readonly<Record<number, number>> = {},
) {
  const counts = new Uint32Array(HASH_SLOTS)
  const lacking = new Uint32Array(HASH_SLOTS)
  for (const [slot, count] of Object.entries(chunks)) counts[Number(slot)] = count
  for (const [slot, count] of Object.entries(lackingHere)) lacking[Number(slot)] = count
  return {
    era,
    first: era * 128,
    last: era * 128 + 127,
    periods: [],
    hashSlots: Object.keys(chunks).map(Number),
    counts,
    lacking,
  }
}

describe('storage-worker/cluster/copy-tally', () => {
  it('everything is at its floor where each holder has what it is to have', () => {
    const table = makeTable([
      ['A', 'B', 'C'],
      ['B', 'C', 'D'],
    ])
    const nodes = [own('A'), answered('B', claim([0, 1])), answered('C', claim([0, 1])), answered('D', claim([1]))]
    const tally = makeTally(table, nodes, { ownSlots: [0] })
    tally.take(eraOf(0, { 0: 4, 1: 2 }))
    tally.take(eraOf(1, { 1: 1 }))
    const { counts } = tally
    assert.deepEqual([counts.total, counts.atFloor, counts.under, counts.over, counts.nobody], [7, 7, 0, 0, 0])
    // What this node has of hash slot 1 it was not asked for.
    assert.equal(counts.extraHere, 3)
    assert.deepEqual(tally.chunksOf('A'), { assigned: 4, lacking: 0, toFetch: 0, extra: 0 })
    assert.deepEqual(tally.chunksOf('B'), { assigned: 7, lacking: 0, toFetch: 0, extra: 0 })
    assert.deepEqual(tally.thinnest, [])
  })

  it('what lacks can be fetched where somebody else holds it', () => {
    const table = makeTable([['B'], ['B', 'C'], ['B', 'C'], ['B', 'C']])
    const nodes = [
      own('A'),
      answered(
        'B',
        claim([0, 1, 2, 3], {
          not: [
            [0, 0],
            [1, 0],
            [0, 1],
            [1, 1],
            [2, 1],
            [3, 1],
          ],
        }),
      ),
      answered('C', claim([1, 2, 3])),
    ]
    const tally = makeTally(table, nodes)
    // Of era 0 hash slot 0 is with nobody, 1 with C.
    tally.take(eraOf(0, { 0: 1, 1: 10, 2: 100 }, { 0: 1 }))
    tally.take(eraOf(1, { 1: 1_000, 2: 10_000 }))
    assert.deepEqual(tally.chunksOf('B'), { assigned: 11_111, lacking: 11_011, toFetch: 11_010, extra: 0 })
  })

  it('who holds chunks while they are new has none too many, and counts for nothing', () => {
    const retention = { D: 1_000n, E: 1_000n, F: 1_000n }
    const table = makeTable(
      [
        ['A', 'B', 'C'],
        ['A', 'B'],
      ],
      retention,
      [['D', 'E'], ['D']],
    )
    const all = claim([0, 1])
    const tally = makeTally(table, [own('A'), ...['B', 'C', 'D', 'E', 'F'].map((name) => answered(name, all))], {
      ownSlots: [0, 1],
    })
    // A and B alone are to hold hash slot 1, and D while it is new: C, E and F are too many there.
    tally.take(eraOf(2, { 0: 1, 1: 10 }))
    assert.deepEqual(
      ['C', 'D', 'E', 'F'].map((name) => tally.chunksOf(name).extra),
      [10, 0, 10, 11],
    )
    assert.deepEqual([tally.counts.atFloor, tally.counts.under, tally.counts.missingCopies], [11, 0, 0])
    assert.deepEqual([tally.counts.over, tally.counts.extraCopies], [11, 1 + 30])
  })

  it('a copy lacks with a holder that is incomplete, silent, not connected or away, each by its name', () => {
    const table = makeTable([
      ['A', 'B', 'C'],
      ['A', 'D', 'E'],
    ])
    const nodes: CountedNode[] = [
      own('A'),
      answered('B', claim([0], { not: [[0, 1]] })),
      { address: 'C', state: 'silent' },
      { address: 'D', state: 'unconnected' },
      { address: 'E', state: 'away' },
    ]
    const tally = makeTally(table, nodes, { ownSlots: [0, 1] })
    tally.take(eraOf(0, { 0: 10, 1: 100 }))
    tally.take(eraOf(1, { 0: 1_000 }, { 0: 1 }))
    const { counts } = tally
    assert.deepEqual([counts.total, counts.atFloor, counts.under, counts.nobody], [1_110, 0, 1_110, 1_000])
    // Era 0: B and A have hash slot 0, A alone hash slot 1; era 1: nobody has it whole, this node lacks one of them.
    assert.equal(counts.missingCopies, 10 + 2 * 100 + 3 * 1_000)
    assert.equal(counts.nobodyButHere, 0)
    assert.deepEqual(tally.lackingBy, {
      incomplete: 2_000,
      unshown: 0,
      otherRoots: 0,
      otherPlacement: 0,
      tooSmall: 0,
      silent: 1_010,
      unconnected: 100,
      away: 100,
      nobody: 0,
    })
    assert.deepEqual(
      tally.thinnest.map(({ hashSlot, era, copies }) => [hashSlot, era, copies]),
      [
        [0, 1, 0],
        [1, 0, 1],
        [0, 0, 2],
      ],
    )
    assert.deepEqual(tally.thinnest[0]?.lacking, [
      { address: 'A', why: 'incomplete' },
      { address: 'B', why: 'incomplete' },
      { address: 'C', why: 'silent' },
    ])
    assert.deepEqual(tally.chunksOf('B'), { assigned: 1_010, lacking: 1_000, toFetch: 0, extra: 0 })
    assert.deepEqual([...tally.thinByGone], [[1, { chunks: 100, holders: new Set(['E']) }]])
  })

  it('regression: what a holder says and is not believed is no copy, whatever its have-map says', () => {
    const table = makeTable([['A', 'B', 'C']], { S: 0n })
    const nodes = ['B', 'C', 'S'].map((address) => answered(address, claim([0])))
    const tally = makeTally(table, [own('A'), ...nodes], {
      ownSlots: [0],
      // B failed audits of hash slot 0 in era 1; of C and S nothing counts.
      doubtOf: (address, hashSlot, era) =>
        address === 'B' ? (hashSlot === 0 && era === 1 ? 'unshown' : undefined) : 'otherRoots',
    })
    tally.take(eraOf(0, { 0: 10 }))
    tally.take(eraOf(1, { 0: 100 }))
    const { counts } = tally
    assert.deepEqual([counts.atFloor, counts.under, counts.missingCopies, counts.over], [0, 110, 10 + 200, 0])
    assert.deepEqual([tally.lackingBy.unshown, tally.lackingBy.otherRoots, tally.lackingBy.incomplete], [100, 110, 0])
    assert.deepEqual(tally.doubted, [
      { address: 'C', why: 'otherRoots', chunks: 110 },
      { address: 'B', why: 'unshown', chunks: 100 },
    ])
    assert.deepEqual(tally.thinnest[0]?.lacking, [
      { address: 'B', why: 'unshown' },
      { address: 'C', why: 'otherRoots' },
    ])
    assert.deepEqual([...tally.thinByGone], [[0, { chunks: 110, holders: new Set(['C', 'B']) }]])
    assert.deepEqual([tally.chunksOf('B').lacking, tally.chunksOf('S').extra], [100, 0])
  })

  it('a stand-in makes up for a holder that is away; with the holder back it is one copy too many', () => {
    const table = makeTable([['A', 'B', 'C']], { S: 0n })
    const stand = answered('S', claim([0]))
    const others = [own('A'), answered('B', claim([0])), stand]
    const without = makeTally(table, [...others, { address: 'C', state: 'away' }], { ownSlots: [0] })
    without.take(eraOf(0, { 0: 5 }))
    assert.deepEqual([without.counts.atFloor, without.counts.under, without.counts.over], [5, 0, 0])
    assert.deepEqual([without.chunksOf('S').extra, without.chunksOf('C').lacking], [5, 5])
    assert.equal(without.thinByGone.size, 0)
    const back = makeTally(table, [...others, answered('C', claim([0]))], { ownSlots: [0] })
    back.take(eraOf(0, { 0: 5 }))
    assert.deepEqual([back.counts.atFloor, back.counts.over, back.counts.extraCopies], [5, 5, 5])
  })

  it('a node that is not registered, or lets go some day, is no copy where others keep for ever', () => {
    const table = makeTable([['A', 'B', 'C']], { R: 100n })
    const nodes = [
      own('A'),
      answered('B', claim([0])),
      { address: 'C', state: 'away' } as const,
      answered('R', claim([0])),
      answered('X', claim([0])),
    ]
    const tally = makeTally(table, nodes, { ownSlots: [0] })
    tally.take(eraOf(0, { 0: 1 }))
    const { under, missingCopies, nobody, over } = tally.counts
    assert.deepEqual([under, missingCopies, nobody, over], [1, 1, 0, 1])
  })

  it("what no node claims is nobody's, also when it is on this disk without duty", () => {
    const table = makeTable([['B', 'C', 'D']])
    const nodes = ['B', 'C', 'D'].map((address): CountedNode => ({ address, state: 'away' }))
    const tally = makeTally(table, [own('A'), ...nodes])
    tally.take(eraOf(0, { 0: 2 }))
    tally.take(eraOf(1, { 0: 3 }, { 0: 3 }))
    assert.deepEqual([tally.counts.nobody, tally.counts.nobodyButHere, tally.counts.extraHere], [5, 2, 2])
    assert.equal(tally.counts.missingCopies, 15)
  })

  it('a node that is not connected counts by what it announced', () => {
    const table = makeTable([['A', 'B', 'C']])
    const nodes = [own('A'), answered('B', claim([0])), { address: 'C', state: 'unconnected' } as const]
    const tally = makeTally(table, nodes, { ownSlots: [0], announced: ['C', 'B', 'unheard'] })
    tally.take(eraOf(0, { 0: 1 }))
    assert.deepEqual([tally.counts.atFloor, tally.counts.over], [1, 0])
  })

  it('a node that is behind holds the present era only up to its head', () => {
    const table = makeTable([['A', 'B', 'C']])
    const late = { endEra: 3, headPeriod: 300 }
    const nodes = [own('A'), answered('B', claim([0], late)), answered('C', claim([0]))]
    const tally = makeTally(table, nodes, { ownSlots: [0] })
    tally.take(eraOf(1, { 0: 1 }))
    assert.equal(tally.counts.atFloor, 1)
    tally.take(eraOf(2, { 0: 1 }))
    assert.equal(tally.counts.under, 1)
    assert.deepEqual(tally.thinnest[0]?.lacking, [{ address: 'B', why: 'incomplete' }])
  })

  it('fewer nodes than copies: the missing place is nobody', () => {
    const table = makeTable([['A', 'B']])
    const tally = makeTally(table, [own('A'), answered('B', claim([0]))], { ownSlots: [0] })
    tally.take(eraOf(0, { 0: 6, 1: 2 }))
    assert.deepEqual([tally.counts.under, tally.counts.missingCopies], [8, 6 + 3 * 2])
    assert.equal(tally.lackingBy.nobody, 6 + 3 * 2)
  })

  it('while no node has room nobody owes anything, whatever is here; with the first one that has, all is owed', () => {
    const nodes = [own('A'), answered('B', claim([0]))]
    const registered = makeTable([[]], { B: 0n })
    const noRoom = registered.snapshot.nodes.map((node) => ({ ...node, placementGb: 0n }))
    for (const table of [makeTable([]), { ...registered, snapshot: { nodes: noRoom } }]) {
      const tally = makeTally(table, nodes)
      tally.take(eraOf(0, { 0: 6, 1: 2 }))
      const { total, unowed, under, atFloor, nobody, extraHere } = tally.counts
      assert.deepEqual([total, unowed, under, atFloor, nobody, extraHere], [8, 8, 0, 0, 0, 8])
      assert.deepEqual(tally.thinnest, [])
    }
    const owed = makeTally(registered, nodes)
    owed.take(eraOf(0, { 0: 6 }))
    assert.deepEqual([owed.counts.unowed, owed.counts.under], [0, 6])
  })

  it('where nobody keeps for ever an old era is owed by those alone who still have to keep it', () => {
    const table = makeTable([['A', 'B', 'C']], { A: 1_000n, B: 1_000n, C: 200n })
    const nodes = [own('A'), answered('B', claim([0])), answered('C', claim([]))]
    const tally = makeTally(table, nodes, { ownSlots: [0] })
    // 400, 272 and 144 periods old: C keeps 200.
    for (const era of [0, 1, 2]) tally.take(eraOf(era, { 0: 1 }))
    assert.deepEqual([tally.counts.atFloor, tally.counts.under], [2, 1])
    assert.deepEqual(tally.chunksOf('C'), { assigned: 1, lacking: 1, toFetch: 1, extra: 0 })
    const short = makeTally(makeTable([['A', 'B', 'C']], { A: 10n, B: 10n, C: 10n }), nodes, { ownSlots: [0] })
    short.take(eraOf(0, { 0: 9 }))
    assert.deepEqual([short.counts.pastRetention, short.counts.under, short.counts.atFloor], [9, 0, 0])
  })

  it('regression: where nobody keeps for ever the holders are those of chunks of that age', () => {
    const young = makeTable([['A', 'B']], { A: 200n, B: 200n, C: 1_000n })
    const old = makeTable([['C']])
    const table = {
      ...young,
      holdersOfSlot: (hashSlot: number, age: number) => (age < 200 ? young : old).holdersOfSlot(hashSlot, age),
      addressesOfSlot: () => ['A', 'B', 'C', 'D'],
    }
    const tally = makeTally(table, [own('A'), answered('B', claim([0])), answered('C', claim([0]))], { ownSlots: [0] })
    // 400 and 144 periods old.
    for (const era of [0, 2]) tally.take(eraOf(era, { 0: 1 }))
    assert.deepEqual([tally.counts.atFloor, tally.counts.pastRetention], [2, 0])
    assert.deepEqual(tally.chunksOf('C'), { assigned: 1, lacking: 0, toFetch: 0, extra: 0 })
    const four = [...['B', 'C', 'D', 'E'].map((address) => answered(address, claim([0]))), own('A')]
    const over = makeTally(table, four, { ownSlots: [0] })
    over.take(eraOf(2, { 0: 1 }))
    assert.deepEqual([over.counts.over, over.counts.extraCopies], [1, 1])
    assert.deepEqual([over.chunksOf('D').extra, over.chunksOf('E').extra], [0, 1])
  })

  it('limit: names the 20 thinnest places, of equally thin ones the oldest', () => {
    const table = makeTable([
      ['A', 'B', 'C'],
      ['B', 'C', 'D'],
    ])
    const nodes = [own('A'), ...['B', 'C', 'D'].map((address): CountedNode => ({ address, state: 'away' }))]
    const tally = makeTally(table, nodes, { ownSlots: [0] })
    for (let era = 0; era < 25; era++) tally.take(eraOf(era, { 0: 1 }))
    assert.equal(tally.thinnest.length, 20)
    tally.take(eraOf(30, { 1: 1 }))
    assert.deepEqual(
      tally.thinnest.map(({ era }) => era),
      [30, ...Array.from({ length: 19 }, (_, era) => era)],
    )
  })

  it('the sums agree whatever the network: each chunk is at its floor, under it, or past retention', () => {
    let state = 12_345
    const random = (max: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return (state >>> 8) % max
    }
    const names = ['A', 'B', 'C', 'D', 'E', 'F']
    const holders = Array.from({ length: 40 }, () => {
      const from = random(6)
      return [0, 1, 2].map((i) => names[(from + i) % 6] ?? 'A')
    })
    const table = makeTable(holders)
    const slots = holders.map((_, slot) => slot)
    const maps = new Map(names.map((name) => [name, slots.filter(() => random(3) > 0)]))
    const nodes = names.map((name) => (name === 'A' ? own('A') : answered(name, claim(maps.get(name) ?? []))))
    const ownSlots = slots.filter((slot) => holders[slot]?.includes('A'))
    const tally = makeTally(table, nodes, { ownSlots })
    const chunks = Object.fromEntries(slots.map((slot) => [slot, 1 + random(5)]))
    tally.take(eraOf(1, chunks))
    let [atFloor, missing] = [0, 0]
    for (const slot of slots) {
      const others = names.slice(1).filter((name) => maps.get(name)?.includes(slot)).length
      const copies = others + (ownSlots.includes(slot) ? 1 : 0)
      if (copies >= 3) atFloor += chunks[slot] ?? 0
      else missing += (3 - copies) * (chunks[slot] ?? 0)
    }
    const { counts } = tally
    assert.deepEqual([counts.atFloor, counts.missingCopies], [atFloor, missing])
    assert.equal(counts.atFloor + counts.under, counts.total)
  })
})
