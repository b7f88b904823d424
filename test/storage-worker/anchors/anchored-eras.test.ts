import assert from 'node:assert/strict'
import { NodeClient } from '../../../archiver/index.ts'
import { ArchiveError, ERA_PERIODS, type EraAnchor, PERIOD_MS, readEraRecord } from '../../../core/index.ts'
import { MAX_ERAS_PER_READING } from '../../../storage-worker/anchors/read-anchors.ts'
import { AnchoredEras, type PlacementNode } from '../../../storage-worker/index.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { StillClock } from '../../clocks.ts'
import { CHAIN_ID } from '../../devnet/node/chain/made-chain.ts'
import { clockOf, openGrpcNode } from '../../devnet/node/grpc/grpc-node.ts'
import { anchor, deployAnchored, makeEra } from '../../sc/anchored-world.ts'
import { settle } from '../../turns.ts'
import { MadeRegistry, NETWORK, REGISTRY } from '../placement/made-registry.ts'

function recordOf({ root, placementRoot, totalBytes, totalChunks, anchoredPeriod }: EraAnchor): Uint8Array {
  const record = Buffer.alloc(104)
  record[0] = 1
  record.set(root, 1)
  record.set(placementRoot, 33)
  for (const [i, value] of [totalBytes, totalChunks, anchoredPeriod].entries())
    record.writeBigUInt64LE(value, 65 + 8 * i)
  return record
}

function eraOf(era: number): EraAnchor {
  const hash = (byte: number) => new Uint8Array(32).fill(byte)
  return {
    era,
    root: hash(era + 1),
    placementRoot: hash(era + 2),
    totalBytes: 9_000n,
    totalChunks: 130n,
    anchoredPeriod: 500n,
  }
}

/** 2023, when all eras of these tests are due. */
const NOW_MS = 1_700_000_000_000

function watch(nodes: readonly PlacementNode[], registry = REGISTRY) {
  const logged: { readonly msg: string; readonly code?: string }[] = []
  const clock = new StillClock()
  clock.timeMs = NOW_MS
  const log = createLogger({
    level: 'info',
    format: 'json',
    destination: { write: (line) => logged.push(JSON.parse(line) as { msg: string }) },
  })
  return { eras: new AnchoredEras({ registry, network: NETWORK }, { nodes, clock, log }), clock, logged }
}

function registryWith(...eras: readonly number[]): MadeRegistry {
  const registry = new MadeRegistry({ era: 9 })
  for (const era of eras) registry.put(`era_${era}`, recordOf(eraOf(era)))
  return registry
}

