import { fileURLToPath } from 'node:url'
import { type Config, loadConfig } from '../../config/index.ts'
import { PERIOD_MS } from '../../core/index.ts'
import { FaultPlan } from './fault-plan.ts'
import { Invariants } from './invariants.ts'
import { drawLetGo, keyOf } from './part-archives.ts'
import { QuietChecks } from './quiet-checks.ts'
import { type RogueKind, RoguePeer } from './rogue-peer.ts'
import { Scheduler } from './scheduler.ts'
import type { ShamKind } from './sham-stores.ts'
import { shareCrypto } from './shared-crypto.ts'
import { openSimChain, type SimChain } from './sim-chain.ts'
import { identityOf, type SimIdentity } from './sim-identity.ts'
import { SimNetwork } from './sim-network.ts'
import { SimNode, type SimWorld } from './sim-node.ts'
import { SimRandom } from './sim-random.ts'
import { SimRegistry } from './sim-registry.ts'
import {
  BEGIN_PERIOD,
  CHANGE_PERIOD,
  drawShape,
  listMembers,
  REPLICAS,
  ROUGH_PERIODS,
  type Shape,
  type ShapeWishes,
} from './sim-shape.ts'

/** What a massa-node still has of the past. */
const KEPT_PERIODS = 8
/** Behind those in which things go wrong: the chain goes on, and nothing does. */
const QUIET_PERIODS = { whole: 22, parts: 60, sham: 90 }
/** After so many it is looked whether all is well. */
const LEAST_QUIET_PERIODS = 8
/** Within so long after the last fault everything is as it has to be: a peer is asked again after ten minutes. */
const QUIET_MS = 1_800_000
/** It is looked at so often. */
const LOOK_MS = 20_000
/** Beside one for each node: a crowd of more takes all connections of its victim. */
const SPARE_CONNECTIONS = 8
const CROWD = 20
const LAST_LINES = 25
/** What is younger is let go of by nobody: a node whose massa-node was away fetches it by blocks. */
const MIN_AGE_PERIODS = 24
/** Of full disks: more than 90 % is taken from the beginning. */
const QUOTA_BYTES = 50_000
const REPAIR_DELAY_SECONDS = 100
/** With a sham: by the usual 700 it would take half a day to be found out. */
const MANY_AUDITS_PER_DAY = 25_000

export interface SimulationOptions extends ShapeWishes {
  /** Does what no fault does, so that it is found. */
  readonly sabotage?: { readonly atMs: number; readonly act: (nodes: readonly SimNode[]) => void }
  /** Told of each line of the trace. */
  readonly onTrace?: (atMs: number, line: string) => void
}

export interface SimulationReport {
  readonly seed: number
  readonly nodes: number
  readonly rogues: readonly (RogueKind | ShamKind)[]
  readonly archives: Shape['archives']
  readonly periods: number
  readonly virtualMs: number
  readonly events: number
  readonly gossip: number
  readonly checks: number
  /** Chunks that full disks let go of. */
  readonly letGo: number
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
  /** Honest ones. */
  private readonly nodes: SimNode[] = []
  private readonly shams: SimNode[] = []
  private readonly rogues: RoguePeer[] = []
  private readonly shape: Shape
  private readonly plan: FaultPlan
  private readonly checks: QuietChecks
  private readonly warnings = new Map<string, number>()
  private readonly lastLines: string[] = []
  private headPeriod = BEGIN_PERIOD

  private constructor(
    options: SimulationOptions,
    shape: Shape,
    modules: { readonly random: SimRandom; readonly registry: SimRegistry; readonly chain: SimChain },
  ) {
    const { random, registry, chain } = modules
    this.options = options
    this.shape = shape
    this.random = random
    const { scheduler } = this
    this.network = new SimNetwork({ scheduler, random: random.fork('network') })
    this.invariants = new Invariants({ chain, scheduler, registry })
    this.chain = chain
    scheduler.onTrace = (atMs, line) => {
      this.lastLines.push(`${atMs} ${line}`)
      if (this.lastLines.length > LAST_LINES) this.lastLines.shift()
      options.onTrace?.(atMs, line)
    }
    const joiners = this.addNodes(registry)
    const isMember = ({ identity }: SimNode): boolean => !shape.leavers.includes(identity)
    this.plan = new FaultPlan(
      {
        nodes: this.nodes.filter((node) => !joiners.includes(node)),
        others: this.shams,
        moves: {
          joiners,
          leavers: this.nodes.filter((node) => !isMember(node)),
          changeMs: (CHANGE_PERIOD - BEGIN_PERIOD) * PERIOD_MS,
        },
        // A sham has lost its own already, and who has a hole a part of it.
        maxLostDisks: REPLICAS - 1 - shape.shams.length - Number(shape.holed !== undefined),
        replicas: REPLICAS,
      },
      { scheduler, network: this.network, random: random.fork('faults') },
    )
    this.checks = new QuietChecks({ nodes: this.nodes }, { chain, registry, copies: this.invariants.copies })
    for (const [i, kind] of shape.rogues.entries()) this.addRogues(kind, i, shape.founders)
  }

  static async open(options: SimulationOptions): Promise<Simulation> {
    const random = new SimRandom(`simulation ${options.seed}`)
    const shape = drawShape(random.fork('shape'), options)
    const chain = openSimChain(BEGIN_PERIOD + ROUGH_PERIODS.most + QUIET_PERIODS.sham)
    const { isAnchored } = shape
    const registry = await SimRegistry.open({ replicas: REPLICAS, members: listMembers(shape), isAnchored }, chain)
    return new Simulation(options, shape, { random, registry, chain })
  }

