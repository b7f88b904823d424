import type { BackgroundCpuWork, CpuPool, CpuWork } from '../../archiver/cpu-pool.ts'
import type { Archiver } from '../../archiver/index.ts'
import { encodePeriod, identifyChunk } from '../../archiver/period-encoder.ts'
import { verifyFilledBlock } from '../../archiver/verify-block.ts'
import { verifyRecord } from '../../archiver/verify-record.ts'
import type { Config } from '../../config/index.ts'
import type { ArchiveError } from '../../core/index.ts'
import { startPeerNetwork } from '../../daemon/peer-network.ts'
import type { OpenNode } from '../../daemon/peers/open-context.ts'
import { StopSteps } from '../../daemon/stop-steps.ts'
import type { StreamName } from '../../protocol-handler/index.ts'
import type { PeerNode } from '../../protocol-handler/peer-node.ts'
import { type AnchoredEras, OwnHoldings, type PlacementWatch, type Store } from '../../storage-worker/index.ts'
import { planDrop } from '../../storage-worker/period-part.ts'
import { listValues } from '../../storage-worker/sealed-period.ts'
import { createMetrics, type Logger } from '../../telemetry/index.ts'
import type { Change } from './invariants.ts'
import { MemorySpool } from './memory-spool.ts'
import { MemoryStore } from './memory-store.ts'
import { type Life, NodeClock } from './node-clock.ts'
import type { Scheduler } from './scheduler.ts'
import { SHAM_STORES, type ShamKind } from './sham-stores.ts'
import { SimArchiver, type SimFeed } from './sim-archiver.ts'
import { SIM_IDENTITY, type SimChain } from './sim-chain.ts'
import { SimDisk } from './sim-disk.ts'
import type { SimIdentity } from './sim-identity.ts'
import type { SimNetwork } from './sim-network.ts'
import { type Answered, SimPeer } from './sim-peer.ts'
import type { SimRandom } from './sim-random.ts'
import { SimAnchors, SimPlacement, type SimRegistry } from './sim-registry.ts'

/** In this thread: what worker threads do is the same. */
export const SIM_CPU: CpuWork & BackgroundCpuWork & Pick<CpuPool, 'identifyChunk'> = {
  verifyBlock: async ({ filledBlock, chainId, expectedId }) => verifyFilledBlock(filledBlock, chainId, expectedId),
  encodePeriod: async ({ decided, chunkSizeBytes }) => encodePeriod(decided, chunkSizeBytes),
  verifyRecords: async (records, network) => records.map((record) => verifyRecord(record, network)),
  identifyChunk: async (chunk) => identifyChunk(chunk),
}
/** Nobody reads them. */
const METRICS = createMetrics({ version: '0.0.0', processMetrics: false })

/** Periods from the first to the last of them. */
export interface PeriodSpan {
  readonly from: number
  readonly to: number
}

/** What is not done by then is cut off, as the daemon does. */
const STOP_MS = 9_500

/** The world around a node. */
export interface SimWorld {
  readonly scheduler: Scheduler
  readonly network: SimNetwork
  readonly chain: SimChain
  readonly registry: SimRegistry
  readonly config: Config
  /** Absent: as many as there have to be. */
  readonly auditsPerDay: number | undefined
  readonly random: SimRandom
  readonly onCommit: (node: SimNode, period: number, change: Change) => void
  readonly onServed: (node: SimNode, name: StreamName, answered: Answered) => void
  readonly onWarning: (node: SimNode, message: string) => void
}

/** One run of it. */
interface Process {
  readonly life: Life
  readonly clock: NodeClock
  readonly spool: MemorySpool
  readonly archiver: SimArchiver
  readonly undo: StopSteps
  /** Absent until it has read who is banned. */
  peer: SimPeer | undefined
}

interface SimNodeOptions {
  readonly identity: SimIdentity
  readonly bootstrap: readonly string[]
  readonly skewMs: number
  readonly rate: number
  /** Undefined: it is honest. */
  readonly sham: ShamKind | undefined
}

