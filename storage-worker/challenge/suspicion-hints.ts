import {
  type ArchiveError,
  type Clock,
  formatAddress,
  isArchiveError,
  Loop,
  type Period,
  toHex,
} from '../../core/index.ts'
import { MAX_HINTED_CHUNKS, type ToldSuspicion } from '../../protocol-handler/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { PeerClient } from '../peers/peer-client.ts'
import type { Auditor, AuditPeer } from '../replication/auditor.ts'
import { orAborted } from '../replication/or-aborted.ts'

const LOOK_MS = 1_000
/** From one question to a peer to the next: as long again by chance, so that nobody can time another's hints out. */
const LEAST_PAUSE_MS = 60_000
const MORE_PAUSE_MS = 120_000
/** So long after a peer missed a chunk twice it is audited here. */
export const MOST_PAUSE_MS = LEAST_PAUSE_MS + MORE_PAUSE_MS
/** Of all hints together a node is asked for one chunk in so long: at most 1,440 a day, twice its audits. */
const NODE_PAUSE_MS = 60_000
/** What was shown may be lost again; what was not is looked at by the auditor itself. */
const CHUNK_PAUSE_MS = 3_600_000
/** Admins seldom name a challenger, or take one away. */
const RIGHT_PAUSE_MS = 60_000

export interface SuspicionHintsModules {
  /** Whether the registry lets this node challenge. */
  readonly readIsChallenger: () => Promise<boolean>
  /** Connected nodes of the registry, without this one. */
  readonly listPeers: () => readonly AuditPeer[]
  readonly client: Pick<PeerClient, 'fetchSuspicions'>
  readonly auditor: Pick<Auditor, 'findTold' | 'audit'>
  readonly clock: Clock
  /** A whole number from 0 to below `maxExclusive`. */
  readonly random: (maxExclusive: number) => number
  readonly log: Logger
}

/**
 * Has a challenger look for itself at what other nodes did not get shown: of n nodes each asks another 700 / (n - 1) times a
 * day, and only what its own audits miss is challenged on chain.
 *
 * Who tells of a chunk decides that it is asked for, not what comes of it: here, too, it has to be missed twice. A peer that
 * makes things up has one chunk audited each time that it is asked, once in two minutes.
 */
export class SuspicionHints {
  private readonly modules: SuspicionHintsModules
  private readonly loop: Loop
  private isChallenger = false
  private readRightAtMs = Number.NEGATIVE_INFINITY
  /** By peer that is connected: when it is asked. */
  private readonly turns = new Map<string, number>()
  /** By node, in hex: when it may be asked for what is told of it. */
  private readonly nodesFrom = new Map<string, number>()
  /** By node and chunk, oldest first. */
  private readonly chunksFrom = new Map<string, number>()

  constructor(modules: SuspicionHintsModules) {
    this.modules = modules
    this.loop = new Loop(
      { everyMs: LOOK_MS },
      { clock: modules.clock, look: () => this.look(), onFailure: (error) => this.noteFailure(error) },
    )
  }

  /** Runs until `stop`. @throws what is no ArchiveError: a bug */
  start(): Promise<void> {
    return this.loop.start()
  }

  stop(): Promise<void> {
    return this.loop.stop()
  }

  /** Asks whose turn it is; resolves when what they told of was audited. @throws ArchiveError CHAIN_*; of the store */
  async look(): Promise<void> {
    if (!(await this.mayChallenge())) return
    const nowMs = this.modules.clock.monotonicMs()
    forgetBefore(this.nodesFrom, nowMs)
    forgetBefore(this.chunksFrom, nowMs)
    const heeded = Promise.all(this.listDue(nowMs).map(({ peer }) => this.heed(peer)))
    await orAborted(heeded, this.loop.signal)
  }

  private async mayChallenge(): Promise<boolean> {
    const nowMs = this.modules.clock.monotonicMs()
    if (nowMs < this.readRightAtMs + RIGHT_PAUSE_MS) return this.isChallenger
    this.readRightAtMs = nowMs
    this.isChallenger = await this.modules.readIsChallenger()
    return this.isChallenger
  }

  private listDue(nowMs: number): AuditPeer[] {
    const peers = this.modules.listPeers()
    const connected = new Set(peers.map(({ peer }) => peer))
    for (const peer of this.turns.keys()) if (!connected.has(peer)) this.turns.delete(peer)
    return peers.filter(({ peer }) => {
      const isDue = (this.turns.get(peer) ?? this.putOff(peer, nowMs)) <= nowMs
      if (isDue) this.putOff(peer, nowMs)
      return isDue
    })
  }

  /** Newcomers wait as well: who comes anew under its name is not asked more often for it. */
  private putOff(peer: string, nowMs: number): number {
    const dueMs = nowMs + LEAST_PAUSE_MS + this.modules.random(MORE_PAUSE_MS)
    this.turns.set(peer, dueMs)
    return dueMs
  }

  /** Has one chunk audited that this peer tells of, if it tells of any that is to be. */
  private async heed(peer: string): Promise<void> {
    const { auditor, random, log } = this.modules
    const told = [...(await this.fetch(peer))]
    while (told.length > 0 && !this.loop.signal.aborted) {
      const [one] = told.splice(random(told.length), 1)
      if (!one) return
      if (!this.isOpen(one)) continue
      const { period, index } = one
      const address = formatAddress(one.node)
      const found = await auditor.findTold({ address, period, index })
      // Another peer may have told of it meanwhile.
      if (!found || !this.isOpen(one)) continue
      this.putAside(one)
      const result = await auditor.audit(found.target, found.chunk)
      log.debug({ node: address, period, index, result }, 'audited what a peer told of')
      return
    }
  }

  /** False while the node or the chunk was asked for not long ago because of a hint. */
  private isOpen({ node, period, index }: ToldSuspicion): boolean {
    const name = toHex(node)
    return !this.nodesFrom.has(name) && !this.chunksFrom.has(nameChunk(name, period, index))
  }

  private putAside({ node, period, index }: ToldSuspicion): void {
    const nowMs = this.modules.clock.monotonicMs()
    const name = toHex(node)
    this.nodesFrom.set(name, nowMs + NODE_PAUSE_MS)
    this.chunksFrom.set(nameChunk(name, period, index), nowMs + CHUNK_PAUSE_MS)
    const [oldest] = this.chunksFrom.keys()
    if (oldest !== undefined && this.chunksFrom.size > MAX_HINTED_CHUNKS) this.chunksFrom.delete(oldest)
  }

  private async fetch(peer: string): Promise<readonly ToldSuspicion[]> {
    try {
      const answer = await this.modules.client.fetchSuspicions(peer)
      return answer.status === 'ok' ? answer.value : []
    } catch (error) {
      // It is asked again; what was wrong has cost it.
      if (!isArchiveError(error) || !error.code.startsWith('PROTOCOL_')) throw error
      return []
    }
  }

  private noteFailure(error: ArchiveError): void {
    this.modules.log.debug({ err: error, code: error.code }, 'hints of peers are not looked at')
  }
}

function nameChunk(node: string, period: Period, index: number): string {
  return `${node} ${period} ${index}`
}

function forgetBefore(from: Map<string, number>, nowMs: number): void {
  for (const [key, fromMs] of from) if (fromMs <= nowMs) from.delete(key)
}
