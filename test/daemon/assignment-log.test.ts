import assert from 'node:assert/strict'
import type { Manifest, Period } from '../../core/index.ts'
import { AssignmentLog } from '../../daemon/assignment-log.ts'
import { computePlacementTable, type PlacementTable, readPlacement } from '../../storage-worker/index.ts'
import { createLogger } from '../../telemetry/index.ts'
import { MadeRegistry, NETWORK, REGISTRY } from '../storage-worker/placement/made-registry.ts'
import { makePeriod } from '../storage-worker/synthetic-period.ts'

describe('daemon/assignment-log', () => {
  let table: PlacementTable
  let empty: PlacementTable

  before(async () => {
    const read = async (registry: MadeRegistry) =>
      computePlacementTable(
        await readPlacement(
          { registry: REGISTRY, network: NETWORK },
          { node: registry, clock: { nowMs: () => 1_700_000_000_000, monotonicMs: () => 0 } },
        ),
      )
    const registry = new MadeRegistry()
    empty = await read(registry)
    registry.add('AU1')
    table = await read(registry)
  })

  function open(inForce: PlacementTable | undefined, readManifest: (period: Period) => Promise<Manifest | undefined>) {
    const lines: string[] = []
    const destination = { write: (text: string) => lines.push(text.trimEnd()) }
    const log = createLogger({ level: 'info', format: 'human', destination })
    return { lines, told: new AssignmentLog({ placement: { inForce }, store: { readManifest }, log }) }
  }
  const readMade = async (period: Period) => makePeriod(period).manifest

  it('says of how many chunks of each period a node is the primary holder, in order', async () => {
    const { lines, told } = open(table, readMade)
    for (const period of [7, 8]) told.tell(period)
    await told.idle()
    const line = '[INFO] Chunks assigned to nodes: AU1[3]'
    assert.deepEqual(lines, [line, line])
  })

  it('is silent without a placement, where nobody counts, and of a period that is gone', async () => {
    for (const [inForce, read] of [
      [undefined, readMade],
      [empty, readMade],
      [table, async () => undefined],
    ] as const) {
      const { lines, told } = open(inForce, read)
      told.tell(7)
      await told.idle()
      assert.deepEqual(lines, [])
    }
  })

  it('goes on after a period that cannot be read', async () => {
    const { lines, told } = open(table, (period) =>
      period === 7 ? Promise.reject(new Error('torn')) : readMade(period),
    )
    for (const period of [7, 8]) told.tell(period)
    await told.idle()
    assert.match(lines[0] ?? '', /^\[WARN\] assignments not told period=7/)
    assert.equal(lines[1], '[INFO] Chunks assigned to nodes: AU1[3]')
  })
})
