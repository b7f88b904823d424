import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type RankTable, StandIns } from '../../../storage-worker/replication/stand-ins.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { StillClock } from '../../clocks.ts'
import { settle } from '../../turns.ts'

const DELAY_MS = 3_600_000
const LOOKS = 10
const PATIENCE_DELAYS = 10

/** Hash slot by hash slot the order of all nodes; the first `replicas` hold. */
function tableOf(orders: readonly (readonly string[])[], replicas: number, small: readonly string[] = []): RankTable {
  const nodes = [...new Set(orders.flat())]
  const holders = orders.map((order) => order.slice(0, replicas))
  return {
    snapshot: { nodes: nodes.map((address) => ({ address, placementGb: small.includes(address) ? 0n : 1n })) },
    listSlotsOf: (address) => [...orders.keys()].filter((i) => orders[i]?.slice(0, replicas).includes(address)),
    isHolder: (address, hashSlot) => holders[hashSlot]?.includes(address) ?? false,
    addressesOfSlot: (hashSlot) => holders[hashSlot] ?? [],
    rankBehind: async (hashSlot, count, signal) => {
      signal?.throwIfAborted()
      return (orders[hashSlot] ?? []).slice(replicas, replicas + count)
    },
  }
}

/** Nodes that all see the same, each with its own view of for what it stands in. */
class Stage {
  readonly clock = new StillClock()
  readonly placement: { inForce: RankTable | undefined; isCurrent: boolean }
  readonly away = new Set<string>()
  /** `node hash slot` of those that say that they lack something. */
  readonly incomplete = new Set<string>()
  /** Nodes that are here, and whose have-maps nobody knows. */
  readonly unknown = new Set<string>()
  readonly lines: string[] = []
  readonly nodes: ReadonlyMap<string, StandIns>
  isAlone = false

  constructor(table: RankTable | undefined, names: readonly string[]) {
    this.placement = { inForce: table, isCurrent: true }
    this.nodes = new Map(names.map((name) => [name, this.make(name, names)]))
  }

  make(ownAddress: string, names: readonly string[]): StandIns {
    const isLive = (address: string): boolean => !this.isAlone && address !== ownAddress && !this.away.has(address)
    return new StandIns(
      { ownAddress, repairDelayMs: DELAY_MS },
      {
        placement: this.placement,
        claims: {
          isLive,
          listLive: () => names.filter(isLive),
          isIncomplete: (address, hashSlot) => isLive(address) && this.incomplete.has(`${address} ${hashSlot}`),
          isComplete: (address, hashSlot) =>
            isLive(address) && !this.unknown.has(address) && !this.incomplete.has(`${address} ${hashSlot}`),
        },
        clock: this.clock,
        log: createLogger({
          level: 'info',
          format: 'json',
          destination: { write: (text) => this.lines.push(JSON.parse(text).msg) },
        }),
      },
    )
  }

  /** So many delays go by, in which everybody who is here looks again and again. */
  async pass(delays: number): Promise<void> {
    for (let i = 0; i < Math.round(delays * LOOKS); i++) {
      this.clock.advance(DELAY_MS / LOOKS)
      await this.look()
    }
  }

  async look(): Promise<void> {
    for (const [name, node] of this.nodes) if (!this.away.has(name)) await node.look()
  }

  /** Who of those that are here stands in for this hash slot. */
  listStanding(hashSlot: number): string[] {
    return [...this.nodes].filter(([name, node]) => !this.away.has(name) && node.slots.has(hashSlot)).map(([n]) => n)
  }
}

/** One hash slot: a, b, c hold it, then come d, e, f, g. */
const ORDER = ['a', 'b', 'c', 'd', 'e', 'f', 'g']

/** It has run for long, and nobody is away. */
async function open(orders: readonly (readonly string[])[] = [ORDER], replicas = 3): Promise<Stage> {
  const stage = new Stage(tableOf(orders, replicas), [...new Set(orders.flat())])
  await stage.look()
  await stage.pass(1)
  return stage
}

