import {
  type ChunkStore,
  type Clock,
  computeHashSlot,
  ERA_PERIODS,
  isArchiveError,
  LEAF_SIZE_BYTES,
  Loop,
  type Period,
  type PlacementSnapshot,
} from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { PeerClient } from '../peers/peer-client.ts'
import { AuditDay, type AuditDayRow } from './audit-day.ts'
import { ChunkDraw, type DrawnChunk } from './chunk-draw.ts'
import { orAborted } from './or-aborted.ts'
import { type AuditResult, type Suspicion, Suspicions } from './suspicions.ts'

/** What each node is asked in a day by all its peers together: who lost 1 % is caught with 99.9 %. */
export const AUDITS_PER_DAY = 700
const DAY_MS = 86_400_000
const LOOK_MS = 1_000
/** What a sleeping machine or a slow peer kept from being asked is made up for, this much of it. */
const MAX_ARREARS_MS = 3_600_000
/** Younger periods may be on their way to a peer, or to us: 256 seconds. */
export const AUDIT_MARGIN_PERIODS = 16

/** What of a placement audits go by. */
export interface AuditTable {
  readonly snapshot: Pick<PlacementSnapshot, 'nodes'>
  isHolder(address: string, hashSlot: number): boolean
  listSlotsOf(address: string): readonly number[]
}

/** A node that can be asked. */
export interface AuditPeer {
  /** Massa address */
  readonly address: string
  /** PeerId text */
  readonly peer: string
}

export interface AuditorModules {
  readonly client: Pick<PeerClient, 'audit'>
  readonly placement: { readonly inForce: AuditTable | undefined; readonly isCurrent: boolean }
  readonly store: Pick<ChunkStore, 'readRange' | 'listSummaries' | 'readManifest'>
  /** Connected nodes whose address is known, without this one. */
  readonly listPeers: () => readonly AuditPeer[]
  readonly clock: Clock
  /** A whole number from 0 to below `maxExclusive`. */
  readonly random: (maxExclusive: number) => number
  readonly log: Logger
  /** Every audit, those of chunks that are asked for again too; `suspicions` = how many there are by now. */
  readonly onResult: (result: AuditResult, suspicions: number) => void
  /** What a node says of a hash slot and era is not to be believed for now: it does not show a chunk of it, again and again. */
  readonly withdraw?: (address: string, hashSlot: number, era: number) => void
  /** The same of all that it says: it shows next to nothing. */
  readonly withdrawAll?: (address: string) => void
  /** The store cannot be read. */
  readonly onFailure: (error: unknown) => void
}

/** What there is to say of audits. */
export interface AuditReport {
  /** Of the last 24 hours, by address. */
  readonly day: readonly AuditDayRow[]
  readonly suspicions: readonly Suspicion[]
}

/**
 * Has the other nodes of the registry show what they hold: one leaf of a chunk at a time, both drawn at random, by byte,
 * of what placement gives the node.
 *
 * Each of n nodes is asked by the n - 1 others, so each of these asks 700 / (n - 1) times a day. Only connected nodes can
 * ask; only nodes of the registry are counted, else strangers without a stake would thin out the audits of everybody.
 * What was not shown is asked for again ten minutes later, at another leaf; not shown twice in a row is a suspicion, until
 * the chunk is shown.
 */
export class Auditor {
  private readonly modules: AuditorModules
  private readonly auditsPerDay: number
  private readonly draws: ChunkDraw
  private readonly suspicions = new Suspicions()
  private readonly day: AuditDay
  private readonly loop: Loop
  /** By address, of nodes of the registry: when its turn was. Kept while a node is away, so that nobody gains by going. */
  private readonly turns = new Map<string, number>()
  private nextMs: number | undefined
  /** Of a table: its nodes, and of those that were met whether they are to hold anything. */
  private known:
    | { readonly table: AuditTable; readonly nodes: ReadonlySet<string>; readonly holds: Map<string, boolean> }
    | undefined

