import assert from 'node:assert/strict'
import { computeEraRoot, computeEraText, computePeriodRoot, ERA_PERIODS, verifyText } from '../../../core/index.ts'
import { eraResponseCodec } from '../../../protocol-handler/index.ts'
import { makeEmptyPeriod } from '../../../storage-worker/bootstrap/made-period.ts'
import { createEraService } from '../../../storage-worker/peers/era-service.ts'
import { OwnEras } from '../../../storage-worker/peers/own-eras.ts'
import { PastPlacements } from '../../../storage-worker/placement/past-placements.ts'
import { computePlacementTable } from '../../../storage-worker/placement/placement-table.ts'
import { StillClock } from '../../clocks.ts'
import { userOf } from '../../sc/registry-world.ts'
import { IDENTITY, openStore } from '../bootstrap/made-archive.ts'
import { REGISTRY } from '../placement/made-registry.ts'
import { registered } from '../replication/audited-nodes.ts'

const ERA = 2
const FIRST = ERA * ERA_PERIODS
const { seed } = userOf(7)
const NEXT = { era: ERA + 1, root: new Uint8Array(32).fill(9) }
const NO_OTHERS = () => []
const emptyOf = (period: number) => makeEmptyPeriod(IDENTITY, period)

describe('storage-worker/peers: own statements about eras', () => {
  const all = Array.from({ length: ERA_PERIODS }, (_, i) => emptyOf(FIRST + i))

  async function open(periods = all, registry = REGISTRY) {
    const store = await openStore(periods)
    const placement: { inForce: typeof NEXT | undefined; next: typeof NEXT | undefined } = {
      inForce: NEXT,
      next: undefined,
    }
    const snapshot = { network: IDENTITY.network, era: ERA + 1, replicas: 3, eraBytes: 0n, requireAnchors: false }
    const reading = { snapshot: { ...snapshot, nodes: [registered('AU1')] }, replicationFactor: 3, period: FIRST }
    const found: number[] = []
    const past = new PastPlacements(registry, {
      find: async (_registry, era) => {
        found.push(era)
        return era === ERA + 1 ? reading : undefined
      },
    })
    const clock = new StillClock()
    let reads = 0
    const counted = {
      identity: store.identity,
      readRange: () => store.readRange(),
      readManifest: (period: number) => {
        reads++
        return store.readManifest(period)
      },
    }
    const eras = new OwnEras({ seed, registry }, { store: counted, placement, past, clock })
    return { store, placement, reading, found, clock, eras, countReads: () => reads }
  }

  it('a complete era: root and totals of its periods, the placement of the next, signed by the Massa key', async () => {
    const { eras, countReads } = await open()
    const service = createEraService(eras, NO_OTHERS)
    const ask = async () =>
      eraResponseCodec.decode((await service.answer({ era: ERA }, 'asker'))[0] ?? new Uint8Array())
    const answer = await ask()
    assert(answer.status === 'ok')
    const { network } = IDENTITY
    const totalBytes = all.reduce((sum, { summary }) => sum + BigInt(summary.bodyBytes), 0n)
    const roots = all.map(({ manifest }) => computePeriodRoot(manifest))
    const eraRoot = computeEraRoot({ network, era: ERA, totalBytes, totalChunks: 128n }, roots)
    const { signatures, ...said } = answer
    assert.deepEqual(said, {
      status: 'ok',
      era: ERA,
      eraRoot,
      totalBytes,
      totalChunks: 128n,
      nextPlacementRoot: NEXT.root,
    })
    const [signature] = signatures
    assert(signature && signatures.length === 1)
    const text = computeEraText({ ...said, chainId: network.chainId, contract: REGISTRY })
    assert(verifyText(text, signature))
    assert(
      !verifyText(computeEraText({ ...said, era: ERA + 1, chainId: network.chainId, contract: REGISTRY }), signature),
    )
    // Computed once.
    await ask()
    assert.equal(countReads(), ERA_PERIODS)
  })

  it('by the table of the next era before it is in force, too', async () => {
    const { eras, placement } = await open()
    placement.inForce = { ...NEXT, era: ERA }
    assert.equal(await eras.sign(ERA), undefined)
    placement.next = NEXT
    assert.deepEqual((await eras.sign(ERA))?.statement.nextPlacementRoot, NEXT.root)
  })

  it('what was said of an era stands when its placement is no longer at hand', async () => {
    const { eras, placement } = await open()
    const signed = await eras.sign(ERA)
    placement.inForce = { ...NEXT, era: ERA + 2 }
    assert.deepEqual(await eras.sign(ERA), signed)
  })

  it('an era that may be anchored yet is signed after a restart, too, by the placement that was kept', async () => {
    const { eras, placement, reading, found } = await open()
    const { root } = await computePlacementTable(reading)
    for (const inForce of [ERA + 2, ERA + 4]) {
      placement.inForce = { ...NEXT, era: inForce }
      assert.deepEqual((await eras.sign(ERA))?.statement.nextPlacementRoot, root)
      eras.forget(ERA)
    }
    placement.inForce = { ...NEXT, era: ERA + 5 }
    found.length = 0
    assert.equal(await eras.sign(ERA), undefined)
    assert.deepEqual(found, [])
  })

  it('error: no placement of the era after it was kept', async () => {
    const { eras, placement } = await open(Array.from({ length: ERA_PERIODS }, (_, i) => emptyOf(i)))
    placement.inForce = { ...NEXT, era: 2 }
    assert.equal(await eras.sign(0), undefined)
  })

  it('signatures of others come behind its own, 99 at most', async () => {
    const { eras } = await open()
    const own = await eras.sign(ERA)
    const other = { publicKey: new Uint8Array(33), signature: new Uint8Array(65) }
    const service = createEraService(eras, (_era, limit) => Array.from({ length: limit }, () => other))
    const answer = eraResponseCodec.decode((await service.answer({ era: ERA }, 'asker'))[0] ?? new Uint8Array())
    assert(answer.status === 'ok')
    assert.deepEqual([answer.signatures.length, ...answer.signatures.slice(0, 2)], [100, own?.signature, other])
  })

  it('not held: without a registry, a table of the next era, or a period', async () => {
    const answerOf = async (eras: OwnEras, era = ERA) => {
      const [frame = new Uint8Array()] = await createEraService(eras, NO_OTHERS).answer({ era }, 'asker')
      return eraResponseCodec.decode(frame).status
    }
    assert.equal(await answerOf((await open(all, '')).eras), 'notHeld')
    const { eras, countReads } = await open()
    for (const era of [0, ERA - 1, ERA + 1, 0xffff_ffff]) assert.equal(await answerOf(eras, era), 'notHeld')
    assert.equal(countReads(), 0)
    for (const without of [0, 60]) {
      const lacking = await open(all.filter((_, i) => i !== without))
      assert.equal(await answerOf(lacking.eras), 'notHeld')
      await lacking.store.writePeriod(emptyOf(FIRST + without))
      assert.equal(await answerOf(lacking.eras), 'notHeld')
      lacking.clock.advance(30_000)
      assert.equal(await answerOf(lacking.eras), 'ok')
    }
    const frame = createEraService(eras, NO_OTHERS).refuse({ era: ERA }, 'busy')[0] ?? new Uint8Array()
    assert.deepEqual(eraResponseCodec.decode(frame), { status: 'busy' })
  })
})