/** A node: its disk and its massa-node last, its processes come and go. */
export class SimNode {
  readonly identity: SimIdentity
  readonly disk: SimDisk
  readonly feed: SimFeed = { isUp: true, headPeriod: 0, oldestPeriod: 0 }
  skewMs: number
  readonly sham: ShamKind | undefined
  private readonly bootstrap: readonly string[]
  private readonly rate: number
  private readonly world: SimWorld
  private process: Process | undefined
  private isStopping = false
  private isStartWanted = false
  private hasGone = false
  /** The first period that it has to have by itself. */
  private beginPeriod: number | undefined

  constructor(options: SimNodeOptions, world: SimWorld) {
    this.identity = options.identity
    this.bootstrap = options.bootstrap
    this.skewMs = options.skewMs
    this.rate = options.rate
    this.sham = options.sham
    this.world = world
    this.disk = new SimDisk((delayMs, work) => void world.scheduler.after(delayMs, work))
    this.disk.onCommit = (period, before, after) => {
      if (after) this.process?.archiver.onVisible(period)
      world.onCommit(this, period, { before, after })
    }
  }

  get name(): string {
    return this.identity.name
  }

  get isRunning(): boolean {
    return this.process !== undefined
  }

  /** For good. */
  get isGone(): boolean {
    return this.hasGone
  }

  get archiver(): SimArchiver | undefined {
    return this.process?.archiver
  }

  get peers(): readonly string[] {
    return this.process?.peer?.peers ?? []
  }

  /**
   * Everything up to a period is archived already.
   *
   * @param lacks.hole but for these: its machine was away for longer than a massa-node remembers
   * @param lacks.hasLetGo whether a chunk is one of those that were dropped since
   */
  fill(
    lastPeriod: number,
    lacks: {
      readonly hole: PeriodSpan | undefined
      readonly hasLetGo: (period: number, index: number) => boolean
    },
  ): void {
    for (let period = 0; period <= lastPeriod; period++) {
      if (lacks.hole && period >= lacks.hole.from && period <= lacks.hole.to) continue
      const archived = this.world.chain.period(period)
      const { manifest, summary } = archived
      const values = new Map(listValues(archived).map(({ n, value }) => [n, value]))
      const dropped = [...manifest.chunks.keys()].filter((index) => lacks.hasLetGo(period, index))
      const before = { holding: undefined, operations: summary.operations }
      const part = dropped.length > 0 ? planDrop(manifest, before, dropped) : { summary, holding: undefined, dropped }
      for (const n of part.dropped) values.delete(n)
      const damaged: ReadonlySet<number> = new Set()
      this.disk.commit(period, { manifest, summary: part.summary, holding: part.holding, values, damaged })
    }
  }

  /** The massa-node knows one more final period. */
  onFinal(period: number, keptPeriods: number): void {
    this.feed.headPeriod = period
    this.feed.oldestPeriod = Math.max(0, period - keptPeriods + 1)
    this.process?.archiver.wake()
  }

  start(): void {
    if (this.isStopping) this.isStartWanted = true
    if (this.process || this.isStopping || this.hasGone) return
    const { scheduler } = this.world
    this.isStartWanted = false
    scheduler.trace(`start ${this.name}`)
    // A store that is empty begins with what the massa-node still has.
    const [firstPeriod] = this.disk.listPeriods()
    this.beginPeriod =
      firstPeriod === undefined ? this.feed.oldestPeriod : Math.min(this.beginPeriod ?? firstPeriod, firstPeriod)
    this.process = this.launch(this.beginPeriod)
  }

  /** `silently`: the machine is gone, and nobody is told; else its connections are reset. */
  crash(silently: boolean): void {
    const { process } = this
    if (!process) return
    this.end(process)
    this.world.scheduler.trace(`crash ${this.name} ${silently}`)
    if (process.peer) this.world.network.leave(process.peer, silently)
    this.disk.crash(this.world.random)
  }