  /** @param options.auditsPerDay - of each node, by all others together; 700 unless a test says otherwise */
  constructor(options: { readonly auditsPerDay?: number }, modules: AuditorModules) {
    this.modules = modules
    this.auditsPerDay = options.auditsPerDay ?? AUDITS_PER_DAY
    this.draws = new ChunkDraw(modules)
    this.day = new AuditDay(modules.clock)
    this.loop = new Loop(
      { everyMs: LOOK_MS },
      { clock: modules.clock, look: () => this.look(), onFailure: modules.onFailure },
    )
  }

  /** Runs until `stop`. @throws what is no ArchiveError: a bug */
  start(): Promise<void> {
    return this.loop.start()
  }

  stop(): Promise<void> {
    return this.loop.stop()
  }

  /** Oldest first; at most 16 of a node and 4,096 in all. */
  listSuspicions(): Suspicion[] {
    return this.suspicions.list()
  }

  report(): AuditReport {
    return { day: this.day.list(), suspicions: this.listSuspicions() }
  }

  /** One audit when it is time for one, and one of what was not shown before. */
  async look(): Promise<void> {
    const { placement, clock } = this.modules
    const table = placement.inForce
    // By an outdated table a node would be asked for what it need not have any more.
    if (!table || !placement.isCurrent) return
    const peers = this.listTargets(table)
    if (peers.length === 0) return
    const intervalMs = DAY_MS / (Math.ceil(this.auditsPerDay / peers.length) * peers.length)
    const nowMs = clock.monotonicMs()
    this.nextMs ??= nowMs + this.modules.random(Math.ceil(intervalMs))
    if (nowMs >= this.nextMs) {
      this.nextMs = Math.max(this.nextMs + intervalMs, nowMs - MAX_ARREARS_MS)
      await this.auditNext(peers, table)
    }
    await this.askAgain(peers, table)
  }

  /**
   * Asks for a leaf of a chunk at an index that is drawn here.
   *
   * Whoever asks decides which chunk; a result counts like any other, unless the audits were stopped before it came.
   */
  async audit({ address, peer }: AuditPeer, chunk: DrawnChunk): Promise<AuditResult> {
    const leafIndex = this.modules.random(Math.ceil(chunk.byteLength / LEAF_SIZE_BYTES))
    const result = await orAborted(this.ask(peer, chunk, leafIndex), this.loop.signal)
    if (result === undefined) return 'unanswered'
    this.day.add(address, result)
    this.judge(address, chunk, result)
    this.modules.onResult(result, this.suspicions.count)
    return result
  }

  /**
   * A chunk that, as somebody says, a node does not show: undefined unless the node is connected and has to hold it, and
   * where it is in doubt here already, which is asked again in its own time.
   */
  async findTold({
    address,
    period,
    index,
  }: Pick<Suspicion, 'address' | 'period' | 'index'>): Promise<
    { readonly target: AuditPeer; readonly chunk: DrawnChunk } | undefined
  > {
    const { placement, store } = this.modules
    const table = placement.inForce
    if (!table || !placement.isCurrent) return undefined
    const target = this.listTargets(table).find((peer) => peer.address === address)
    const duty = target && (await this.readDuty(address, table))
    if (!duty || period < duty.from || period > duty.to) return undefined
    const place = (await store.readManifest(period))?.chunks[index]
    if (!place || this.suspicions.has(address, { period, index })) return undefined
    const chunk = { period, index, ...place, hashSlot: computeHashSlot(place.chunkId) }
    return table.isHolder(address, chunk.hashSlot) ? { target, chunk } : undefined
  }

  /** Connected nodes of the registry that are to hold something: as many as those that audit each of them, with us. */
  private listTargets(table: AuditTable): AuditPeer[] {
    if (this.known?.table !== table) {
      const nodes = new Set(table.snapshot.nodes.map(({ address }) => address))
      this.known = { table, nodes, holds: new Map() }
      this.suspicions.keepOnly((address, { hashSlot }) => table.isHolder(address, hashSlot))
      for (const address of this.turns.keys()) if (!nodes.has(address)) this.turns.delete(address)
    }
    const { nodes, holds } = this.known
    const peers = this.modules.listPeers().filter(({ address }) => {
      if (!nodes.has(address)) return false
      const isHolding = holds.get(address) ?? table.listSlotsOf(address).length > 0
      holds.set(address, isHolding)
      return isHolding
    })
    const nowMs = this.modules.clock.monotonicMs()
    for (const { address } of peers) if (!this.turns.has(address)) this.turns.set(address, nowMs)
    return peers
  }