  async run(): Promise<SimulationReport> {
    const { scheduler, nodes } = this
    const begin = this.random.fork('begin')
    for (const node of [...nodes, ...this.shams]) {
      if (node.disk.listPeriods().length > 0) scheduler.after(begin.between(0, 3_000), () => node.start())
    }
    for (const rogue of this.rogues) {
      scheduler.after(begin.between(0, 30_000), () => void rogue.start().catch((error) => scheduler.fail(error)))
    }
    this.growChain(this.random.fork('chain'))
    scheduler.after(10_000, () => this.plan.start(this.shape.roughPeriods * PERIOD_MS - 10_000))
    const { sabotage } = this.options
    if (sabotage) scheduler.after(sabotage.atMs, () => sabotage.act(nodes))
    try {
      await scheduler.run(this.shape.roughPeriods * PERIOD_MS)
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

  /** @returns those that are not there from the beginning */
  private addNodes(registry: SimRegistry): readonly SimNode[] {
    const { random, scheduler, chain, shape } = this
    const { founders, joiners, shams } = shape
    const all = [...founders, ...joiners, ...shams]
    const world: SimWorld = {
      scheduler,
      network: this.network,
      chain,
      registry,
      config: simConfig(all.length + SPARE_CONNECTIONS, shape),
      auditsPerDay: shams.length > 0 ? MANY_AUDITS_PER_DAY : undefined,
      random: random.fork('disks'),
      onCommit: (node, period, change) => {
        if (!node.sham) this.invariants.onCommit(node, period, change)
      },
      onServed: (node, name, answered) => {
        if (!node.sham) this.invariants.onServed(node, name, answered)
      },
      onWarning: (_, message) => this.warnings.set(message, (this.warnings.get(message) ?? 0) + 1),
    }
    const archives = random.fork('archives')
    const letGo =
      shape.archives === 'parts'
        ? drawLetGo(
            { nodes: founders, lastPeriod: BEGIN_PERIOD - MIN_AGE_PERIODS },
            { chain, registry, random: archives },
          )
        : undefined
    const draw = random.fork('nodes')
    for (const identity of all) {
      const others = founders.filter((each) => each !== identity).map(({ address }) => address)
      const node = new SimNode(
        {
          identity,
          bootstrap: draw.pickSome(others, 3),
          skewMs: draw.chance(0.3) ? draw.between(-600_000, 600_000) : 0,
          rate: 1 + draw.between(-100, 100) / 1e6,
          sham: shams.includes(identity) ? shape.shamKind : undefined,
        },
        world,
      )
      if (node.sham) this.shams.push(node)
      else {
        this.nodes.push(node)
        this.invariants.watch(node)
      }
      if (letGo && archives.chance(0.7)) node.disk.quotaBytes = QUOTA_BYTES
      if (!joiners.includes(identity)) {
        const gone = letGo?.get(identity.name)
        node.fill(BEGIN_PERIOD, {
          hole: identity === shape.holed ? shape.hole : undefined,
          hasLetGo: (period, index) => gone?.has(keyOf(period, index)) ?? false,
        })
      }
      node.onFinal(BEGIN_PERIOD, KEPT_PERIODS)
    }
    return this.nodes.filter(({ identity }) => joiners.includes(identity))
  }

  /** Every massa-node knows each period a little sooner or later. */
  private growChain(random: SimRandom): void {
    const { scheduler, shape } = this
    const quietPeriods = QUIET_PERIODS[shape.shams.length > 0 ? 'sham' : shape.archives]
    const lastPeriod = BEGIN_PERIOD + shape.roughPeriods + quietPeriods
    scheduler.after(PERIOD_MS, () => {
      const period = ++this.headPeriod
      for (const node of [...this.nodes, ...this.shams]) {
        scheduler.after(random.between(0, PERIOD_MS / 4), () => node.onFinal(period, KEPT_PERIODS))
      }
      if (period < lastPeriod) this.growChain(random)
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
    await scheduler.run(scheduler.nowMs + LEAST_QUIET_PERIODS * PERIOD_MS)
    for (;;) {
      // Of the last one some may not know yet.
      const trouble = this.checks.find(this.headPeriod - 1)
      if (trouble === undefined) return
      if (scheduler.nowMs >= endMs) throw new Error(trouble)
      await scheduler.run(scheduler.nowMs + LOOK_MS)
    }
  }

  private report(): SimulationReport {
    const { scheduler, network } = this
    return {
      seed: this.options.seed,
      nodes: this.nodes.length,
      rogues: [...new Set([...this.rogues.map(({ kind }) => kind), ...this.shams.flatMap(({ sham }) => sham ?? [])])],
      archives: this.shape.archives,
      periods: this.headPeriod,
      virtualMs: scheduler.nowMs,
      events: scheduler.eventCount,
      gossip: network.gossipCount,
      checks: this.invariants.checkCount,
      letGo: this.invariants.letGoCount,
      faults: { ...this.plan.happened, ...(this.shape.holed && { hole: 1 }) },
      warnings: Object.fromEntries([...this.warnings].sort()),
      traceHash: scheduler.traceHash,
    }
  }
}

let shipped: Config | undefined

/** The shipped settings, but for times that are longer than a simulation. */
function simConfig(maxConnections: number, { archives }: Shape): Config {
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
  const short =
    archives === 'parts' ? { safePruneMinAgePeriods: MIN_AGE_PERIODS, repairDelaySeconds: REPAIR_DELAY_SECONDS } : {}
  return { ...shipped, p2p: { ...shipped.p2p, maxConnections, ...short } }
}
