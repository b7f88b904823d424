import { fileURLToPath } from 'node:url'
import { type Config, loadConfig } from '../../config/index.ts'
import { ERA_PERIODS, equalBytes, PERIOD_MS, THREAD_COUNT } from '../../core/index.ts'
import { FaultPlan } from './fault-plan.ts'
import { Invariants } from './invariants.ts'
import { ROGUE_KINDS, type RogueKind, RoguePeer } from './rogue-peer.ts'
import { Scheduler } from './scheduler.ts'
import { shareCrypto } from './shared-crypto.ts'
import { openSimChain, type SimChain } from './sim-chain.ts'
import { identityOf, type SimIdentity } from './sim-identity.ts'
import { SimNetwork } from './sim-network.ts'
import { SimNode, type SimWorld } from './sim-node.ts'
import { SimRandom } from './sim-random.ts'
import { SimRegistry } from './sim-registry.ts'

/** Archived by all before the simulation begins, shortly before the second era. */
const BEGIN_PERIOD = 110
/** What a massa-node still has of the past. */
const KEPT_PERIODS = 8
const REPLICAS = 3
/** Periods in which things go wrong, and those behind them in which the chain goes on and nothing does. */
const ROUGH_PERIODS = { least: 22, most: 45 }
/** Thirty nodes are five seconds of work, five nodes half a second: most seeds have few. */
const MANY_NODES = 30
const MANY_EVERY = 20
const MANY_ROUGH_PERIODS = 25
const QUIET_PERIODS = 22
/** Within so long after the last fault everything is as it has to be: a peer is asked again after ten minutes. */
const QUIET_MS = 1_800_000
/** It is looked at so often. */
const LOOK_MS = 20_000
/** Beside one for each node: a crowd of more takes all connections of its victim. */
const SPARE_CONNECTIONS = 8
const CROWD = 20
const LAST_LINES = 25

export interface SimulationOptions {
  readonly seed: number
  /** Absent: as the seed has it, 30 with every twentieth. */
  readonly nodes?: number
  /** Does what no fault does, so that it is found. */
  readonly sabotage?: { readonly atMs: number; readonly act: (nodes: readonly SimNode[]) => void }
  /** Told of each line of the trace. */
  readonly onTrace?: (atMs: number, line: string) => void
}

export interface SimulationReport {
  readonly seed: number
  readonly nodes: number
  readonly rogues: readonly RogueKind[]
  readonly periods: number
  readonly virtualMs: number
  readonly events: number
  readonly gossip: number
  readonly checks: number
  readonly faults: Readonly<Record<string, number>>
  readonly warnings: Readonly<Record<string, number>>
  readonly traceHash: string
}

/** What a simulation found: the seed is all that is needed to see it again. */
export class SimulationError extends Error {
  constructor(seed: number, what: string, cause: unknown) {
    super(`seed ${seed}: ${what}; again with 'npm run sim -- --seed ${seed}'`, { cause })
    this.name = 'SimulationError'
  }
}

/**
 * Runs one simulation: the same seed gives the same trace, whatever the machine.
 *
 * @throws SimulationError when something was found
 */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const restore = shareCrypto(new SimRandom(`chance ${options.seed}`))
  try {
    return await (await Simulation.open(options)).run()
  } finally {
    restore()
  }
}

class Simulation {
  private readonly options: SimulationOptions
  private readonly scheduler = new Scheduler()
  private readonly network: SimNetwork
  private readonly chain: SimChain
  private readonly invariants: Invariants
  private readonly random: SimRandom
  private readonly nodes: SimNode[] = []
  private readonly rogues: RoguePeer[] = []
  private readonly roughPeriods: number
  private readonly plan: FaultPlan
  private readonly warnings = new Map<string, number>()
  private readonly lastLines: string[] = []
  private headPeriod = BEGIN_PERIOD

