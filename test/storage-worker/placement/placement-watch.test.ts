import assert from 'node:assert/strict'
import { ArchiveError, ERA_PERIODS, PERIOD_MS, type Period, toHex } from '../../../core/index.ts'
import { type PlacementReading, PlacementWatch } from '../../../storage-worker/index.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { SteppedClock } from '../../devnet/node/face.ts'
import { MadeRegistry, NETWORK, REGISTRY } from './made-registry.ts'

const ERA = 3
const FIRST = ERA * ERA_PERIODS

/** A watch, a registry, and time that goes as the chain does. */
class Stage {
  readonly registry = new MadeRegistry({ era: ERA, replicas: 2 })
  readonly clock = new SteppedClock(0)
  readonly lines: Record<string, unknown>[] = []
  readonly watch: PlacementWatch
  readonly fatal: ArchiveError[] = []
  finalPeriod: Period | undefined
  /** What was kept of each era. */
  readonly kept: PlacementReading[] = []
  keep: () => void = () => undefined

  constructor(
    options: { readonly registry?: string; readonly localReplicas?: number; readonly first?: MadeRegistry } = {},
  ) {
    const destination = { write: (text: string) => this.lines.push(JSON.parse(text)) }
    const nodes = options.first ? [options.first, this.registry] : [this.registry]
    this.registry.add('AU1')
    this.registry.add('AU2')
    this.watch = new PlacementWatch(
      { registry: options.registry ?? REGISTRY, network: NETWORK, localReplicas: options.localReplicas ?? 3 },
      {
        nodes,
        finalPeriod: () => this.finalPeriod,
        archive: {
          put: async (registry, reading) => {
            assert.equal(registry, REGISTRY)
            this.keep()
            this.kept.push(reading)
          },
        },
        clock: this.clock,
        log: createLogger({ level: 'info', format: 'json', destination }),
        onFatal: (error) => this.fatal.push(error),
      },
    )
  }

  /** The final state is in this period; the watch looks. */
  async at(period: Period): Promise<void> {
    this.clock.advance(period * PERIOD_MS - this.clock.nowMs())
    this.finalPeriod = period
    this.registry.period = period
    await this.watch.look()
  }

  /** A node comes, and counts in this era. */
  nextEra(era: number, address: string): void {
    this.registry.sample(era, 2)
    this.registry.add(address)
  }

  get inForce() {
    return this.watch.status()?.inForce
  }

  get failing() {
    return this.watch.status()?.failing?.code
  }

  take(): unknown[] {
    return this.lines.splice(0).map(({ msg }) => msg)
  }
}

const refuse = () => {
  throw new ArchiveError('ARCHIVER_NODE_UNREACHABLE', 'gone')
}

