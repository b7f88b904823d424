import type { Scheduler } from './scheduler.ts'
import type { SimNetwork, Weather } from './sim-network.ts'
import { FAIR_WEATHER } from './sim-network.ts'
import type { SimNode } from './sim-node.ts'
import type { SimRandom } from './sim-random.ts'

/** What goes wrong in a simulation, by how often it does. */
const FAULTS = {
  crash: 8,
  powerLoss: 5,
  death: 3,
  restart: 3,
  diskLoss: 2,
  partition: 2,
  storm: 3,
  slowDisk: 3,
  fullDisk: 3,
  clockJump: 3,
  feedOutage: 5,
} as const
type Fault = keyof typeof FAULTS

const KINDS = Object.entries(FAULTS).flatMap(([fault, weight]) => Array<Fault>(weight).fill(fault as Fault))

/** Between two faults of a network of one node; more nodes, more faults. */
const INTERVAL_MS = 200_000
const MAX_INTERVAL_MS = 30_000

/** Who comes and goes for good, by the registry. */
interface Moves {
  /** They come with empty disks. */
  readonly joiners: readonly SimNode[]
  /** They go, with their disks, once the registry does not know them any more. */
  readonly leavers: readonly SimNode[]
  /** When that is. */
  readonly changeMs: number
}

interface FaultPlanOptions {
  readonly nodes: readonly SimNode[]
  /** Nodes that faults do not strike; partitions part them, too. */
  readonly others: readonly SimNode[]
  readonly moves: Moves
  /** Fewer than r: more may take what nobody else has. */
  readonly maxLostDisks: number
  readonly replicas: number
}

/** Lets things go wrong until told to stop, each for a while or for good: by chance, and by nothing else. */
export class FaultPlan {
  private readonly nodes: SimNode[]
  private readonly options: FaultPlanOptions
  private readonly scheduler: Scheduler
  private readonly network: SimNetwork
  private readonly random: SimRandom
  private readonly counts = new Map<string, number>()
  /** Ends what is wrong at the moment. */
  private readonly remedies = new Map<string, () => void>()
  private isOver = false
  private lostDisks = 0

  constructor(
    options: FaultPlanOptions,
    modules: { readonly scheduler: Scheduler; readonly network: SimNetwork; readonly random: SimRandom },
  ) {
    this.nodes = [...options.nodes]
    this.options = options
    this.scheduler = modules.scheduler
    this.network = modules.network
    this.random = modules.random
  }

  /** How often each happened. */
  get happened(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.counts)
  }

  /** @param endMs when it will be told to stop */
  start(endMs: number): void {
    const { moves } = this.options
    const moving = this.random.fork('moves')
    for (const node of moves.joiners) this.scheduler.after(moving.between(0, endMs), () => this.join(node))
    for (const node of moves.leavers) {
      this.scheduler.after(moves.changeMs + moving.between(0, 60_000), () => this.leave(node))
    }
    this.strikeAgain()
  }

  /** From now on nothing goes wrong, and what did is over. */
  end(): void {
    this.isOver = true
    for (const remedy of [...this.remedies.values()]) remedy()
    for (const node of this.options.moves.joiners) this.join(node)
    for (const node of this.nodes) node.start()
  }

  private strikeAgain(): void {
    const intervalMs = Math.min(MAX_INTERVAL_MS, INTERVAL_MS / this.nodes.length)
    this.scheduler.after(this.random.between(1, 2 * intervalMs), () => {
      if (this.isOver) return
      this.strike(this.random.pick(KINDS))
      this.strikeAgain()
    })
  }

  private count(kind: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
  }

  private join(node: SimNode): void {
    if (this.nodes.includes(node)) return
    this.count('join')
    this.nodes.push(node)
    node.start()
  }

  /** Earlier than it should, as a death. */
  private leave(node: SimNode): void {
    if (this.isOver || node.isGone || !this.mayLoseDisk()) return
    this.count('leave')
    this.lose(node)
  }

  private mayLoseDisk(): boolean {
    return this.lostDisks < this.options.maxLostDisks
  }

  /** For good. */
  private lose(node: SimNode): void {
    this.lostDisks++
    node.vanish()
    this.nodes.splice(this.nodes.indexOf(node), 1)
  }

  private strike(fault: Fault): void {
    const node = this.random.pick(this.nodes)
    const key = `${fault} ${node.name}`
    if (!this.isPossible(fault, node) || this.remedies.has(key)) return
    this.count(fault)
    this.scheduler.trace(`fault ${key}`)
    const remedy = this.begin(fault, node)
    if (!remedy) return
    this.remedies.set(key, () => {
      this.remedies.delete(key)
      remedy()
    })
    this.scheduler.after(this.random.between(2_000, fault === 'feedOutage' ? 300_000 : 120_000), () =>
      this.remedies.get(key)?.(),
    )
  }

  private isPossible(fault: Fault, node: SimNode): boolean {
    if (fault === 'diskLoss') return node.isRunning && this.mayLoseDisk()
    if (fault === 'death') return node.isRunning && this.mayLoseDisk() && this.isSpare(node)
    return ['partition', 'storm', 'feedOutage', 'slowDisk', 'fullDisk'].includes(fault) || node.isRunning
  }

  /** Whether so many members stay that there can be all copies. */
  private isSpare(node: SimNode): boolean {
    const { leavers } = this.options.moves
    return this.nodes.filter((each) => each !== node && !leavers.includes(each)).length >= this.options.replicas
  }

  /** @returns what ends it, if anything does */
  private begin(fault: Fault, node: SimNode): (() => void) | undefined {
    const { random, network } = this
    switch (fault) {
      case 'crash':
      case 'powerLoss':
        node.crash(fault === 'powerLoss')
        return () => node.start()
      case 'death':
        this.lose(node)
        return undefined
      case 'restart':
        void node.stop().then(
          () => node.start(),
          (error) => this.scheduler.fail(error),
        )
        return undefined
      case 'diskLoss':
        this.lostDisks++
        node.crash(true)
        node.disk.wipe()
        return () => node.start()
      case 'partition':
        network.part(
          new Map([...this.nodes, ...this.options.others].map(({ name }) => [name, Number(random.chance(0.5))])),
        )
        return () => network.heal()
      case 'storm':
        network.weather = drawWeather(random)
        return () => {
          network.weather = FAIR_WEATHER
        }
      case 'slowDisk':
        node.disk.writeMs = random.between(100, 4_000)
        node.disk.readMs = random.between(0, 300)
        return () => node.disk.recoverSpeed()
      case 'fullDisk':
        node.disk.isFull = true
        return () => {
          node.disk.isFull = false
        }
      case 'clockJump':
        node.setSkew(random.between(-900_000, 900_000))
        return undefined
      case 'feedOutage':
        node.feed.isUp = false
        return () => {
          node.feed.isUp = true
          node.archiver?.wake()
        }
    }
  }
}

function drawWeather(random: SimRandom): Weather {
  return {
    latencyMs: random.between(10, 1_500),
    jitterMs: random.between(0, 3_000),
    lossRate: random.between(0, 40) / 100,
  }
}