  private constructor(options: SimulationOptions, random: SimRandom, registry: SimRegistry, shape: Shape) {
    this.options = options
    this.random = random
    this.roughPeriods = shape.roughPeriods
    this.chain = openSimChain(BEGIN_PERIOD + ROUGH_PERIODS.most + QUIET_PERIODS)
    const { scheduler, chain } = this
    this.network = new SimNetwork({ scheduler, random: random.fork('network') })
    this.invariants = new Invariants({ chain, scheduler })
    scheduler.onTrace = (atMs, line) => {
      this.lastLines.push(`${atMs} ${line}`)
      if (this.lastLines.length > LAST_LINES) this.lastLines.shift()
      options.onTrace?.(atMs, line)
    }
    const world: SimWorld = {
      scheduler,
      network: this.network,
      chain,
      registry,
      config: simConfig(shape.identities.length + SPARE_CONNECTIONS),
      random: random.fork('disks'),
      onCommit: (node, period, change) => this.invariants.onCommit(node, period, change),
      onServed: (node, name, answered) => this.invariants.onServed(node, name, answered),
      onWarning: (_, message) => this.warnings.set(message, (this.warnings.get(message) ?? 0) + 1),
    }
    const draw = random.fork('nodes')
    for (const identity of shape.identities) {
      const others = shape.identities.filter((each) => each !== identity).map(({ address }) => address)
      const node = new SimNode(
        {
          identity,
          bootstrap: draw.pickSome(others, 3),
          skewMs: draw.chance(0.3) ? draw.between(-600_000, 600_000) : 0,
          rate: 1 + draw.between(-100, 100) / 1e6,
        },
        world,
      )
      node.fill(BEGIN_PERIOD, KEPT_PERIODS)
      this.nodes.push(node)
    }
    for (const [i, kind] of shape.rogues.entries()) this.addRogues(kind, i, shape.identities)
    this.plan = new FaultPlan(
      { nodes: this.nodes, maxLostDisks: REPLICAS - 1 },
      { scheduler, network: this.network, random: random.fork('faults') },
    )
  }

  static async open(options: SimulationOptions): Promise<Simulation> {
    const random = new SimRandom(`simulation ${options.seed}`)
    const shape = drawShape(random.fork('shape'), options)
    const eras = Math.floor((BEGIN_PERIOD + shape.roughPeriods + QUIET_PERIODS) / ERA_PERIODS) + 1
    const members = Array.from({ length: eras }, () => shape.identities)
    return new Simulation(options, random, await SimRegistry.open(REPLICAS, members), shape)
  }