  /** It is lost with its disk, and nobody is told; it does not come back. */
  vanish(): void {
    this.hasGone = true
    this.crash(true)
    this.disk.wipe()
    this.world.scheduler.trace(`gone ${this.name}`)
  }

  /** In good order: what is under way ends, as far as it does in time, and everything is synced. */
  async stop(): Promise<void> {
    const { process } = this
    if (!process) return
    this.process = undefined
    this.isStopping = true
    this.world.scheduler.trace(`stop ${this.name}`)
    await Promise.race([process.undo.run(), process.clock.sleep(STOP_MS)])
    await process.spool.sync()
    this.end(process)
    if (process.peer) this.world.network.leave(process.peer, false)
    this.isStopping = false
    if (this.isStartWanted) this.start()
  }

  /** The wall clock is set, and stays wrong by so much. */
  setSkew(skewMs: number): void {
    this.skewMs = skewMs
    if (this.process) this.process.clock.skewMs = skewMs
  }

  private end(process: Process): void {
    process.life.isOver = true
    if (this.process === process) this.process = undefined
  }

  private launch(beginPeriod: number): Process {
    const { scheduler, network, chain, registry, config, auditsPerDay } = this.world
    const life: Life = { isOver: false }
    const clock = new NodeClock({ skewMs: this.skewMs, rate: this.rate }, { scheduler, life })
    const chunks = new (this.sham ? SHAM_STORES[this.sham] : MemoryStore)(SIM_IDENTITY, { disk: this.disk, life })
    const spool = new MemorySpool({ disk: this.disk, life })
    const holdings = new OwnHoldings(chunks, clock)
    const onArchived = (period: number): void => holdings.note(period)
    const archiver = new SimArchiver(
      { beginPeriod },
      { chain, feed: this.feed, store: chunks, spool, clock, onArchived },
    )
    const undo = new StopSteps(this.makeLog())
    const process: Process = { life, clock, spool, archiver, undo, peer: undefined }
    archiver.start().catch((error) => scheduler.fail(error))
    const { peer, peerId, address, name } = this.identity
    const { maxConnections } = config.p2p
    const finalPeriod = (): number => this.feed.headPeriod
    const openNode: OpenNode = async (modules) => {
      const onServed = (stream: StreamName, answered: Answered): void => this.world.onServed(this, stream, answered)
      process.peer = new SimPeer(
        { name, peerId, peer, address, maxConnections },
        { ...modules, network, life, onServed },
      )
      return process.peer as unknown as PeerNode
    }
    void startPeerNetwork(
      {
        config: { ...config, p2p: { ...config.p2p, bootstrap: this.bootstrap } },
        seed: this.identity.seed,
        openNode,
        ...(auditsPerDay !== undefined && { auditsPerDay }),
      },
      {
        // What rooms use of these is what a simulated node has.
        store: { chunks, spool, disk: this.disk.space, dataDir: this.name } as unknown as Store,
        cpu: SIM_CPU as unknown as CpuPool,
        archiver: archiver as unknown as Archiver,
        placement: new SimPlacement({ registry, finalPeriod, clock }) as unknown as PlacementWatch,
        anchors: new SimAnchors({ registry, finalPeriod }) as unknown as AnchoredEras,
        holdings,
        chain: undefined,
        clock,
        log: this.makeLog(),
        metrics: METRICS,
        undo,
        onFatal: (error: ArchiveError) => scheduler.fail(error.cause ?? error),
      },
    ).catch((error) => scheduler.fail(error))
    return process
  }

  private makeLog(): Logger {
    const quiet = (): void => undefined
    const say = (fields: unknown, message?: string): void => {
      const { code, err } = fields as { readonly code?: string; readonly err?: unknown }
      this.world.onWarning(this, `${message ?? fields} ${code ?? (err as Error | undefined)?.message ?? ''}`)
    }
    const log: Logger = {
      error: say,
      warn: say,
      info: quiet,
      debug: quiet,
      trace: quiet,
      child: () => log,
      isLevelEnabled: () => false,
    }
    return log
  }
}
