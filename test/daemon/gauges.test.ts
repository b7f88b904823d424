import assert from 'node:assert/strict'
import type { Archiver, ArchiverStatus, FollowerStatus } from '../../archiver/index.ts'
import { countEvents } from '../../daemon/counts.ts'
import { keepGauges, setGauges } from '../../daemon/gauges.ts'
import { recordNodeCall } from '../../daemon/node-calls.ts'
import type { RepairStatus } from '../../daemon/peers/start-replication.ts'
import { type ReplicationStatus, reportStatus } from '../../daemon/status.ts'
import type { HistoryStatus, PlacementStatus, Store } from '../../storage-worker/index.ts'
import { createLogger, createMetrics, type Metrics, renderMetrics } from '../../telemetry/index.ts'
import { METRICS } from '../../telemetry/metrics.ts'
import { SetClock } from '../devnet/set-clock.ts'

const FAULT = { code: 'STORE_DISK_FULL', message: 'full' } as const
const QUIET: ArchiverStatus = {
  spooledBlocks: 0,
  quarantinedBlocks: 0,
  unkeptBlocks: 0,
  gaps: [],
  holes: [],
  conflict: undefined,
  awaited: undefined,
  unreportedSlots: 0,
  halted: undefined,
  spoolFull: undefined,
  stalled: undefined,
  nodeFinalSlot: undefined,
}

const REPAIR: RepairStatus = {
  ...{ hashSlots: 9, standInSlots: 4, awayNodes: ['AU1', 'AU2'], isKnown: true, missingForMs: 1, failing: null },
  ...{ missingChunks: 31, missingBytes: 3, failedChunks: 3, pulledChunks: 0, pulledBytes: 0 },
}

interface Told {
  readonly archive?: Partial<ArchiverStatus>
  readonly nodes?: readonly Partial<FollowerStatus>[]
  readonly range?: { readonly first: number; readonly last: number } | undefined
  readonly placement?: PlacementStatus
  readonly replication?: ReplicationStatus
  readonly history?: HistoryStatus
}

/** The status of a sidecar of which the test says so much. */
function report({ archive = {}, nodes = [], range, placement, replication, history }: Told) {
  const store = {
    dataDir: 'data',
    chunks: { identity: { network: { chainId: 77n, genesisTimestampMs: 0n } }, readRange: async () => range },
    disk: { readUsedBytes: async () => 7_001, readFreeBytes: async () => 7_002 },
  }
  return reportStatus({
    ...{ version: '1', pid: 1, startedAtMs: 0, upMs: 0, quotaGb: 3, retention: { failing: undefined } },
    placement,
    replication,
    history,
    nodes: nodes as readonly FollowerStatus[],
    store: store as unknown as Store,
    archiver: { status: () => ({ ...QUIET, ...archive }) } as unknown as Archiver,
  })
}

const gap = (firstPeriod: number, lastPeriod: number) =>
  ({ thread: 1, firstPeriod, lastPeriod, missing: `B${firstPeriod}` }) as ArchiverStatus['gaps'][number]

/** Values of gauges by what is written after `massa_storage_`. */
async function read(metrics: Metrics): Promise<Record<string, number>> {
  const { text } = await renderMetrics(metrics)
  const samples = [...text.matchAll(/^massa_storage_(\S+) (\S+)$/gm)]
  return Object.fromEntries(samples.map(([, name = '', value]) => [name, Number(value)]))
}

const create = () => createMetrics({ version: '1', processMetrics: false })

async function gaugesOf(told: Told): Promise<Record<string, number>> {
  const metrics = create()
  setGauges(metrics, await report(told))
  return read(metrics)
}