describe('storage-worker/placement/placement-watch', () => {
  it('without a registry there is no table, and that is said', async () => {
    const stage = new Stage({ registry: '' })
    stage.watch.start()
    await stage.watch.stop()
    assert.deepEqual([stage.watch.status(), stage.watch.inForce, stage.watch.isCurrent], [undefined, undefined, false])
    assert.deepEqual(stage.take(), ['no registry: nothing is assigned to anyone'])
    assert.equal(stage.registry.calls.length, 0)
  })

  it('the table of an era is in force from its 8th period on; the one before it until then', async () => {
    const stage = new Stage()
    assert.deepEqual([stage.watch.next], [undefined])
    await stage.at(FIRST + 7)
    assert.deepEqual(stage.watch.status(), { registry: REGISTRY, nextFromPeriod: FIRST + 8, isCurrent: false })
    const { next } = stage.watch
    assert.deepEqual([next?.era, stage.watch.inForce], [ERA, undefined])
    await stage.at(FIRST + 8)
    const table = stage.watch.inForce
    assert(table)
    assert.deepEqual([table === next, stage.watch.next], [true, undefined])
    assert.deepEqual(stage.watch.status(), {
      registry: REGISTRY,
      inForce: {
        era: ERA,
        root: toHex(table.root),
        nodes: 2,
        replicas: 2,
        wantedReplicas: 3,
        fewestHolders: 2,
        keepsForEver: true,
      },
      isCurrent: true,
    })
    stage.nextEra(ERA + 1, 'AU3')
    await stage.at(FIRST + ERA_PERIODS - 1)
    assert.equal(stage.inForce?.era, ERA)
    await stage.at(FIRST + ERA_PERIODS + 7)
    assert.deepEqual([stage.inForce?.era, stage.inForce?.nodes, stage.watch.isCurrent], [ERA, 2, true])
    assert.equal(stage.watch.status()?.nextFromPeriod, FIRST + ERA_PERIODS + 8)
    assert.deepEqual([stage.watch.next?.era, stage.watch.next?.snapshot.nodes.length], [ERA + 1, 3])
    await stage.at(FIRST + ERA_PERIODS + 8)
    assert.deepEqual([stage.watch.next], [undefined])
    assert.deepEqual([stage.inForce?.era, stage.inForce?.nodes, stage.watch.isCurrent], [ERA + 1, 3, true])
  })

  it('reads each era once', async () => {
    const stage = new Stage()
    await stage.at(FIRST + 1)
    const { length } = stage.registry.calls
    for (const period of [2, 8, 9, 127]) await stage.at(FIRST + period)
    assert.equal(stage.registry.calls.length, length)
  })

  it('warns of another replication_factor, of too few nodes, and where nobody keeps for ever', async () => {
    const stage = new Stage({ localReplicas: 4 })
    await stage.at(FIRST + 9)
    assert.deepEqual(stage.take(), [
      'the registry decides how many copies there are, not replication_factor of the configuration',
      'placement in force',
      'fewer nodes, or less room, than the copies that the registry asks for',
    ])
    await stage.at(FIRST + 10)
    assert.deepEqual(stage.take(), [])
    const quiet = new Stage({ localReplicas: 3 })
    quiet.registry.sample(ERA, 3)
    quiet.registry.add('AU3')
    await quiet.at(FIRST + 9)
    assert.deepEqual(quiet.take(), ['placement in force'])
    const short = new Stage({ localReplicas: 3 })
    for (const address of ['AU1', 'AU2', 'AU3']) short.registry.add(address, { retentionPeriods: 100n })
    short.registry.sample(ERA, 3)
    await short.at(FIRST + 9)
    assert.deepEqual(short.take(), ['placement in force', 'no node of the registry keeps for ever'])
  })

  it('keeps the last table while the next cannot be read, says so once, and tries again every period', async () => {
    const stage = new Stage()
    await stage.at(FIRST + 8)
    stage.take()
    stage.nextEra(ERA + 1, 'AU3')
    stage.registry.beforeCall = refuse
    const next = FIRST + ERA_PERIODS
    await stage.at(next)
    assert.deepEqual(
      [stage.failing, stage.inForce?.era, stage.watch.isCurrent],
      ['ARCHIVER_NODE_UNREACHABLE', ERA, true],
    )
    const { length } = stage.registry.calls
    await stage.watch.look()
    assert.equal(stage.registry.calls.length, length)
    for (const period of [1, 7]) await stage.at(next + period)
    assert.equal(stage.registry.calls.length, length + 2)
    assert.equal(stage.watch.isCurrent, true)
    await stage.at(next + 8)
    assert.deepEqual(
      [stage.failing, stage.inForce?.era, stage.watch.isCurrent],
      ['ARCHIVER_NODE_UNREACHABLE', ERA, false],
    )
    assert.deepEqual(stage.take(), ['placement cannot be read, the last one stays in force'])
    stage.registry.beforeCall = () => undefined
    stage.registry.put('state', new Uint8Array(320).fill(9))
    await stage.at(next + 20)
    assert.deepEqual([stage.failing, stage.inForce?.era], ['PLACEMENT_RECORD_UNREADABLE', ERA])
    stage.registry.sample(ERA + 1, 2)
    await stage.at(next + 30)
    assert.deepEqual([stage.failing, stage.inForce?.era, stage.watch.isCurrent], [undefined, ERA + 1, true])
    assert.deepEqual(stage.take(), [
      'placement cannot be read, the last one stays in force',
      'placement can be read again',
      'placement in force',
      'fewer nodes, or less room, than the copies that the registry asks for',
    ])
  })

  it('a whole era that could not be read changes nothing; the one after it counts from its own 8th period on', async () => {
    const stage = new Stage()
    await stage.at(FIRST + 8)
    stage.registry.beforeCall = refuse
    await stage.at(FIRST + ERA_PERIODS + 50)
    stage.registry.beforeCall = () => undefined
    await stage.at(FIRST + 2 * ERA_PERIODS)
    assert.deepEqual([stage.inForce?.era, stage.watch.isCurrent], [ERA, false])
    await stage.at(FIRST + 2 * ERA_PERIODS + 8)
    assert.deepEqual([stage.inForce?.era, stage.watch.isCurrent], [ERA + 2, true])
  })

  it('trusts no table while the final slot stands still, since nobody knows the era by then', async () => {
    const stage = new Stage()
    await stage.at(FIRST + 8)
    stage.clock.advance(8 * PERIOD_MS)
    await stage.watch.look()
    assert.equal(stage.watch.isCurrent, true)
    stage.clock.advance(1)
    await stage.watch.look()
    assert.equal(stage.watch.isCurrent, false)
    assert.equal(stage.inForce?.era, ERA)
    await stage.at(FIRST + 20)
    assert.equal(stage.watch.isCurrent, true)
  })

  it('asks the next node when one is away or behind, and tells the error of the first when none can answer', async () => {
    const first = new MadeRegistry({ era: ERA - 1 })
    const stage = new Stage({ first })
    await stage.at(FIRST + 8)
    assert.equal(stage.inForce?.era, ERA)
    const other = new MadeRegistry({ era: ERA - 1 })
    const away = new Stage({ first: other })
    other.beforeCall = refuse
    away.registry.clear()
    await away.at(FIRST + 8)
    assert.deepEqual([away.failing, away.inForce], ['ARCHIVER_NODE_UNREACHABLE', undefined])
  })

  it('looks on until it is stopped; a bug ends it and is told', async () => {
    const stage = new Stage()
    const read = new Promise<void>((resolve) => {
      stage.registry.beforeCall = (call) => {
        if (call === 2) resolve()
        return undefined
      }
    })
    stage.finalPeriod = FIRST + 8
    stage.registry.period = FIRST + 8
    stage.clock.advance((FIRST + 8) * PERIOD_MS)
    stage.watch.start()
    await read
    await stage.watch.stop()
    assert.deepEqual(stage.fatal, [])
    const broken = new Stage()
    broken.registry.beforeCall = () => {
      throw new TypeError('a bug')
    }
    broken.finalPeriod = FIRST + 8
    broken.clock.advance((FIRST + 8) * PERIOD_MS)
    broken.watch.start()
    while (broken.fatal.length === 0) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(broken.fatal[0]?.code, 'ARCHIVER_LOOP_FAILED')
    await broken.watch.stop()
  })

  it('keeps what it read of each era, once; a table counts though it cannot be kept', async () => {
    const stage = new Stage()
    await stage.at(FIRST + 7)
    await stage.at(FIRST + 8)
    assert.deepEqual(
      stage.kept.map(({ snapshot, lagEras }) => [snapshot, lagEras]),
      [[stage.watch.inForce?.snapshot, 42]],
    )
    stage.take()
    stage.nextEra(ERA + 1, 'AU3')
    stage.keep = () => {
      throw new ArchiveError('STORE_DISK_FULL', 'full')
    }
    await stage.at(FIRST + ERA_PERIODS + 8)
    assert.deepEqual([stage.inForce?.era, stage.failing, stage.kept.length], [ERA + 1, undefined, 1])
    assert.deepEqual(stage.take().slice(0, 2), ['placement of the era is not kept', 'placement in force'])
  })
})
