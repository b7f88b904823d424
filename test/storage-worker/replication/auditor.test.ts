import assert from 'node:assert/strict'
import { ArchiveError, LEAF_SIZE_BYTES, toHex } from '../../../core/index.ts'
import type { Offence } from '../../../protocol-handler/index.ts'
import type { LevelChunkStore } from '../../../storage-worker/index.ts'
import { PeerClient } from '../../../storage-worker/peers/peer-client.ts'
import {
  AUDIT_MARGIN_PERIODS,
  Auditor,
  type AuditorModules,
  type AuditPeer,
} from '../../../storage-worker/replication/auditor.ts'
import type { AuditResult } from '../../../storage-worker/replication/suspicions.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { SetClock } from '../../devnet/set-clock.ts'
import { makePeriod } from '../synthetic-period.ts'
import {
  drawWholes,
  MadeNodes,
  MadePeriods,
  MadeTable,
  openMemoryStore,
  registered,
  showWrongLeaf,
  slotOf,
} from './audited-nodes.ts'

const SEED = Number(process.env.MASSA_STORAGE_TEST_SEED ?? 1)
const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const LAST = 40
const PERIODS = Array.from({ length: LAST }, (_, i) => makePeriod(i + 1, { blocks: 2, operations: 3 }))
/** By id, of all chunks. */
const CHUNKS = new Map(
  PERIODS.flatMap(({ manifest }) =>
    manifest.chunks.map(({ chunkId, byteLength }, index) => [
      toHex(chunkId),
      { period: manifest.period, index, byteLength, hashSlot: slotOf(chunkId) },
    ]),
  ),
)

/** Where only times matter. */
function makeRepeated(): MadePeriods {
  const store = new MadePeriods()
  for (let period = 1; period <= LAST; period++) store.put(period, [2_000])
  return store
}

