import type { Scheduler } from './scheduler.ts'
import type { SimNetwork, Weather } from './sim-network.ts'
import { FAIR_WEATHER } from './sim-network.ts'
import type { SimNode } from './sim-node.ts'
import type { SimRandom } from './sim-random.ts'

/** What goes wrong in a simulation, by how often it does. */
const FAULTS = {
  crash: 8,
  powerLoss: 5,
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
const MAX_INTERVAL_MS = 40_000

/**
 * Lets things go wrong until told to stop, each for a while: by chance, and by nothing else.
 *
 * Fewer than r disks are lost in all: more at a time may lose what nobody else has.
 */
export class FaultPlan {
  private readonly nodes: readonly SimNode[]
  private readonly scheduler: Scheduler
  private readonly network: SimNetwork
  private readonly random: SimRandom
  private readonly maxLostDisks: number
  private readonly counts = new Map<Fault, number>()
  /** Ends what is wrong at the moment. */
  private readonly remedies = new Map<string, () => void>()
  private isOver = false
  private lostDisks = 0

  constructor(
    options: { readonly nodes: readonly SimNode[]; readonly maxLostDisks: number },
    modules: { readonly scheduler: Scheduler; readonly network: SimNetwork; readonly random: SimRandom },
  ) {
    this.nodes = options.nodes
    this.maxLostDisks = options.maxLostDisks
    this.scheduler = modules.scheduler
    this.network = modules.network
    this.random = modules.random
  }

  /** How often each happened. */
  get happened(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.counts)
  }

  start(): void {
    const intervalMs = Math.min(MAX_INTERVAL_MS, INTERVAL_MS / this.nodes.length)
    this.scheduler.after(this.random.between(1, 2 * intervalMs), () => {
      if (this.isOver) return
      this.strike(this.random.pick(KINDS))
      this.start()
    })
  }

  /** From now on nothing goes wrong, and what did is over. */
  end(): void {
    this.isOver = true
    for (const remedy of [...this.remedies.values()]) remedy()
    for (const node of this.nodes) node.start()
  }

  private strike(fault: Fault): void {
    const node = this.random.pick(this.nodes)
    const key = `${fault} ${node.name}`
    if (!this.isPossible(fault, node) || this.remedies.has(key)) return
    this.counts.set(fault, (this.counts.get(fault) ?? 0) + 1)
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
    if (fault === 'diskLoss') return this.lostDisks < this.maxLostDisks
    return ['partition', 'storm', 'feedOutage', 'slowDisk', 'fullDisk'].includes(fault) || node.isRunning
  }

  /** @returns what ends it, if anything does */
  private begin(fault: Fault, node: SimNode): (() => void) | undefined {
    const { random, network } = this
    switch (fault) {
      case 'crash':
      case 'powerLoss':
        node.crash(fault === 'powerLoss')
        return () => node.start()
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
        network.part(new Map(this.nodes.map(({ name }) => [name, Number(random.chance(0.5))])))
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