const PLACED = { root: '', nodes: 9, replicas: 2, keepsForEver: false }
const DIFFERING = { differingNodes: [], differingPlacements: [], differingEras: [] }
const REPLICATION = { liveNodes: 29, haveMaps: 28, haveMapBytes: 1, announcedPeriod: 90, ...DIFFERING }
const FULL: Told = {
  placement: {
    registry: 'AS1',
    isCurrent: true,
    inForce: { ...PLACED, era: 77, wantedReplicas: 5, fewestHolders: 2 },
  },
  archive: {
    spooledBlocks: 5_001,
    quarantinedBlocks: 5_002,
    gaps: [gap(3, 4), gap(10, 20)],
    nodeFinalSlot: { period: 99, thread: 3 },
  },
  range: { first: 1, last: 90 },
  replication: { ...REPLICATION, repair: REPAIR },
  history: { indexedPeriods: 41, partialPeriods: 2, isComplete: true },
}

describe('daemon/gauges', () => {
  it('each shows what the status says of it, and nothing else', async () => {
    const wanted = {
      archived_period: 90,
      node_final_period: 99,
      // Of period 99 one slot is final: the last whole period is 98.
      archive_lag_periods: 8,
      gap_slots: 13,
      spool_blocks: 5_001,
      quarantine_blocks: 5_002,
      stored_bytes: 7_001,
      free_bytes: 7_002,
      quota_bytes: 3_000_000_000,
      placement_era: 77,
      placement_missing_copies: 3,
      missing_chunks: 31,
      stand_in_slots: 4,
      away_nodes: 2,
      live_nodes: 29,
      indexed_periods: 41,
    }
    const shown = await gaugesOf(FULL)
    assert.deepEqual(Object.fromEntries(Object.keys(wanted).map((name) => [name, shown[name]])), wanted)
  })

  const ALARMS: readonly (readonly [string, Told])[] = [
    ['spool_full', { archive: { spoolFull: FAULT } }],
    ['conflict_slots', { archive: { conflict: { slot: { period: 1, thread: 1 }, claims: new Map() } } }],
    ['halted', { archive: { halted: FAULT } }],
    ['placement_stale', { placement: { registry: 'AS1', isCurrent: false } }],
    ['differing_nodes', { replication: { ...REPLICATION, differingNodes: ['AU1'] } }],
    ['differing_placements', { replication: { ...REPLICATION, differingPlacements: ['AU1'] } }],
  ]
  for (const [name, told] of ALARMS) {
    it(`${name} is 1 while that is so, alone, and 0 afterwards`, async () => {
      const metrics = create()
      const alarms = async () => {
        const shown = await read(metrics)
        return ALARMS.map(([alarm]) => alarm).filter((alarm) => shown[alarm] !== 0)
      }
      setGauges(metrics, await report(told))
      assert.deepEqual(await alarms(), [name])
      assert.equal((await read(metrics))[name], 1)
      setGauges(metrics, await report({}))
      assert.deepEqual(await alarms(), [])
    })
  }

  it('each node has its own: whether it is up, and whether its streams are silent', async () => {
    const nodes = [
      { up: true, mode: 'push' },
      { up: true, mode: 'pull' },
      { up: false, mode: 'connecting' },
      { up: false, mode: 'pull' },
    ] as const
    const shown = await gaugesOf({ nodes })
    const of = (name: string) => nodes.map((_, node) => shown[`${name}{node="${node}"}`])
    assert.deepEqual(of('node_up'), [1, 1, 0, 0])
    assert.deepEqual(of('stream_silent'), [0, 1, 0, 0])
  })

  it('what nobody knows yet is left as it was', async () => {
    const metrics = create()
    setGauges(metrics, await report(FULL))
    setGauges(metrics, await report({}))
    const { archived_period, node_final_period, archive_lag_periods, gap_slots } = await read(metrics)
    assert.deepEqual([archived_period, node_final_period, archive_lag_periods, gap_slots], [90, 99, 8, 0])
  })

  it('each gauge of the table is set', async () => {
    const set = new Set<string>()
    const gauge = (key: string) => ({ set: () => void set.add(key) })
    const metrics = Object.fromEntries(Object.keys(METRICS).map((key) => [key, gauge(key)]))
    setGauges(metrics as unknown as Metrics, await report({ ...FULL, nodes: [{ up: true, mode: 'push' }] }))
    const gauges = Object.entries(METRICS).filter(([, { type }]) => type === 'gauge')
    // Where the registry is made, and where audits are.
    const elsewhere = ['buildInfo', 'auditSuspicions']
    const wanted = gauges.map(([key]) => key).filter((key) => !elsewhere.includes(key))
    assert.deepEqual([...set].sort(), wanted.sort())
  })

  it('they are set at once and every five seconds, and a status that cannot be read is said once', async () => {
    const metrics = create()
    const clock = new SetClock()
    const stopping = new AbortController()
    const said: unknown[] = []
    const destination = { write: (line: string) => void said.push(JSON.parse(line).msg) }
    const log = createLogger({ level: 'debug', format: 'json', destination }).child({ module: 'daemon' })
    const times: number[] = []
    const startMs = clock.timeMs
    const status = async () => {
      times.push(clock.timeMs - startMs)
      if (times.length === 6) stopping.abort()
      if (times.length === 2 || times.length === 3) throw new Error('no')
      return report({ archive: { spooledBlocks: times.length } })
    }
    await keepGauges({ metrics, status, clock, log }, stopping.signal)
    assert.deepEqual(times, [0, 5_000, 10_000, 15_000, 20_000, 25_000])
    assert.deepEqual(said, ['status not read'])
    assert.equal((await read(metrics)).spool_blocks, 6)
  })
})