describe('storage-worker/replication: peers are audited', () => {
  let store: LevelChunkStore

  /** Summaries and manifests are all that is read of the own archive. */
  const own = new MadePeriods()
  for (const { manifest } of PERIODS) own.manifests.set(manifest.period, manifest)

  before(async () => {
    store = await openMemoryStore()
    for (const period of PERIODS) await store.writePeriod(period)
  })

  interface World {
    readonly store?: AuditorModules['store']
    readonly table?: MadeTable
    readonly peers?: readonly string[]
    readonly client?: AuditorModules['client']
    readonly auditsPerDay?: number
  }

  function open({ store: read = own, table, peers = ['A', 'B', 'C'], client, auditsPerDay }: World = {}) {
    const clock = new SetClock()
    const nodes = new MadeNodes()
    const offences: Offence[] = []
    const results: AuditResult[] = []
    const failures: unknown[] = []
    const lines: Record<string, unknown>[] = []
    const world = {
      placement: {
        inForce:
          table ??
          new MadeTable(
            peers.map((peer) => registered(peer)),
            () => true,
          ),
        isCurrent: true,
      } as { inForce: MadeTable | undefined; isCurrent: boolean },
      connected: peers.map((peer): AuditPeer => ({ address: peer, peer: `peer of ${peer}` })),
      suspicions: 0,
      withdrawn: [] as [string, number, number][],
      withdrawnAll: [] as string[],
    }
    const auditor = new Auditor(auditsPerDay === undefined ? {} : { auditsPerDay }, {
      client: client ?? new PeerClient(nodes, (_, offence) => offences.push(offence), { clock }),
      placement: world.placement,
      store: read,
      listPeers: () => world.connected,
      clock,
      random: drawWholes(SEED),
      log: createLogger({
        level: 'info',
        format: 'json',
        destination: { write: (text) => lines.push(JSON.parse(text)) },
      }),
      onResult: (result, suspicions) => {
        results.push(result)
        world.suspicions = suspicions
      },
      withdraw: (...claim) => world.withdrawn.push(claim),
      withdrawAll: (address) => world.withdrawnAll.push(address),
      onFailure: (error) => failures.push(error),
    })
    const pass = async (durationMs: number, stepMs = 10_000): Promise<void> => {
      for (let passed = 0; passed < durationMs; passed += stepMs) {
        clock.timeMs += stepMs
        await auditor.look()
      }
    }
    return { auditor, clock, nodes, offences, results, failures, lines, world, pass }
  }

  /** Looks until so many audits were made. */
  async function auditTimes(opened: ReturnType<typeof open>, times: number, stepMs = 10_000): Promise<void> {
    for (let looks = 0; opened.results.length < times; looks++) {
      assert.ok(looks < 2_000 + 200 * times, 'no audits')
      await opened.pass(stepMs, stepMs)
    }
  }

  function answering(asked: { peer: string; chunkId: string; leafIndex: number; atMs: number }[], clock: () => number) {
    return {
      audit: async (peer: string, chunkId: Uint8Array, leafIndex: number) => {
        asked.push({ peer, chunkId: toHex(chunkId), leafIndex, atMs: clock() })
        return { status: 'ok', value: true } as const
      },
    }
  }

  for (const others of [1, 3, 29]) {
    it(`of ${others + 1} nodes each asks the ${others} others for 700 / ${others} leaves a day, at even distances`, async () => {
      const asked: Parameters<typeof answering>[0] = []
      const peers = Array.from({ length: others }, (_, i) => `node ${i}`)
      const opened = open({ store: makeRepeated(), peers, client: answering(asked, () => opened.clock.timeMs) })
      await opened.pass(DAY_MS)
      const share = Math.ceil(700 / others)
      for (const peer of peers) {
        const times = asked.filter((one) => one.peer === `peer of ${peer}`).map(({ atMs }) => atMs)
        assert.ok(times.length >= share - 1 && times.length <= share, `${peer}: ${times.length} of ${share}`)
        for (const [i, atMs] of times.entries()) {
          const gapMs = atMs - (times[i - 1] ?? atMs - DAY_MS / share)
          assert.ok(Math.abs(gapMs - DAY_MS / share) <= DAY_MS / share / others + 20_000, `${gapMs} ms`)
        }
      }
      assert.equal(opened.auditor.report().day.length, others)
    })
  }

  it('nodes outside the registry, or without a hash slot, are not asked and take no share', async () => {
    const asked: Parameters<typeof answering>[0] = []
    const table = new MadeTable([registered('A'), registered('B'), registered('idle')], (address) => address !== 'idle')
    const opened = open({
      store: makeRepeated(),
      table,
      peers: ['A', 'B', 'idle', 'stranger 1', 'stranger 2'],
      client: answering(asked, () => opened.clock.timeMs),
    })
    await opened.pass(DAY_MS)
    assert.deepEqual([...new Set(asked.map(({ peer }) => peer))].sort(), ['peer of A', 'peer of B'])
    assert.ok(asked.length >= 699 && asked.length <= 700, `${asked.length}`)
  })

  it('asks for any leaf of any chunk that placement gives the node, but of the newest 16 periods', async () => {
    const asked: Parameters<typeof answering>[0] = []
    const holds = (address: string, hashSlot: number) => (hashSlot % 2 === 0) === (address === 'A')
    const opened = open({
      table: new MadeTable([registered('A'), registered('B')], holds),
      peers: ['A', 'B'],
      client: answering(asked, () => opened.clock.timeMs),
    })
    await auditTimes(opened, 600)
    const met = new Set<string>()
    for (const { peer, chunkId, leafIndex } of asked) {
      const chunk = CHUNKS.get(chunkId)
      assert.ok(chunk)
      assert.equal(chunk.hashSlot % 2 === 0, peer === 'peer of A')
      assert.ok(chunk.period <= LAST - AUDIT_MARGIN_PERIODS)
      assert.ok(leafIndex < Math.ceil(chunk.byteLength / LEAF_SIZE_BYTES))
      met.add(`${chunk.period} ${chunk.index}`)
      met.add(`leaf ${leafIndex}`)
    }
    const wanted = [...CHUNKS.values()].filter(({ period }) => period <= LAST - AUDIT_MARGIN_PERIODS)
    for (const { period, index } of wanted) assert.ok(met.has(`${period} ${index}`), `${period} ${index}, seed ${SEED}`)
    for (let leaf = 0; leaf < 4; leaf++) assert.ok(met.has(`leaf ${leaf}`))
  })

  it('asks a node that keeps so many periods for none that is older', async () => {
    const asked: Parameters<typeof answering>[0] = []
    const table = new MadeTable([registered('A', { retentionPeriods: 20n })], () => true)
    const opened = open({ table, peers: ['A'], client: answering(asked, () => opened.clock.timeMs) })
    await auditTimes(opened, 100)
    const periods = new Set(asked.map(({ chunkId }) => CHUNKS.get(chunkId)?.period ?? 0))
    assert.deepEqual(
      [...periods].sort((a, b) => a - b),
      [21, 22, 23, 24],
    )
  })

  it('makes no audits without a placement, or by one that may be outdated', async () => {
    const opened = open({ peers: ['A'] })
    const table = opened.world.placement.inForce
    opened.world.placement.isCurrent = false
    await opened.pass(60 * MINUTE_MS)
    opened.world.placement.isCurrent = true
    opened.world.placement.inForce = undefined
    await opened.pass(60 * MINUTE_MS)
    assert.deepEqual(opened.results, [])
    opened.world.placement.inForce = table
    await opened.pass(60 * MINUTE_MS)
    assert.ok(opened.results.length > 20)
  })

  it('a node that comes and goes takes no turns of others, and does not lose its own', async () => {
    const asked: Parameters<typeof answering>[0] = []
    const opened = open({ store: makeRepeated(), client: answering(asked, () => opened.clock.timeMs) })
    const all = opened.world.connected
    for (let i = 0; i < 500; i++) {
      opened.world.connected = i % 2 === 0 ? all.slice(1) : all
      await opened.pass(30_000)
    }
    const count = (name: string) => asked.filter(({ peer }) => peer === `peer of ${name}`).length
    // It is away for half of the time.
    const told = `${count('A')} ${count('B')} ${count('C')}`
    assert.ok(count('A') >= 20 && count('B') >= 40 && count('C') >= 40, told)
  })

  it('an honest node shows what it is asked for, at whatever leaf', async () => {
    const opened = open({ store, peers: ['A'] })
    opened.nodes.stores.set('peer of A', store)
    await auditTimes(opened, 60)
    assert.deepEqual(new Set(opened.results), new Set(['shown']))
    assert.deepEqual(opened.auditor.report(), {
      day: [{ address: 'A', shown: opened.results.length, failed: 0, unanswered: 0 }],
      suspicions: [],
    })
    assert.deepEqual([opened.offences, opened.lines], [[], []])
  })

  for (const [what, habit, kind] of [
    ['that does not hold it', () => ({ status: 'notHeld' }) as const, 'failed'],
    ['that shows another leaf', showWrongLeaf, 'failed'],
    ['that refuses', () => ({ status: 'refused' }) as const, 'failed'],
    ['that is always busy', () => ({ status: 'busy' }) as const, 'unanswered'],
    [
      'that does not answer',
      () => {
        throw new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'injected')
      },
      'unanswered',
    ],
  ] as const) {
    it(`a node ${what}: ${kind}, ten minutes later asked again at a leaf drawn anew, then suspected`, async () => {
      const opened = open({ peers: ['A'], auditsPerDay: 1 })
      opened.nodes.stores.set('peer of A', store)
      opened.nodes.habits.set('peer of A', habit)
      await auditTimes(opened, 1, MINUTE_MS)
      assert.deepEqual(opened.results, [kind])
      assert.deepEqual(opened.auditor.listSuspicions(), [])
      await opened.pass(10 * MINUTE_MS - 10_000)
      assert.equal(opened.results.length, 1)
      await opened.pass(10_000)
      assert.deepEqual(opened.results, [kind, kind])
      const [first, second] = opened.nodes.asked
      assert.ok(first && second)
      assert.equal(first.chunkId, second.chunkId)
      const [suspicion, ...more] = opened.auditor.listSuspicions()
      assert.deepEqual(more, [])
      const chunk = CHUNKS.get(first.chunkId)
      assert.ok(chunk)
      const { period, index } = chunk
      const sinceMs = opened.clock.timeMs - 10 * MINUTE_MS
      assert.deepEqual(suspicion, { address: 'A', period, index, sinceMs, kind })
      assert.equal(opened.world.suspicions, 1)
      assert.deepEqual(opened.world.withdrawn, [['A', chunk.hashSlot, 0]])
      assert.deepEqual(opened.world.withdrawnAll, [])
      assert.deepEqual(
        opened.lines.map(({ msg, node, period: at }) => [msg, node, at]),
        [['a node does not show a chunk that it must hold', 'A', period]],
      )
      // An hour later it is asked again, and what it says is believed as little as before.
      await opened.pass(60 * MINUTE_MS)
      assert.deepEqual(opened.results, [kind, kind, kind])
      assert.equal(opened.world.withdrawn.length, 2)
      assert.equal(opened.lines.length, 1)
      opened.nodes.habits.delete('peer of A')
      await opened.pass(60 * MINUTE_MS)
      assert.deepEqual(opened.auditor.listSuspicions(), [])
      assert.equal(opened.world.withdrawn.length, 2)
      assert.equal(opened.lines.at(-1)?.msg, 'a node shows a chunk again')
      assert.equal(opened.world.suspicions, 0)
    })
  }

  it('a wrong leaf costs the peer, a chunk that is not held does not', async () => {
    const opened = open({ peers: ['A'] })
    opened.nodes.stores.set('peer of A', store)
    opened.nodes.habits.set('peer of A', () => ({ status: 'notHeld' }))
    await auditTimes(opened, 2)
    assert.deepEqual(opened.offences, [])
    opened.nodes.habits.set('peer of A', showWrongLeaf)
    await auditTimes(opened, 4)
    assert.equal(opened.offences.length, opened.results.length - 2)
  })

  it('a node that lost everything is suspected for 16 chunks, and audited on', async () => {
    const opened = open({ peers: ['A', 'B'] })
    opened.nodes.stores.set('peer of B', store)
    opened.nodes.stores.set('peer of A', store)
    opened.nodes.habits.set('peer of A', () => ({ status: 'notHeld' }))
    await opened.pass(DAY_MS / 4, 60_000)
    assert.equal(opened.auditor.listSuspicions().length, 16)
    // From the eighth chunk on that it did not show twice, with each that it does not show.
    assert.deepEqual([...new Set(opened.world.withdrawnAll)], ['A'])
    const [a, b] = opened.auditor.report().day
    assert.ok(a && b)
    assert.ok(a.failed >= 86 && a.shown === 0, `${a.failed}`)
    assert.ok(b.shown >= 86 && b.shown <= 89 && b.failed === 0, `${b.shown}`)
  })

  it('a node that is away is not asked, and its suspicions wait; one that left the registry has none', async () => {
    const opened = open({ peers: ['A', 'B'] })
    for (const name of ['A', 'B']) {
      opened.nodes.stores.set(`peer of ${name}`, store)
      opened.nodes.habits.set(`peer of ${name}`, () => ({ status: 'notHeld' }))
    }
    await opened.pass(60 * MINUTE_MS)
    const before = opened.auditor.listSuspicions().filter(({ address }) => address === 'A')
    assert.ok(before.length > 0)
    opened.world.connected = opened.world.connected.slice(1)
    const asked = opened.nodes.asked.length
    await opened.pass(240 * MINUTE_MS)
    assert.ok(opened.nodes.asked.slice(asked).every(({ peer }) => peer === 'peer of B'))
    assert.deepEqual(
      opened.auditor.listSuspicions().filter(({ address }) => address === 'A'),
      before,
    )
    opened.world.placement.inForce = new MadeTable([registered('B')], () => true)
    await opened.pass(10_000)
    assert.ok(opened.auditor.listSuspicions().every(({ address }) => address === 'B'))
  })

  it('what was audited more than a day ago is not in the report', async () => {
    const opened = open({ peers: ['A'] })
    opened.nodes.stores.set('peer of A', store)
    await auditTimes(opened, 5)
    opened.world.connected = []
    opened.clock.timeMs += 22 * 60 * MINUTE_MS
    assert.equal(opened.auditor.report().day[0]?.shown, opened.results.length)
    opened.clock.timeMs += 2 * 60 * MINUTE_MS
    assert.deepEqual(opened.auditor.report().day, [])
  })

  it('after a machine slept, at most an hour of audits is made up for', async () => {
    const asked: Parameters<typeof answering>[0] = []
    const opened = open({ store: makeRepeated(), peers: ['A'], client: answering(asked, () => opened.clock.timeMs) })
    await opened.pass(60 * MINUTE_MS)
    const before = asked.length
    opened.clock.timeMs += 5 * DAY_MS
    await opened.pass(60_000, 1_000)
    const madeUp = asked.length - before
    assert.ok(madeUp >= 28 && madeUp <= 32, `${madeUp}`)
  })

  it('a store that cannot be read is told, and the audits go on', async () => {
    const failing = Object.create(store) as LevelChunkStore
    let isBroken = true
    failing.readRange = async () => {
      if (isBroken) throw new ArchiveError('STORE_READ_FAILED', 'injected')
      return store.readRange()
    }
    const clock = new SetClock()
    const failures: unknown[] = []
    const results: AuditResult[] = []
    const auditor = new Auditor(
      { auditsPerDay: 86_400 },
      {
        client: answering([], () => 0),
        placement: { inForce: new MadeTable([registered('A')], () => true), isCurrent: true },
        store: failing,
        listPeers: () => [{ address: 'A', peer: 'peer' }],
        clock,
        random: drawWholes(SEED),
        log: createLogger({ level: 'info', format: 'json', destination: { write: () => undefined } }),
        onResult: (result) => results.push(result),
        onFailure: (error) => {
          failures.push(error)
          isBroken = failures.length < 3
        },
      },
    )
    const running = auditor.start()
    for (let turn = 0; turn < 5_000 && results.length < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
    await auditor.stop()
    await running
    assert.equal(failures.length, 3)
    assert.ok(results.length >= 3)
    const made = results.length
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(results.length, made)
  })

  it('stops without waiting for a peer that is silent, and counts nothing for it', async () => {
    const clock = new SetClock()
    const results: AuditResult[] = []
    let asked = 0
    const auditor = new Auditor(
      { auditsPerDay: 86_400 },
      {
        client: {
          audit: () => {
            asked++
            return new Promise(() => undefined)
          },
        },
        placement: { inForce: new MadeTable([registered('A')], () => true), isCurrent: true },
        store: own,
        listPeers: () => [{ address: 'A', peer: 'peer' }],
        clock,
        random: drawWholes(SEED),
        log: createLogger({ level: 'info', format: 'json', destination: { write: () => undefined } }),
        onResult: (result) => results.push(result),
        onFailure: (error) => assert.fail(String(error)),
      },
    )
    const running = auditor.start()
    for (let turn = 0; turn < 5_000 && asked === 0; turn++) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(asked, 1)
    await auditor.stop()
    await running
    assert.deepEqual([results, auditor.report().day], [[], []])
  })
})
