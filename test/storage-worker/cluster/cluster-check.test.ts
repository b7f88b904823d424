import assert from 'node:assert/strict'
import { ArchiveError, computeHashSlot, HASH_SLOTS } from '../../../core/index.ts'
import type { HavePage, SignedHavePage } from '../../../protocol-handler/index.ts'
import { type ClusterPeers, checkCluster } from '../../../storage-worker/cluster/cluster-check.ts'
import { computePlacementTable, type PlacementTable, readPlacement } from '../../../storage-worker/index.ts'
import type { Fetched } from '../../../storage-worker/peers/peer-client.ts'
import { StillClock } from '../../clocks.ts'
import { MadeRegistry, REGISTRY, NETWORK as REGISTRY_NETWORK } from '../placement/made-registry.ts'
import { MadeArchive, NETWORK } from '../replication/made-archive.ts'

const LAST = 300
const SETTLED = LAST - 8
const CLOCK = { nowMs: () => 1_000_000_000_000, monotonicMs: () => 0 }

type Answer = Fetched<readonly SignedHavePage[]> | ArchiveError

/** A have-map of all hash slots that a node is assigned, but for some. */
function mapOf(
  table: PlacementTable,
  address: string,
  without: readonly number[] = [],
  missingPeriods: HavePage['missingPeriods'] = [],
): Answer {
  const page: HavePage = {
    network: NETWORK,
    headPeriod: LAST,
    firstEra: 0,
    fromHashSlot: 0,
    endHashSlot: HASH_SLOTS,
    held: table
      .listSlotsOf(address)
      .filter((hashSlot) => !without.includes(hashSlot))
      .map((hashSlot) => ({ hashSlot, endEra: 3 })),
    exceptions: [],
    missingPeriods,
  }
  return {
    status: 'ok',
    value: [{ ...page, signature: { publicKey: '', signature: '' } } as unknown as SignedHavePage],
  }
}

