import assert from 'node:assert/strict'
import type { Archiver, FollowerStatus } from '../../archiver/index.ts'
import { ERROR_CODES } from '../../core/index.ts'
import type { RepairStatus } from '../../daemon/peers/start-replication.ts'
import { type ReplicationStatus, reportStatus } from '../../daemon/status.ts'
import type { PlacementStatus, Store } from '../../storage-worker/index.ts'

const NOTHING = { gaps: [], holes: [], spooledBlocks: 0, quarantinedBlocks: 0, unkeptBlocks: 0, unreportedSlots: 0 }
const STORE = {
  dataDir: 'data',
  chunks: { identity: { network: { chainId: 77n, genesisTimestampMs: 0n } }, readRange: async () => undefined },
  disk: { readUsedBytes: async () => 0, readFreeBytes: async () => 96_000_000 },
}

function report(
  parts: {
    readonly archive?: object
    readonly placement?: PlacementStatus
    readonly replication?: ReplicationStatus
  } = {},
) {
  const archiver = { status: () => ({ ...NOTHING, ...parts.archive }) }
  return reportStatus({
    ...{ version: '1', pid: 1, startedAtMs: 0, upMs: 0, quotaGb: 1, nodes: [], retention: { failing: undefined } },
    placement: parts.placement,
    replication: parts.replication,
    store: STORE as unknown as Store,
    archiver: archiver as unknown as Archiver,
  })
}

const NO_DIFFERENCES = { differingNodes: [], differingPlacements: [], differingEras: [] }