describe('daemon/counts', () => {
  it('an archived period counts with its blocks, operations, bytes and time', async () => {
    const metrics = create()
    const { onArchived } = countEvents(metrics)
    const summary = { root: new Uint8Array(32), chunks: 2 }
    onArchived({ ...summary, period: 41, blocks: 32, operations: 500, bodyBytes: 90_000 }, 300)
    onArchived({ ...summary, period: 42, blocks: 30, operations: 7, bodyBytes: 1_234 }, 9_000)
    const shown = await read(metrics)
    const wanted = {
      archived_period: 42,
      archived_periods_total: 2,
      archived_blocks_total: 62,
      archived_operations_total: 507,
      archived_body_bytes_total: 91_234,
      archive_seconds_sum: 9.3,
      archive_seconds_count: 2,
      archived_unreported_slots_total: 0,
    }
    assert.deepEqual(Object.fromEntries(Object.keys(wanted).map((name) => [name, shown[name]])), wanted)
  })

  it('slots without execution results, refused blocks and calls to nodes count, each for itself', async () => {
    const metrics = create()
    const { onUnreported, onRefused } = countEvents(metrics)
    onUnreported(3)
    onUnreported(4)
    onRefused('ARCHIVER_SIGNATURE_INVALID', 1)
    const record = recordNodeCall(metrics)
    for (const result of [
      ...['ok', 'unavailable', 'deadline_exceeded', 'cancelled', 'resource_exhausted', 'unparsable'],
      ...['permission_denied', 'internal'],
    ]) {
      record('GetBlocks', result)
    }
    const counted = Object.entries(await read(metrics)).filter(
      ([name, value]) => /unreported|refused|calls/.test(name) && value > 0,
    )
    assert.deepEqual(Object.fromEntries(counted), {
      archived_unreported_slots_total: 7,
      'refused_blocks_total{code="ARCHIVER_SIGNATURE_INVALID",node="1"}': 1,
      'node_calls_total{rpc="GetBlocks",result="ok"}': 1,
      'node_calls_total{rpc="GetBlocks",result="unreachable"}': 2,
      'node_calls_total{rpc="GetBlocks",result="cancelled"}': 1,
      'node_calls_total{rpc="GetBlocks",result="too_large"}': 1,
      'node_calls_total{rpc="GetBlocks",result="invalid"}': 1,
      'node_calls_total{rpc="GetBlocks",result="refused"}': 2,
    })
  })
})