describe('storage-worker/cluster/cluster-check', () => {
  let table: PlacementTable
  /** Chunk i of period p is in hash slot (31 p + i) mod 997. */
  const archive = new MadeArchive().fill(10, LAST, (period) => [0, 1].map((i) => (31 * period + i) % 997))

  before(async () => {
    const registry = new MadeRegistry({ replicas: 3 })
    for (const address of ['AU1', 'AU2', 'AU3', 'AU4']) registry.add(address)
    registry.add('AU5', { operator: 'x' })
    registry.add('AU6', { operator: 'x', retentionPeriods: 50n })
    const reading = await readPlacement(
      { registry: REGISTRY, network: REGISTRY_NETWORK },
      { node: registry, clock: CLOCK },
    )
    table = await computePlacementTable(reading)
  })

  function check(
    answers: Readonly<Record<string, Answer>>,
    options: {
      readonly store?: MadeArchive
      readonly live?: readonly string[]
      readonly strangers?: readonly string[]
      readonly doubtOf?: ClusterPeers['doubtOf']
      readonly awayForMs?: number
      /** Connected, and taken for away. */
      readonly shunned?: readonly string[]
      readonly said?: ReturnType<ClusterPeers['saidBy']>
      readonly signal?: AbortSignal
    } = {},
  ) {
    const { store = archive, live = [], strangers = [], said, doubtOf = () => undefined, shunned = [] } = options
    const progress: object[] = []
    const asked: string[] = []
    const peers: ClusterPeers = {
      listConnected: () => [
        ...Object.keys(answers).map((address) => ({ peer: `peer of ${address}`, address })),
        ...strangers.map((peer) => ({ peer, address: undefined })),
      ],
      isLive: (address) => !shunned.includes(address) && (live.includes(address) || address in answers),
      listClaimants: () => [],
      doubtOf,
      awayForMs: () => options.awayForMs,
      saidBy: (address) => (address in answers ? said : undefined),
    }
    const client = {
      fetchHaveMap: async (peer: string, address: string) => {
        asked.push(peer)
        const answer = answers[address]
        if (answer instanceof ArchiveError) throw answer
        if (answer === undefined) return assert.fail(address)
        return answer
      },
    }
    const found = checkCluster(
      {
        own: 'AU1',
        network: NETWORK,
        repairDelaySeconds: 30,
        onProgress: (row) => progress.push(row),
        signal: options.signal ?? new AbortController().signal,
      },
      { table, isCurrent: true, ownSlots: table.listSlotsOf('AU1'), store, client, peers, clock: new StillClock() },
    )
    return { found, progress, asked }
  }

  /** What each node answers when all have what they are to have. */
  const whole = () =>
    Object.fromEntries(['AU2', 'AU3', 'AU4', 'AU5'].map((address) => [address, mapOf(table, address)]))

  it('tells who holds how much beside its duty, as far as nodes say', async () => {
    const said = { retentionPeriods: 0n, storedChunks: 500n, firstPeriod: 10, endPeriod: LAST + 1 }
    const report = await check(whole(), { said }).found
    assert.ok(report)
    for (const { address, state, assigned, lacking, extra } of report.nodes) {
      const held = state === 'own' ? 566 : state === 'answered' ? 500 : assigned
      assert.equal(extra, held - (assigned - lacking), address)
    }
    const silent = await check(whole()).found
    assert.deepEqual(
      silent?.nodes.flatMap(({ address, extra }) => (extra > 0 ? [address] : [])),
      ['AU1'],
    )
  })

  it('says that all is well, of how many chunks of which periods, and how far it is', async () => {
    const { found, progress, asked } = check(whole())
    const report = await found
    assert.ok(report)
    const { chunks, periods, nodes, healing, lackingBy } = report
    assert.deepEqual([chunks.total, chunks.atFloor, chunks.under, chunks.over], [566, 566, 0, 0])
    assert.deepEqual(periods, {
      first: 10,
      last: SETTLED,
      checked: 283,
      missing: 0,
      holes: [],
      settling: 8,
      olderElsewhere: 0,
    })
    assert.equal(
      nodes.reduce((sum, { assigned }) => sum + assigned, 0),
      3 * 566,
    )
    assert.deepEqual(nodes.map(({ address, state, lacking }) => [address, state, lacking]).sort(), [
      ['AU1', 'own', 0],
      ['AU2', 'answered', 0],
      ['AU3', 'answered', 0],
      ['AU4', 'answered', 0],
      ['AU5', 'answered', 0],
      ['AU6', 'away', 0],
    ])
    assert.deepEqual([healing.pulling, healing.standIns, report.unheard], [[], [], []])
    assert.equal(
      Object.values(lackingBy).reduce((sum, count) => sum + count, 0),
      0,
    )
    assert.deepEqual([...asked].sort(), ['peer of AU2', 'peer of AU3', 'peer of AU4', 'peer of AU5'])
    assert.deepEqual(progress.at(-1), { phase: 'periods', done: 283, total: 283 })
    assert.deepEqual(progress[3], { phase: 'peers', done: 4, total: 4 })
    assert.doesNotThrow(() => JSON.stringify(report))
  })

  it('tells who pulls, and who stands in for whom is away, after how long', async () => {
    const { AU2, AU3, AU5 } = whole()
    const lost = table.listSlotsOf('AU5').slice(0, 200)
    assert.ok(AU2 && AU3 && AU5)
    const report = await check({ AU2, AU3, AU5: mapOf(table, 'AU5', lost) }).found
    assert.ok(report)
    const [pulling] = report.healing.pulling
    assert.deepEqual([report.healing.pulling.length, pulling?.address], [1, 'AU5'])
    const slotsOf = (period: number) => [0, 1].map((i) => (31 * period + i) % 997)
    const all = Array.from({ length: SETTLED - 10 + 1 }, (_, i) => slotsOf(10 + i)).flat()
    assert.equal(pulling?.chunks, all.filter((slot) => lost.includes(slot)).length)
    const ofAway = all.filter((slot) => table.isHolder('AU4', slot)).length
    assert.equal(report.lackingBy.away, ofAway)
    assert.equal(
      report.healing.standIns.reduce((sum, { chunks }) => sum + chunks, 0),
      ofAway,
    )
    assert.ok(report.healing.standIns.every(({ address }) => address !== 'AU4' && address !== 'AU6'))
    assert.equal(report.healing.hopeless, 0)
    assert.equal(report.healing.standInsWithinSeconds, 30)
    assert.deepEqual(report.states, { own: 1, answered: 3, silent: 0, unconnected: 0, away: 2 })
    assert.equal(report.nodes[0]?.address, 'AU4')
    assert.equal(report.thinnest.length, 20)
  })

  it('regression: a holder that says it has all and is not believed is no copy; others stand in, it fetches nothing', async () => {
    for (const shunned of [[], ['AU4']]) {
      const doubtOf = (address: string) => (address === 'AU4' ? 'unshown' : undefined)
      const report = await check(whole(), { doubtOf, shunned }).found
      assert.ok(report)
      const assigned = report.nodes.find(({ address }) => address === 'AU4')?.assigned ?? 0
      assert.ok(assigned > 0)
      assert.equal(report.chunks.under, assigned)
      assert.equal(report.lackingBy.unshown, assigned)
      assert.deepEqual(report.doubted, [{ address: 'AU4', why: 'unshown', chunks: assigned }])
      assert.deepEqual(report.healing.pulling, [])
      assert.equal(
        report.healing.standIns.reduce((sum, { chunks }) => sum + chunks, 0),
        assigned,
      )
      assert.ok(report.healing.standIns.every(({ address }) => address !== 'AU4'))
      // Half an hour is what a holder that is here has.
      assert.equal(report.healing.standInsWithinSeconds, 1_830)
    }
  })

  it('regression: what is left until stand-ins begin is counted from when the holder went, not from now', async () => {
    const { AU2, AU3, AU5 } = whole()
    assert.ok(AU2 && AU3 && AU5)
    for (const [awayForMs, leftSeconds] of [
      [12_000, 18],
      [31_000, 0],
    ] as const) {
      const { found } = check({ AU2, AU3, AU5 }, { awayForMs })
      assert.equal((await found)?.healing.standInsWithinSeconds, leftSeconds)
    }
  })

  it('says what it could not see: nodes that do not tell, nodes not connected, periods that are not here', async () => {
    const store = new MadeArchive().fill(10, LAST)
    for (const period of [40, 41, 127, 128, 200]) store.periods.delete(period)
    const answers: Record<string, Answer> = {
      AU2: { status: 'busy' },
      AU3: { status: 'refused' },
      AU4: new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'gone'),
    }
    const said = { retentionPeriods: 0n, storedChunks: 0n, firstPeriod: 3, endPeriod: 300 }
    const report = await check(answers, { store, live: ['AU5'], strangers: ['P9'], said }).found
    assert.ok(report)
    assert.deepEqual(
      [...report.unheard].sort((a, b) => a.peer.localeCompare(b.peer)),
      [
        { peer: 'P9', address: null, why: 'it did not say yet which node it is' },
        { peer: 'peer of AU2', address: 'AU2', why: 'it is busy' },
        { peer: 'peer of AU3', address: 'AU3', why: 'it refuses' },
        { peer: 'peer of AU4', address: 'AU4', why: 'PROTOCOL_PEER_UNREACHABLE' },
      ],
    )
    const states = new Map(report.nodes.map(({ address, state }) => [address, state]))
    assert.deepEqual(
      ['AU1', 'AU2', 'AU5', 'AU6'].map((address) => states.get(address)),
      ['own', 'silent', 'unconnected', 'away'],
    )
    const { missing, holes, checked } = report.periods
    assert.deepEqual([missing, checked], [5, 278])
    assert.deepEqual(holes, [
      { from: 40, to: 41 },
      { from: 127, to: 128 },
      { from: 200, to: 200 },
    ])
    assert.equal(report.periods.olderElsewhere, 0)
    const heard = await check({ ...answers, AU2: { status: 'notHeld' } }, { store, said }).found
    assert.equal(heard?.periods.olderElsewhere, 7)
  })

  it('counts no copy with a node whose archive begins later, and nothing else against it', async () => {
    const said = { retentionPeriods: 0n, storedChunks: 0n, firstPeriod: 13, endPeriod: LAST + 1 }
    const report = await check(whole(), { said }).found
    assert.ok(report)
    // Of periods 10 to 12; of the two chunks of each this node holds what it is assigned.
    const { total, under, atFloor } = report.chunks
    assert.deepEqual([total, under, atFloor], [566, 6, 560])
    assert.ok(report.thinnest.every(({ era, chunks }) => era === 0 && chunks === 1))
  })

  it('knows no newest period of a node that tells nothing', async () => {
    const report = await check({ ...whole(), AU2: { status: 'notHeld' } }).found
    const heads = new Map(report?.nodes.map(({ address, headPeriod }) => [address, headPeriod]))
    assert.deepEqual([heads.get('AU2'), heads.get('AU3'), heads.get('AU6')], [null, LAST, null])
  })

  it('counts who keeps for ever, by the registry and by what nodes say', async () => {
    const promise = await check(whole()).found
    assert.deepEqual(promise?.keepers, { wanted: 3, count: 5, contradicted: [] })
    const said = { retentionPeriods: 100n, storedChunks: 0n, firstPeriod: 0, endPeriod: 1 }
    const broken = await check(whole(), { said }).found
    assert.deepEqual(broken?.keepers, { wanted: 3, count: 1, contradicted: ['AU2', 'AU3', 'AU4', 'AU5'] })
  })

  it('regression: of a holder that lacks a few periods the chunks of these lack, not those of their eras', async () => {
    const missing = mapOf(table, 'AU4', [], [{ fromPeriod: 200, endPeriod: 203 }])
    const report = await check({ ...whole(), AU4: missing }).found
    const lost = [200, 201, 202].flatMap((period) => archive.periods.get(period)?.slots ?? [])
    assert.equal(lost.length, 6)
    const expected = lost.filter((slot) => table.isHolder('AU4', slot)).length
    assert.ok(expected > 0)
    assert.deepEqual([report?.chunks.total, report?.chunks.under], [566, expected])
  })

  it('counts chunks whose copies share an operator', async () => {
    const registry = new MadeRegistry({ replicas: 3 })
    for (const address of ['AU1', 'AU2', 'AU3']) registry.add(address, { operator: 'x' })
    const reading = await readPlacement(
      { registry: REGISTRY, network: REGISTRY_NETWORK },
      { node: registry, clock: CLOCK },
    )
    const before = table
    try {
      table = await computePlacementTable(reading)
      const report = await check(whole()).found
      assert.deepEqual(report?.clustered, [
        { copies: 3, operators: 1, networks: 3, hashSlots: HASH_SLOTS, chunks: 566 },
      ])
    } finally {
      table = before
    }
  })

  it('nothing is checked of an archive whose periods are all on their way', async () => {
    assert.equal(await check({}, { store: new MadeArchive() }).found, undefined)
    assert.equal(await check({}, { store: new MadeArchive().fill(10, 17) }).found, undefined)
    assert.equal((await check({}, { store: new MadeArchive().fill(10, 18) }).found)?.chunks.total, 1)
  })

  it('what this disk lacks is pulled, too', async () => {
    const store = new MadeArchive().fill(10, LAST)
    const [slot] = table.listSlotsOf('AU1').filter((hashSlot) => hashSlot >= 10 && hashSlot < 100)
    assert.ok(slot !== undefined)
    const [chunk] = (await store.readManifest(slot))?.chunks ?? []
    assert.equal(chunk && computeHashSlot(chunk.chunkId), slot)
    store.drop(slot, 0)
    const report = await check(whole(), { store }).found
    assert.deepEqual(report?.healing.pulling, [{ address: 'AU1', chunks: 1 }])
    assert.deepEqual([report?.chunks.under, report?.chunks.missingCopies], [1, 1])
  })

  it('ends when it is told to', async () => {
    const ended = AbortSignal.abort(new Error('enough'))
    await assert.rejects(check(whole(), { signal: ended }).found, /enough/)
  })
})