  /** The node whose turn was longest ago. */
  private async auditNext(peers: readonly AuditPeer[], table: AuditTable): Promise<void> {
    const turnOf = ({ address }: AuditPeer): number => this.turns.get(address) ?? Number.NEGATIVE_INFINITY
    const longest = peers.reduce((least, peer) => Math.min(least, turnOf(peer)), Number.POSITIVE_INFINITY)
    const waiting = peers.filter((peer) => turnOf(peer) === longest)
    const target = waiting[this.modules.random(waiting.length)]
    if (!target) return
    this.turns.set(target.address, this.modules.clock.monotonicMs())
    const chunk = await this.drawFor(target.address, table)
    if (chunk && !this.loop.signal.aborted) await this.audit(target, chunk)
  }

  private async drawFor(address: string, table: AuditTable): Promise<DrawnChunk | undefined> {
    const duty = await this.readDuty(address, table)
    if (!duty) return undefined
    return this.draws.draw(
      ({ period, hashSlot }) => period >= duty.from && period <= duty.to && table.isHolder(address, hashSlot),
    )
  }

  /** Periods of which a node that is assigned a chunk must have it. */
  private async readDuty(address: string, table: AuditTable): Promise<{ from: Period; to: Period } | undefined> {
    const range = await this.modules.store.readRange()
    if (!range) return undefined
    const retention = table.snapshot.nodes.find((node) => node.address === address)?.retentionPeriods ?? 0n
    const from = retention === 0n ? 0 : range.last - Number(retention) + 1
    return { from, to: range.last - AUDIT_MARGIN_PERIODS }
  }

  private async askAgain(peers: readonly AuditPeer[], table: AuditTable): Promise<void> {
    const peerOf = new Map(peers.map(({ address, peer }) => [address, peer]))
    const due = this.suspicions.findDue(peerOf.keys(), this.modules.clock.monotonicMs())
    const peer = due && peerOf.get(due.address)
    if (!due || peer === undefined || this.loop.signal.aborted) return
    const { address, chunk } = due
    const duty = await this.readDuty(address, table)
    // Its retention has let it go meanwhile.
    if (!duty || chunk.period < duty.from) return this.suspicions.forget(address, chunk)
    await this.audit({ address, peer }, chunk)
  }

  private async ask(peer: string, chunk: DrawnChunk, leafIndex: number): Promise<AuditResult> {
    try {
      const { status } = await this.modules.client.audit(peer, chunk.chunkId, leafIndex)
      if (status === 'ok') return 'shown'
      // Busy is what a peer says whose disk fails, or that plays for time: alone it means nothing.
      return status === 'busy' ? 'unanswered' : 'failed'
    } catch (error) {
      if (!isArchiveError(error)) throw error
      const isWrong =
        isArchiveError(error, 'PROTOCOL_ANSWER_WRONG') || isArchiveError(error, 'PROTOCOL_MESSAGE_INVALID')
      return isWrong ? 'failed' : 'unanswered'
    }
  }

  private judge(address: string, chunk: DrawnChunk, result: AuditResult): void {
    const { clock, log, withdraw, withdrawAll } = this.modules
    const at = { nowMs: clock.nowMs(), monotonicMs: clock.monotonicMs() }
    const change = this.suspicions.note(address, chunk, result, at)
    const { period, index, hashSlot } = chunk
    if (result !== 'shown' && change !== 'doubted') withdraw?.(address, hashSlot, Math.floor(period / ERA_PERIODS))
    if (result !== 'shown' && this.suspicions.showsLittle(address)) withdrawAll?.(address)
    if (change === 'suspected') {
      log.warn({ node: address, period, index, result }, 'a node does not show a chunk that it must hold')
    }
    if (change === 'cleared') {
      log.info({ node: address, period, index }, 'a node shows a chunk again')
    }
  }
}