describe('storage-worker/anchors/anchored-eras', () => {
  it('finds root, totals and placement of an anchored era, and asks once', async () => {
    const registry = registryWith(3)
    const { eras } = watch([registry])
    assert.deepEqual(await eras.find(3), eraOf(3))
    assert.equal(eras.isAnchored(3), true)
    assert.deepEqual(eras.rootOf(3), eraOf(3).root)
    assert.deepEqual(await eras.find(3), eraOf(3))
    assert.equal(registry.calls.length, 1)
  })

  it('an era that is not known counts as not anchored, and is looked up for the next time', async () => {
    const registry = registryWith(3)
    const { eras, clock } = watch([registry])
    assert.equal(eras.isAnchored(3), false)
    const running = eras.start()
    await settle()
    assert.equal(eras.isAnchored(3), true)
    assert.equal(eras.isAnchored(4), false)
    clock.advance(2_000)
    await settle()
    assert.equal(eras.isAnchored(4), false)
    assert.equal(registry.calls.length, 2)
    await eras.stop()
    await running
  })

  it('an era that is not anchored is asked for again 16 periods later', async () => {
    const registry = registryWith()
    const { eras, clock } = watch([registry])
    assert.equal(await eras.find(3), undefined)
    registry.put('era_3', recordOf(eraOf(3)))
    clock.advance(16 * PERIOD_MS - 1)
    assert.equal(await eras.find(3), undefined)
    assert.equal(registry.calls.length, 1)
    clock.advance(1)
    assert.deepEqual(await eras.find(3), eraOf(3))
  })

  it('who wants to know now has all that are not known to be anchored read at once, whatever was seen before', async () => {
    const registry = registryWith(4)
    const { eras } = watch([registry])
    assert.deepEqual(await eras.findNow([3, 4, 5]), [undefined, eraOf(4), undefined])
    registry.put('era_3', recordOf(eraOf(3)))
    assert.deepEqual(await eras.findNow([3, 4, 5]), [eraOf(3), eraOf(4), undefined])
    assert.equal(registry.calls.length, 2)
    assert.deepEqual(await eras.findNow([3, 4]), [eraOf(3), eraOf(4)])
    assert.equal(registry.calls.length, 2)
  })

  it('of many eras finds those that are anchored by now, and reads again what was not', async () => {
    const count = MAX_ERAS_PER_READING + 2
    const registry = registryWith(3, count - 1)
    const { eras, clock } = watch([registry])
    const all = Array.from({ length: count }, (_, era) => era)
    assert.deepEqual(await eras.findAll(all), [eraOf(3), eraOf(count - 1)])
    assert.equal(registry.calls.length, 2)
    registry.put('era_5', recordOf(eraOf(5)))
    assert.deepEqual(await eras.findAll(all), [eraOf(3), eraOf(5), eraOf(count - 1)])
    registry.beforeCall = () => {
      throw new ArchiveError('ARCHIVER_NODE_UNREACHABLE', 'gone')
    }
    assert.deepEqual(await eras.findAll([3, 5]), [eraOf(3), eraOf(5)])
    assert.equal(await eras.findAll([3, 4]), undefined)
    registry.beforeCall = () => undefined
    clock.advance(PERIOD_MS)
    assert.deepEqual(await eras.findAll([3, 4]), [eraOf(3)])
  })

  it('limit: one call for 127 eras, the next for one more', async () => {
    for (const [count, calls] of [
      [MAX_ERAS_PER_READING, 1],
      [MAX_ERAS_PER_READING + 1, 2],
    ] as const) {
      const registry = registryWith(count - 1)
      const { eras } = watch([registry])
      for (let era = 0; era < count; era++) eras.isAnchored(era)
      assert.deepEqual(await eras.find(count - 1), eraOf(count - 1))
      assert.equal(registry.calls.length, calls)
      assert(registry.calls.every((queries) => queries.length <= 128))
    }
  })

  it('limit: no more than 1,024 eras wait to be read', async () => {
    const registry = registryWith(1_024)
    const { eras } = watch([registry])
    for (let era = 0; era <= 1_024; era++) eras.isAnchored(era)
    assert.equal(await eras.find(1_024), undefined)
    await eras.look()
    assert.deepEqual(await eras.find(1_024), eraOf(1_024))
  })

  it('error: a record of an unknown version or length counts as not anchored, which is said; others are read', async () => {
    for (const change of [
      (record: Uint8Array) => record.map((byte, i) => (i === 0 ? 2 : byte)),
      (record: Uint8Array) => record.subarray(1),
      (record: Uint8Array) => Buffer.concat([record, Buffer.alloc(1)]),
      (record: Uint8Array) => record.map((byte, i) => (i === 103 ? 1 : byte)),
    ]) {
      const registry = registryWith(3, 4)
      registry.put('era_3', change(recordOf(eraOf(3))))
      assert.throws(() => readEraRecord(3, registry.get('era_3')), { code: 'CORE_BYTES_INVALID' })
      const { eras, logged } = watch([registry])
      for (const era of [3, 4]) eras.isAnchored(era)
      assert.equal(await eras.find(3), undefined)
      assert.deepEqual(await eras.find(4), eraOf(4))
      assert.deepEqual(
        logged.map(({ code }) => code),
        ['PLACEMENT_RECORD_UNREADABLE'],
      )
    }
  })

  it('error: a node that cannot tell is passed over; when none can it is tried again a period later, and said once', async () => {
    const broken = registryWith(3)
    broken.beforeCall = () => {
      throw new ArchiveError('ARCHIVER_NODE_UNREACHABLE', 'gone')
    }
    const good = registryWith(3)
    const other = registryWith(3)
    other.network = { ...NETWORK, genesisTimestampMs: 1n }
    assert.deepEqual(await watch([broken, other, good]).eras.find(3), eraOf(3))
    broken.calls.length = 0
    const { eras, clock, logged } = watch([broken])
    for (let i = 0; i < 3; i++) assert.equal(await eras.find(3), undefined)
    assert.equal(broken.calls.length, 1)
    assert.equal(eras.failing?.code, 'ARCHIVER_NODE_UNREACHABLE')
    clock.advance(PERIOD_MS)
    assert.equal(await eras.find(3), undefined)
    broken.beforeCall = () => undefined
    clock.advance(PERIOD_MS)
    assert.deepEqual(await eras.find(3), eraOf(3))
    assert.equal(eras.failing, undefined)
    assert.deepEqual(
      logged.map(({ msg }) => msg),
      ['anchored eras cannot be read', 'anchored eras can be read again'],
    )
  })

  it('error: no registry at the address, and fewer answers than questions', async () => {
    const empty = registryWith()
    empty.clear()
    const missing = watch([empty])
    assert.equal(await missing.eras.find(3), undefined)
    assert.equal(missing.eras.failing?.code, 'PLACEMENT_REGISTRY_MISSING')
    const short = registryWith(3)
    short.beforeCall = () => ({ slot: { period: 1, thread: 0 }, answers: [[short.get('state')]] })
    const spoilt = watch([short])
    assert.equal(await spoilt.eras.find(3), undefined)
    assert.equal(spoilt.eras.failing?.code, 'PLACEMENT_ANSWER_INVALID')
  })

  it('without a registry nothing is asked for', async () => {
    const registry = registryWith(3)
    const { eras } = watch([registry], '')
    assert.equal(await eras.find(3), undefined)
    assert.equal(eras.isAnchored(3), false)
    assert.equal(registry.calls.length, 0)
  })

  it('an era that a quorum anchored in the shipped contract is read from a node over gRPC', async () => {
    const world = deployAnchored(3)
    const era = makeEra(1)
    const placementRoot = new Uint8Array(32).fill(7)
    anchor(world, era, placementRoot)
    const node = await openGrpcNode({ endorsements: 0 })
    const { ledger } = world.engine
    const { finalLedger } = node.chain
    for (const key of ledger.keys(world.contract)) {
      finalLedger.setValue(world.contract, key, ledger.value(world.contract, key) ?? new Uint8Array())
    }
    finalLedger.dropJournal()
    const client = new NodeClient({ url: node.server.url, timeoutMs: 10_000 })
    try {
      const clock = new StillClock()
      clock.timeMs = clockOf(node.chain).nowMs()
      const network = { chainId: CHAIN_ID, genesisTimestampMs: BigInt(node.chain.genesisTimestampMs) }
      const log = createLogger({ level: 'error', format: 'json', destination: { write: () => undefined } })
      const eras = new AnchoredEras({ registry: world.contract, network }, { nodes: [client], clock, log })
      assert.deepEqual(await eras.find(1), {
        era: 1,
        root: era.root,
        placementRoot,
        totalBytes: era.totalBytes,
        totalChunks: era.totalChunks,
        anchoredPeriod: BigInt(4 * ERA_PERIODS + 8),
      })
      assert.equal(await eras.find(2), undefined)
      assert.equal(eras.failing, undefined)
    } finally {
      client.close()
      await node.close()
    }
  }).timeout(60_000)
})