  async run(): Promise<SimulationReport> {
    const { scheduler, nodes } = this
    const begin = this.random.fork('begin')
    for (const node of nodes) scheduler.after(begin.between(0, 3_000), () => node.start())
    for (const rogue of this.rogues) {
      scheduler.after(begin.between(0, 30_000), () => void rogue.start().catch((error) => scheduler.fail(error)))
    }
    this.growChain(this.random.fork('chain'))
    scheduler.after(10_000, () => this.plan.start())
    const { sabotage } = this.options
    if (sabotage) scheduler.after(sabotage.atMs, () => sabotage.act(nodes))
    try {
      await scheduler.run(this.roughPeriods * PERIOD_MS)
      scheduler.trace('quiet')
      this.plan.end()
      await this.runUntilWell()
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error)
      throw new SimulationError(
        this.options.seed,
        `${what} at ${scheduler.nowMs} ms, trace ${scheduler.traceHash}\n  ${this.lastLines.join('\n  ')}\n`,
        error,
      )
    }
    return this.report()
  }

  /** Every massa-node knows each period a little sooner or later. */
  private growChain(random: SimRandom): void {
    const { scheduler } = this
    scheduler.after(PERIOD_MS, () => {
      const period = ++this.headPeriod
      for (const node of this.nodes) {
        scheduler.after(random.between(0, PERIOD_MS / 4), () => node.onFinal(period, KEPT_PERIODS))
      }
      if (period < BEGIN_PERIOD + this.roughPeriods + QUIET_PERIODS) this.growChain(random)
    })
  }

  private addRogues(kind: RogueKind, at: number, nodes: readonly SimIdentity[]): void {
    const random = this.random.fork(`rogue ${at}`)
    const count = kind === 'crowd' ? nodes.length + CROWD : 1
    const victims = kind === 'crowd' ? [random.pick(nodes)] : nodes
    for (let i = 0; i < count; i++) {
      const identity = identityOf('rogue', 100 * at + i)
      const modules = {
        network: this.network,
        chain: this.chain,
        random: random.fork(`${i}`),
        headPeriod: () => this.headPeriod,
      }
      this.rogues.push(new RoguePeer({ kind, identity, victims }, modules))
    }
  }

  private async runUntilWell(): Promise<void> {
    const { scheduler } = this
    const endMs = scheduler.nowMs + QUIET_MS
    await scheduler.run(scheduler.nowMs + (QUIET_PERIODS + 2) * PERIOD_MS)
    for (;;) {
      const trouble = this.findTrouble()
      if (trouble === undefined) return
      if (scheduler.nowMs >= endMs) throw new Error(trouble)
      await scheduler.run(scheduler.nowMs + LOOK_MS)
    }
  }

  /** What is not as it must be once the network is quiet. */
  private findTrouble(): string | undefined {
    const last = this.headPeriod
    for (let period = 0; period <= last; period++) {
      for (const index of this.chain.period(period).chunks.keys()) {
        const copies = this.invariants.copiesOf(period, index)
        if (copies < Math.min(REPLICAS, this.nodes.length)) {
          return `chunk ${index} of period ${period} has ${copies} copies`
        }
      }
    }
    for (const node of this.nodes) {
      const { archiver } = node
      if (archiver?.headPeriod !== last) return `${node.name} stands at ${archiver?.headPeriod}`
      // Below the parents of the last blocks nobody can know what is missing.
      const missed = archiver.listMissed().filter((period) => this.isFillable(node, period))
      if (missed.length > 0) return `${node.name} still lacks periods ${missed.join()}`
      const periods = node.disk.listPeriods()
      if (periods[0] !== 0) return `${node.name} begins with period ${periods[0]}`
      for (const period of periods) {
        const root = node.disk.get(period)?.summary.root
        if (!root || !equalBytes(root, this.chain.period(period).summary.root)) {
          return `${node.name} has another root of period ${period}`
        }
      }
      const honest = node.peers.filter((peer) => this.nodes.some(({ identity }) => identity.peer === peer))
      if (honest.length === 0) return `${node.name} has no honest peer`
    }
    return undefined
  }

  /** In each thread blocks lead from an archived one down to it. */
  private isFillable(node: SimNode, period: number): boolean {
    const leads = (thread: number, from: number): boolean => {
      const child = this.chain.nextInThread(thread, from)
      if (child === undefined || child > this.headPeriod) return false
      return node.disk.get(child) !== undefined || leads(thread, child)
    }
    return Array.from({ length: THREAD_COUNT }, (_, thread) => thread).every((thread) => leads(thread, period))
  }

  private report(): SimulationReport {
    const { scheduler, network } = this
    return {
      seed: this.options.seed,
      nodes: this.nodes.length,
      rogues: [...new Set(this.rogues.map(({ kind }) => kind))],
      periods: this.headPeriod,
      virtualMs: scheduler.nowMs,
      events: scheduler.eventCount,
      gossip: network.gossipCount,
      checks: this.invariants.checkCount,
      faults: this.plan.happened,
      warnings: Object.fromEntries([...this.warnings].sort()),
      traceHash: scheduler.traceHash,
    }
  }
}

/** What kind of network a seed has. */
interface Shape {
  readonly identities: readonly SimIdentity[]
  readonly rogues: readonly RogueKind[]
  readonly roughPeriods: number
}

function drawShape(random: SimRandom, { seed, nodes }: SimulationOptions): Shape {
  const drawn = random.pick([4, 4, 5, 5, 6, 8])
  const count = nodes ?? (seed % MANY_EVERY === 0 ? MANY_NODES : drawn)
  return {
    identities: Array.from({ length: count }, (_, number) => identityOf('node', number)),
    rogues: random.chance(0.7) ? random.pickSome(ROGUE_KINDS, random.between(1, 2)) : [],
    roughPeriods: random.between(ROUGH_PERIODS.least, count < MANY_NODES ? ROUGH_PERIODS.most : MANY_ROUGH_PERIODS),
  }
}

let shipped: Config | undefined

/** The shipped settings. */
function simConfig(maxConnections: number): Config {
  shipped ??= loadConfig({
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    env: {},
    flags: {
      enabled: true,
      retention_periods: 0,
      'node.grpc_urls': '127.0.0.1:1',
      'node.chain_id': 77,
      'p2p.enabled': true,
    },
  }).config
  return { ...shipped, p2p: { ...shipped.p2p, maxConnections } }
}