describe('daemon/status', () => {
  it('names what keeps it from archiving before what follows from that', async () => {
    const { problems } = await report({
      archive: { stalled: { code: 'STORE_DISK_FULL', message: 'the disk is full' } },
    })
    assert.deepEqual(problems, [
      'no massa-node answers',
      `the store cannot be written: the disk is full (STORE_DISK_FULL). ${ERROR_CODES.STORE_DISK_FULL.action}`,
      'nothing is archived yet',
    ])
  })

  it('periods that are not archived behind the head are a problem, and so is whether it is known what they lack', async () => {
    const holes = [
      { from: 61, to: 63 },
      { from: 70, to: 70 },
      { from: 80, to: 81 },
    ]
    const gap = (thread: number, period: number) => {
      return { thread, firstPeriod: period, lastPeriod: period, childPeriod: period + 1, missing: 'B1' }
    }
    const problemsOf = async (archive: object) => (await report({ archive })).problems.slice(2)
    const advice = 'Other sidecars can give them: set p2p.enabled = true.'
    assert.deepEqual(await problemsOf({ holes, gaps: [gap(1, 62), gap(2, 62), gap(1, 81)] }), [
      '3 gaps in 2 of 32 threads',
      `not archived, as blocks lack that no node gave so far: periods 61 to 63, 80 to 81. ${advice}`,
      `not archived, and no block of them is known to lack: periods 70. ${advice}`,
    ])
    const many = Array.from({ length: 6 }, (_, i) => ({ from: 10 * i, to: 10 * i }))
    assert.deepEqual(await problemsOf({ holes: many }), [
      `not archived, and no block of them is known to lack: periods 0, 10, 20, 30, 2 more runs. ${advice}`,
    ])
  })

  for (const [title, placement, advice] of [
    ['a registry', { registry: 'AS1', isCurrent: true }, 'wait for the anchor of their era.'],
    ['none', undefined, 'come from a massa-node alone.'],
  ] as const) {
    it(`with other sidecars, and ${title}, it is said when periods that are not archived will come`, async () => {
      const gaps = [{ thread: 1, firstPeriod: 61, lastPeriod: 61, childPeriod: 62, missing: 'B1' }]
      const replication = { liveNodes: 0, haveMaps: 0, haveMapBytes: 0, announcedPeriod: null, ...NO_DIFFERENCES }
      const archive = { holes: [{ from: 61, to: 61 }], gaps }
      const { problems } = await report({ archive, replication, ...(placement ? { placement } : {}) })
      assert.equal(
        problems.at(-1),
        'not archived, as blocks lack that no node or other sidecar gave so far: periods 61. ' +
          `They are fetched once another sidecar has them; operations that are not reproducible ${advice}`,
      )
    })
  }

  it('a placement that cannot be read is a problem once it is needed, with its code and what to do', async () => {
    const failing = { code: 'PLACEMENT_TIMEOUT', message: 'too slow' } as const
    const problemsOf = async (placement: PlacementStatus) => (await report({ placement })).problems.slice(2)
    assert.deepEqual(await problemsOf({ registry: 'AS1', isCurrent: true, failing }), [])
    assert.deepEqual(await problemsOf({ registry: 'AS1', isCurrent: false }), [])
    const [problem = '', ...others] = await problemsOf({ registry: 'AS1', isCurrent: false, failing })
    assert.match(problem, /^who holds what in this era cannot be read: too slow \(PLACEMENT_TIMEOUT\)\. Nothing to do/)
    assert.deepEqual(others, [])
    assert.equal((await report()).placement, null)
  })

  it('nodes with another archive, or another placement, are a problem', async () => {
    const replication = {
      liveNodes: 2,
      haveMaps: 2,
      haveMapBytes: 9,
      announcedPeriod: null,
      differingNodes: ['AU1', 'AU2'],
      differingPlacements: [],
      differingEras: [],
    }
    const { problems, ...others } = await report({ replication })
    assert.deepEqual(problems.slice(2), [
      `other period roots than this archive has are announced by 2 nodes (PROTOCOL_ROOTS_DIFFER). ${ERROR_CODES.PROTOCOL_ROOTS_DIFFER.action}`,
    ])
    assert.deepEqual(others.replication, replication)
    const agreeing = await report({ replication: { ...replication, differingNodes: [] } })
    assert.equal(agreeing.problems.length, 2)
    const placed = await report({ replication: { ...replication, ...NO_DIFFERENCES, differingPlacements: ['AU1'] } })
    assert.deepEqual(placed.problems.slice(2), [
      `another placement than this one is signed by a node (PROTOCOL_PLACEMENT_DIFFERS). ${ERROR_CODES.PROTOCOL_PLACEMENT_DIFFERS.action}`,
    ])
    const eras = [
      { era: 7, by: 'AU1' },
      { era: 7, by: 'AU2', period: 900, periods: 2, reason: 'other bytes in the same slots' },
      { era: 8, by: 'AU1' },
      { era: 8, by: 'registry', period: 1_030, periods: 1, reason: 'blocks only there in threads 3' },
      { era: 9, by: 'AU1' },
    ]
    const ofEras = await report({ replication: { ...replication, ...NO_DIFFERENCES, differingEras: eras } })
    assert.deepEqual(
      ofEras.problems.slice(2).map((problem) => problem.split(' (')[0]),
      [
        'another root of era 7 than this archive has is signed by 2 nodes, from period 900 on: other bytes in the same slots',
        'another root of era 8 than this archive has is anchored in the registry, from period 1030 on: blocks only there in threads 3',
        'another root of era 9 than this archive has is signed by a node, nobody shows in which period',
      ],
    )
    assert.equal((await report()).replication, null)
  })

  it('chunks of others that cannot be stored are a problem; chunks that lack are none', async () => {
    const repair: RepairStatus = {
      ...{ hashSlots: 9, standInSlots: 0, awayNodes: [], isKnown: true, missingForMs: 1, failing: null },
      ...{ missingChunks: 3, missingBytes: 3, failedChunks: 3, pulledChunks: 0, pulledBytes: 0 },
    }
    const failing = { code: 'STORE_DISK_FULL', message: 'the disk is full' } as const
    const problemsOf = async (told: RepairStatus) => {
      const counts = { liveNodes: 0, haveMaps: 0, haveMapBytes: 0, announcedPeriod: null, ...NO_DIFFERENCES }
      return (await report({ replication: { ...counts, repair: told } })).problems
    }
    assert.deepEqual(await problemsOf(repair), ['no massa-node answers', 'nothing is archived yet'])
    assert.deepEqual(await problemsOf({ ...repair, failing }), [
      'no massa-node answers',
      `chunks of other sidecars cannot be stored: the disk is full (STORE_DISK_FULL). ${ERROR_CODES.STORE_DISK_FULL.action}`,
      'nothing is archived yet',
    ])
  })

  // A node forgets final blocks after six periods: by then it must have been noticed.
  for (const [lagPeriods, problems] of [
    [0, []],
    [5, []],
    [6, ['6 final periods are not archived']],
  ] as const) {
    it(`limit: ${lagPeriods} final periods behind, it is ${problems.length === 0 ? '' : 'not '}ready`, async () => {
      const last = 90
      const report = await reportStatus({
        ...{
          version: '1',
          pid: 1,
          startedAtMs: 0,
          upMs: 0,
          quotaGb: 1,
          retention: { failing: undefined },
          placement: undefined,
        },
        nodes: [{ up: true } as FollowerStatus],
        store: {
          ...STORE,
          chunks: { ...STORE.chunks, readRange: async () => ({ first: 0, last }) },
        } as unknown as Store,
        archiver: {
          status: () => ({ ...NOTHING, nodeFinalSlot: { period: last + lagPeriods + 1, thread: 0 } }),
        } as unknown as Archiver,
      })
      assert.equal(report.lagPeriods, lagPeriods)
      assert.deepEqual(report.problems, problems)
    })
  }
})
