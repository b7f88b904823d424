import assert from 'node:assert/strict'
import { type ArchivedPeriod, computeHashSlot, ERA_PERIODS, type Period } from '../../core/index.ts'
import { systemClock } from '../../daemon/system-clock.ts'
import { LevelSpool } from '../../storage-worker/index.ts'
import { createChunkService } from '../../storage-worker/peers/chunk-service.ts'
import { PeerClient } from '../../storage-worker/peers/peer-client.ts'
import { ChunkPuller } from '../../storage-worker/replication/chunk-puller.ts'
import { Duty } from '../../storage-worker/replication/duty.ts'
import { OwnHoldings } from '../../storage-worker/replication/own-holdings.ts'
import { Patrol } from '../../storage-worker/replication/patrol.ts'
import { createLogger } from '../../telemetry/index.ts'
import { inlineCpu } from '../archiver/inline-cpu.ts'
import { closePeers, connect, openPeer } from '../protocol-handler/open-peer.ts'
import { openMemoryStore } from '../storage-worker/replication/made-peers.ts'
import { makePeriod } from '../storage-worker/synthetic-period.ts'
import { openMemoryLevel } from '../storage-worker/temp-store.ts'
import { assertHolds, assertHoldsPart } from '../suites/chunk-store-suite.ts'

/** 7 chunks each; two eras. */
const PERIODS = [126, 127, 128, 129].map((period) => makePeriod(period, { blocks: 5, operations: 4, isSigned: true }))
const ALL = Array.from({ length: 16_384 }, (_, hashSlot) => hashSlot)

function slotsOf({ manifest }: ArchivedPeriod): number[] {
  return manifest.chunks.map(({ chunkId }) => computeHashSlot(chunkId))
}

describe('repair over loopback', () => {
  afterEach(closePeers)

  /** A node that is assigned these hash slots, connected to two that hold everything. */
  async function open(slots: readonly number[]) {
    const [own, ...others] = [await openPeer('own'), await openPeer('first'), await openPeer('second')]
    const store = await openMemoryStore(PERIODS)
    const source = await openMemoryStore(PERIODS)
    for (const other of others) {
      await other.node.serve('chunk', createChunkService(source))
      await connect(own, other)
    }
    const log = createLogger({ level: 'error', format: 'json', destination: { write: () => {} } })
    const table = { era: 1, listDutySlotsOf: (address: string) => (address === 'AUown' ? slots : []) }
    const duty = new Duty(
      { address: 'AUown', registry: 'AS1' },
      {
        placement: { inForce: table, next: undefined, isCurrent: true },
        finalPeriod: () => ERA_PERIODS,
        spool: new LevelSpool(await openMemoryLevel('index')),
        clock: systemClock,
      },
    )
    const onWrong = (peer: string): void => own.node.penalise(peer, 'reject')
    const puller = new ChunkPuller({
      store,
      client: new PeerClient(own.node, onWrong, { clock: systemClock }),
      sources: {
        listClaimants: () => others.map(({ node }) => `AU${node.peer}`),
        peerOf: (address) => address.slice(2),
        listPeers: () => others.map(({ node }) => ({ peer: node.peer, firstPeriod: 0, endPeriod: 1_000 })),
      },
      onWrong,
      cpu: inlineCpu,
      clock: systemClock,
      random: () => 0,
      log,
    })
    const holdings = new OwnHoldings(store, systemClock)
    const patrol = new Patrol({ store, duty, holdings, puller, clock: systemClock, log, onPulled: () => {} })
    return { own, others, store, holdings, patrol }
  }

  it('what a node dropped of its hash slots comes back from its peers, and is told as held again', async () => {
    const { own, others, store, holdings, patrol } = await open(ALL)
    for (const { manifest, chunks } of PERIODS.slice(0, 3)) {
      await store.dropChunks(manifest.period, [...chunks.keys()])
    }
    await store.dropChunks(129, [2, 5])
    assert.notEqual((await holdings.readMissing(0))?.size, 0)
    await patrol.look()
    const [, , , last] = PERIODS
    assert.ok(last)
    await assertHolds(store, last)
    for (const period of PERIODS.slice(0, 3)) await assertHolds(store, period)
    const report = patrol.report()
    assert.deepEqual([report.isKnown, report.missingChunks, report.pulledChunks], [true, 0, 7 * 3 + 2])
    for (const era of [0, 1]) assert.equal((await holdings.readMissing(era))?.size, 0)
    assert.deepEqual([own.failures, ...others.map(({ failures }) => failures)], [[], [], []])
  })

  it('what others are to hold is not fetched', async () => {
    const [first] = PERIODS
    assert.ok(first)
    const slots = slotsOf(first).slice(1, 3)
    const { store, patrol } = await open([...slots].sort((a, b) => a - b))
    const period: Period = first.manifest.period
    await store.dropChunks(period, [0, 1, 2, 3])
    await patrol.look()
    await assertHoldsPart(store, first, { chunks: [1, 2, 4, 5, 6], executionResults: true })
  })
})
