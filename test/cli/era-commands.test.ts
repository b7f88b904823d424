import assert from 'node:assert/strict'
import type { FastifyInstance } from 'fastify'
import { createApi, listen } from '../../api/index.ts'
import { erasList, erasShow } from '../../cli/commands/eras.ts'
import { erasVerify } from '../../cli/commands/eras-verify.ts'
import { ERA_PERIODS, type EraAnchor, toHex } from '../../core/index.ts'
import { openEras } from '../../daemon/eras.ts'
import type { EraDifference } from '../../storage-worker/eras/era-differences.ts'
import type { GatheredEra } from '../../storage-worker/eras/era-gatherer.ts'
import { computeLocalEra } from '../../storage-worker/eras/local-era.ts'
import { listDataDirNames, type Store } from '../../storage-worker/index.ts'
import { encodeBodyKey, MANIFEST } from '../../storage-worker/keyspace.ts'
import { makePeriod } from '../storage-worker/synthetic-period.ts'
import { openTestStore, TempFolders } from '../storage-worker/temp-store.ts'
import { makeCommand } from './command-place.ts'

/** Of era 0 there is the last period alone, era 1 is complete, era 2 is not over. */
const ERA = 1

describe('cli: eras', () => {
  const folders = new TempFolders()
  const { signal } = new AbortController()
  let store: Store
  let api: FastifyInstance
  let anchor: EraAnchor
  let anchored: EraAnchor | undefined
  let open: GatheredEra[]
  let differences: EraDifference[]
  let failing: { code: 'PLACEMENT_REGISTRY_MISSING'; message: string } | undefined

  before(async () => {
    store = await openTestStore(await folders.make())
    for (let period = ERA_PERIODS - 1; period <= 2 * ERA_PERIODS; period++) {
      await store.chunks.writePeriod(makePeriod(period, { blocks: 0 }))
    }
    const { totals } = await computeLocalEra(store.chunks, ERA)
    assert(totals)
    anchor = { era: ERA, ...totals, placementRoot: new Uint8Array(32).fill(7), anchoredPeriod: 300n }
    const eras = openEras({
      store: store.chunks,
      anchors: {
        findNow: async (eras) => eras.map((era) => (era === ERA ? anchored : undefined)),
        get failing() {
          return failing
        },
      },
      peers: { listOpen: () => open, listDifferences: () => differences },
    })
    api = createApi({
      dataDirNames: await listDataDirNames(store.dataDir),
      status: async () => ({ problems: [] }),
      query: { store, threads: 1 },
      eras,
    })
    await store.announce(await listen(api, { host: '127.0.0.1', port: 0 }))
  })
  after(async () => {
    await api.close()
    await store.close()
    await folders.clean()
  })
  beforeEach(() => {
    anchored = anchor
    open = []
    differences = []
    failing = undefined
  })

  const people = () => makeCommand(store.dataDir, {}, { json: false })
  const list = async () => {
    const { context, printed } = people()
    assert.equal(await erasList(context, { limit: 200 }, signal), 0)
    return printed
  }
  const rows = async () =>
    (await list()).stdout
      .trimEnd()
      .split('\n')
      .map((row) => row.split(/ {2,}/))
  const rootText = () => toHex(anchor.root)

  it('list: eras that are over, the newest first; what is archived, anchored, signed', async () => {
    const short = rootText().slice(0, 12)
    assert.deepEqual((await rows()).slice(1), [
      ['1', '128 to 255', short, 'in period 300', '-'],
      ['0', '0 to 127', '127 periods not archived, from 0 on', 'no', '-'],
    ])
    anchored = undefined
    const statement = { ...anchor, chainId: 77n, contract: 'AS1', eraRoot: anchor.root, nextPlacementRoot: anchor.root }
    const signature = { publicKey: new Uint8Array(33), signature: new Uint8Array(65) }
    const signatures = new Map(['AU1', 'AU2'].map((address) => [address, signature]))
    open = [{ era: ERA, statement, signatures, differing: new Map() }]
    differences = [{ era: ERA, by: 'AU3' }]
    assert.deepEqual((await rows())[1], ['1', '128 to 255', short, 'no', 'signed by 2 nodes, otherwise by 1'])
    anchored = { ...anchor, root: new Uint8Array(32) }
    assert.equal((await rows())[1]?.[3], 'another root')
    const one = makeCommand(store.dataDir)
    assert.equal(await erasList(one.context, { limit: 1 }, signal), 0)
    assert.deepEqual(
      one.printed.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).era),
      [ERA],
    )
  })

  it('show: roots and totals of both, and in which period others have something else', async () => {
    differences = [
      { era: ERA, by: 'registry', period: 130, periods: 2, reason: 'other bytes in the same slots' },
      { era: ERA, by: 'AU3' },
      { era: 0, by: 'AU3' },
    ]
    const { context, printed } = people()
    assert.equal(await erasShow(context, ERA, signal), 0)
    assert.match(printed.stdout, new RegExp(`^root here +${rootText()}, 128 chunks, `, 'm'))
    assert.match(printed.stdout, new RegExp(`^anchored +${rootText()}, 128 chunks, .*, in period 300$`, 'm'))
    assert.match(printed.stdout, /^next placement +(07){32}$/m)
    assert.match(printed.stdout, /^DIFFERS the registry has something else in 2 periods, first in 130: other bytes/m)
    assert.equal(printed.stdout.match(/DIFFERS/g)?.length, 2)
    const none = makeCommand(store.dataDir)
    assert.equal(await erasShow(none.context, 900, signal), 0)
    const { own, missingPeriods } = JSON.parse(none.printed.stdout)
    assert.deepEqual([own, missingPeriods], [null, ERA_PERIODS])
  })

  it('why it cannot be told which are anchored is said', async () => {
    failing = { code: 'PLACEMENT_REGISTRY_MISSING', message: 'made' }
    assert.match((await list()).stderr, /made \(PLACEMENT_REGISTRY_MISSING\)/)
  })

  it('verify: equal, other, not anchored, not complete here; the exit code says which', async () => {
    const verify = async (era: number, found: EraAnchor | undefined, deep = false) => {
      const { context, printed } = makeCommand(store.dataDir)
      const code = await erasVerify(context, { era, deep, findAnchor: async () => found }, signal)
      const { result, root, anchoredRoot } = JSON.parse(printed.stdout)
      return [code, result, root, anchoredRoot]
    }
    const other = new Uint8Array(32)
    assert.deepEqual(await verify(ERA, anchor), [0, 'equal', rootText(), rootText()])
    assert.deepEqual(await verify(ERA, { ...anchor, root: other }), [5, 'differs', rootText(), toHex(other)])
    assert.deepEqual(await verify(ERA, undefined), [4, 'unanchored', rootText(), null])
    assert.deepEqual(await verify(0, anchor), [4, 'incomplete', null, rootText()])
    const { context, printed } = people()
    assert.equal(await erasVerify(context, { era: ERA, deep: false, findAnchor: async () => anchor }, signal), 0)
    assert.equal(printed.stdout, `Era 1 is as it is anchored: ${rootText()}.\n`)
  })

  it('error: without a registry there is nothing to compare with; a number that is no era', async () => {
    await assert.rejects(erasVerify(people().context, { era: ERA, deep: false }, signal), { code: 'CLI_NO_REGISTRY' })
    await assert.rejects(erasShow(people().context, 2 ** 33, signal), { code: 'API_QUERY_INVALID' })
  })

  it('a damaged manifest: verify names it, the others say that the root cannot be computed', async () => {
    await store.chunks.bodies.write(
      [{ type: 'put', key: encodeBodyKey(ERA_PERIODS, MANIFEST), value: new Uint8Array(80) }],
      { sync: true },
    )
    const { context, printed } = people()
    assert.equal(await erasVerify(context, { era: ERA, deep: false, findAnchor: async () => anchor }, signal), 5)
    assert.match(printed.stdout, /^DAMAGED period 128: manifest \(STORE_VALUE_CORRUPT\)$/m)
    assert.equal((await rows())[1]?.[2], 'damaged (STORE_VALUE_CORRUPT)')
  })
})