describe('storage-worker/replication/stand-ins', () => {
  it('nobody stands in while all holders are here', async () => {
    const stage = await open()
    await stage.pass(4)
    assert.deepEqual(stage.listStanding(0), [])
    assert.deepEqual(stage.lines, [])
  })

  it('who is here without a have-map that is known counts neither as away nor as holding', async () => {
    const stage = await open()
    stage.unknown.add('a').add('b')
    await stage.pass(30)
    assert.deepEqual(stage.listStanding(0), [])
    stage.away.add('b')
    await stage.pass(1.1)
    assert.deepEqual(stage.listStanding(0), ['d'])
    stage.away.delete('b')
    await stage.pass(3)
    assert.deepEqual(stage.listStanding(0), ['d'])
    stage.unknown.clear()
    await stage.pass(1.2)
    assert.deepEqual(stage.listStanding(0), [])
  })

  it('for one that is away the first behind the holders stands in after one delay, and nobody else', async () => {
    const stage = await open()
    stage.away.add('b')
    await stage.pass(1)
    assert.deepEqual(stage.listStanding(0), [])
    await stage.pass(0.1)
    assert.deepEqual(stage.listStanding(0), ['d'])
    assert.deepEqual(stage.nodes.get('e')?.report(), { awayNodes: ['b'], slots: 0 })
    await stage.pass(5)
    assert.deepEqual(stage.listStanding(0), ['d'])
    assert.deepEqual(stage.lines, ['standing in for sidecars that are away'])
  })

  it('says for how long one has been away, from the look on from which delays are counted', async () => {
    const stage = await open()
    const d = stage.nodes.get('d')
    assert.equal(d?.awayForMs('b'), undefined)
    stage.away.add('b')
    await stage.pass(0.5)
    stage.clock.advance(7)
    assert.equal(d?.awayForMs('b'), 0.4 * DELAY_MS + 7)
    stage.away.delete('b')
    await stage.pass(0.1)
    assert.equal(d?.awayForMs('b'), undefined)
  })

  it('for the second that is away the second stands in, after two delays since then', async () => {
    const stage = await open()
    stage.away.add('a')
    await stage.pass(0.5)
    stage.away.add('c')
    await stage.pass(2)
    assert.deepEqual(stage.listStanding(0), ['d'])
    await stage.pass(0.1)
    assert.deepEqual(stage.listStanding(0), ['d', 'e'])
    await stage.pass(3)
    assert.deepEqual(stage.listStanding(0), ['d', 'e'])
  })

  it('those that are away themselves are passed over, once they are gone', async () => {
    const stage = await open()
    stage.away.add('a')
    await stage.pass(0.5)
    stage.away.add('d')
    await stage.pass(1)
    assert.deepEqual(stage.listStanding(0), [])
    await stage.pass(0.1)
    assert.deepEqual(stage.listStanding(0), ['e'])
  })

  it('when it is back and has been complete for one delay the others stand in no longer', async () => {
    const stage = await open()
    stage.away.add('b')
    await stage.pass(2)
    stage.away.delete('b')
    stage.incomplete.add('b 0')
    await stage.pass(2)
    assert.deepEqual(stage.listStanding(0), ['d'])
    stage.incomplete.clear()
    await stage.pass(0.9)
    stage.away.add('b')
    await stage.pass(0.1)
    stage.away.delete('b')
    await stage.pass(1)
    assert.deepEqual(stage.listStanding(0), ['d'])
    await stage.pass(0.1)
    assert.deepEqual(stage.listStanding(0), [])
    assert.equal(stage.lines.at(-1), 'standing in for nobody any more: the holders have all copies')
  })

  it('one that ranks before us and comes back takes our place when it has all', async () => {
    const stage = await open()
    stage.away.add('a').add('d')
    await stage.pass(2.2)
    assert.deepEqual(stage.listStanding(0), ['e'])
    stage.away.delete('d')
    stage.incomplete.add('d 0')
    await stage.pass(2)
    assert.deepEqual(stage.listStanding(0), ['d', 'e'])
    stage.incomplete.clear()
    await stage.pass(1.1)
    assert.deepEqual(stage.listStanding(0), ['d'])
  })

  it('limit: a holder that is here and does not become complete counts as away after ten delays', async () => {
    const stage = await open()
    stage.incomplete.add('a 0')
    for (let i = 0; i < 32; i++) await stage.look()
    await stage.pass(PATIENCE_DELAYS + 0.9)
    assert.deepEqual(stage.listStanding(0), [])
    await stage.pass(0.1)
    assert.deepEqual(stage.listStanding(0), ['d'])
    assert.deepEqual(stage.lines, ['standing in for sidecars that are here and lack copies'])
    stage.incomplete.clear()
    await stage.pass(1.1)
    assert.deepEqual(stage.listStanding(0), [])
  })

  it('how long a holder has been incomplete outlives the table of an era', async () => {
    const stage = await open()
    stage.incomplete.add('a 0')
    for (let i = 0; i < 32; i++) await stage.look()
    for (let era = 0; era < 11; era++) {
      stage.placement.inForce = tableOf([ORDER], 3)
      await stage.pass(1)
    }
    assert.deepEqual(stage.listStanding(0), ['d'])
  })

  it('limit: stand-ins that get nothing are followed by as many more as there are holders, and by no more', async () => {
    const order = [...'abcdefghijklmnop']
    const stage = await open([order])
    for (const name of order.slice(3)) stage.incomplete.add(`${name} 0`)
    stage.away.add('a')
    await stage.pass(1.1)
    assert.deepEqual(stage.listStanding(0), ['d'])
    await stage.pass(PATIENCE_DELAYS - 0.1)
    assert.deepEqual(stage.listStanding(0), ['d'])
    await stage.pass(0.1)
    assert.deepEqual(stage.listStanding(0), ['d', 'e'])
    await stage.pass(40)
    assert.deepEqual(stage.listStanding(0), ['d', 'e', 'f', 'g'])
  })

  it('limit: whoever ranks 24th behind the holders may stand in, the next one does not', async () => {
    const order = Array.from({ length: 30 }, (_, i) => `n${i}`)
    const stage = await open([order])
    for (const name of order.slice(0, 26)) stage.away.add(name)
    await stage.pass(5)
    assert.deepEqual(stage.listStanding(0), ['n26'])
  })

  it('nobody is away before we have run for one delay', async () => {
    const stage = new Stage(tableOf([ORDER], 3), ORDER)
    stage.away.add('b')
    await stage.look()
    await stage.pass(0.9)
    assert.deepEqual(stage.nodes.get('d')?.report(), { awayNodes: [], slots: 0 })
    await stage.pass(1)
    assert.deepEqual(stage.listStanding(0), [])
    await stage.pass(0.1)
    assert.deepEqual(stage.listStanding(0), ['d'])
  })

  it('when it is us who see nobody nothing changes, and those that were on the way to be gone begin anew', async () => {
    const stage = await open()
    stage.away.add('b')
    await stage.pass(0.9)
    stage.isAlone = true
    await stage.pass(5)
    stage.isAlone = false
    await stage.pass(2)
    assert.deepEqual(stage.listStanding(0), [])
    await stage.pass(0.2)
    assert.deepEqual(stage.listStanding(0), ['d'])
    stage.isAlone = true
    await stage.pass(5)
    assert.deepEqual(stage.listStanding(0), ['d'])
    stage.isAlone = false
    await stage.pass(5)
    assert.deepEqual(stage.listStanding(0), ['d'])
  })

  it('by a table that is out of date nothing is begun, and nothing ended', async () => {
    const stage = await open()
    stage.away.add('b')
    await stage.pass(1.1)
    stage.placement.isCurrent = false
    stage.away.add('a')
    await stage.pass(4)
    assert.deepEqual(stage.listStanding(0), ['d'])
    stage.away.clear()
    await stage.pass(4)
    assert.deepEqual(stage.listStanding(0), ['d'])
    stage.placement.isCurrent = true
    await stage.pass(1.1)
    assert.deepEqual(stage.listStanding(0), [])
  })

  it('whoever becomes a holder, or loses its room, does not stand in', async () => {
    const stage = await open()
    stage.away.add('b')
    await stage.pass(1.1)
    stage.placement.inForce = tableOf([['a', 'd', 'c', 'e', 'f', 'g', 'b']], 3)
    await stage.pass(0.1)
    assert.deepEqual(stage.listStanding(0), [])
    stage.placement.inForce = tableOf([ORDER], 3, ['d'])
    await stage.pass(0.1)
    assert.deepEqual(stage.nodes.get('d')?.slots, new Set())
  })

  it('without a table nothing happens', async () => {
    const stage = new Stage(undefined, ORDER)
    await stage.pass(3)
    assert.deepEqual(stage.nodes.get('d')?.report(), { awayNodes: [], slots: 0 })
  })

  it('gives the same set while nothing changes', async () => {
    const stage = await open()
    stage.away.add('b')
    await stage.pass(1.1)
    const slots = stage.nodes.get('d')?.slots
    await stage.pass(1)
    assert.equal(stage.nodes.get('d')?.slots, slots)
  })

  it('looks by itself until it is stopped', async () => {
    const stage = await open()
    const node = stage.nodes.get('d')
    assert.ok(node)
    stage.away.add('b')
    const running = node.start()
    for (let i = 0; i < 5; i++) {
      stage.clock.advance(DELAY_MS / 2)
      await settle()
    }
    assert.deepEqual([...node.slots], [0])
    await node.stop()
    await running
  })

  it('exactly as many stand in as holders are away, all agree who, and never is there one too many', async () => {
    const names = Array.from({ length: 12 }, (_, i) => `n${i}`)
    const world = fc.record({
      orders: fc.array(fc.shuffledSubarray(names, { minLength: names.length }), { minLength: 6, maxLength: 6 }),
      replicas: fc.integer({ min: 1, max: 5 }),
      away: fc.array(fc.record({ name: fc.constantFrom(...names), afterLooks: fc.nat(20) }), { maxLength: 9 }),
    })
    await fc.assert(
      fc.asyncProperty(world, async ({ orders, replicas, away }) => {
        const stage = await open(orders, replicas)
        const lostOf = (order: readonly string[]): string[] =>
          order.slice(0, replicas).filter((name) => stage.away.has(name))
        for (let look = 0; look < 20 + 13 * LOOKS; look++) {
          for (const { name, afterLooks } of away) if (afterLooks === look) stage.away.add(name)
          await stage.pass(1 / LOOKS)
          for (const [hashSlot, order] of orders.entries()) {
            assert.ok(stage.listStanding(hashSlot).length <= lostOf(order).length, `look ${look}, slot ${hashSlot}`)
          }
        }
        for (const [hashSlot, order] of orders.entries()) {
          const behind = order.slice(replicas).filter((name) => !stage.away.has(name))
          const wanted = behind.slice(0, lostOf(order).length)
          assert.deepEqual(stage.listStanding(hashSlot).sort(), wanted.sort(), `slot ${hashSlot} of ${orders}`)
        }
        stage.away.clear()
        await stage.pass(1.1)
        for (const hashSlot of orders.keys()) assert.deepEqual(stage.listStanding(hashSlot), [])
      }),
      { numRuns: 12 },
    )
  })
})
