import { createHash } from 'node:crypto'
import {
  computeAuditDraw,
  computeDraw,
  computeDrawChallengeId,
  computeDrawNonce,
  computeDrawText,
  PERIOD_MS,
  selectDrawNode,
  selectDrawTarget,
  THREAD_COUNT,
  toHex,
} from '../../core/index.ts'
import { MAX_SUSPICIONS_PER_NODE } from '../../protocol-handler/limits.ts'
import { AUDITS_PER_DAY } from '../../storage-worker/replication/auditor.ts'
import type { Arena, Order } from './arena.ts'
import { type HistoryChunk, listHistory } from './history.ts'
import { type Party, signOnce } from './party.ts'
import { readDefault } from './settings.ts'
import type { StorageNode } from './storage-node.ts'

/** Blocks so old are final. */
const DRAW_DEPTH = 8
/** Challenges of one draw: as many as the registry takes by default. */
export const DRAWN_CHALLENGES = 8
/** Ten minutes, as `storage-worker/replication/suspicions.ts` waits before it asks again. */
const SECOND_LOOK_PERIODS = 38
const PERIODS_PER_DAY = 5_400

/** A chunk that a node did not show. */
interface Doubt {
  readonly node: StorageNode
  readonly chunk: HistoryChunk
  readonly secondLookPeriod: number
  isSuspected: boolean
  /** When it was last challenged for it. */
  challengedPeriod?: number
}

/**
 * An honest challenger: draws by the rule of docs/FORMAT.md every `challenge_frequency_periods`, and challenges for what a
 * node did not show its peers twice in a row, a chunk at a time, as soon as the registry takes it.
 */
export class Challenger {
  readonly party: Party
  private readonly everyPeriods = readDefault('challenge_frequency_periods')
  private readonly intervalPeriods = readDefault('min_challenge_interval') / PERIOD_MS
  /** As many as are remembered of a node. */
  private readonly doubts = new Map<StorageNode, Doubt[]>()
  private sent = 0

  constructor(party: Party) {
    this.party = party
  }

  /** @param suspects - who is audited off chain; the others would pass */
  act(arena: Arena, suspects: readonly StorageNode[]): void {
    if (arena.period % this.everyPeriods === 0) this.draw(arena)
    this.auditOffChain(arena, suspects)
    for (const [node, doubts] of this.doubts) {
      const due = doubts.find((doubt) => isDue(doubt, arena.period))
      if (!due || !arena.mayAudit(this.party, node)) continue
      due.challengedPeriod = arena.period
      const { chunk } = due
      arena.issue(this.party, node, [
        { id: `a-${this.sent++}`, chunk, chunkId: chunk.chunkId, nonce: BigInt(this.sent) },
      ])
    }
  }

  private draw(arena: Arena): void {
    const text = computeDrawText(arena.period, listBlockIds(arena.period - DRAW_DEPTH))
    const draw = computeDraw(signOnce(this.party, text).signature.subarray(1))
    const address = selectDrawNode(
      draw,
      arena.nodes.map((node) => node.address),
    )
    const node = arena.nodes.find((candidate) => candidate.address === address)
    if (!node || !arena.mayAudit(this.party, node, this.intervalPeriods)) return
    const orders = drawOrders(draw, node)
    if (orders.length > 0) arena.issue(this.party, node, orders)
  }

  private auditOffChain(arena: Arena, suspects: readonly StorageNode[]): void {
    const { period } = arena
    for (const doubts of this.doubts.values()) {
      for (const doubt of doubts.filter(({ secondLookPeriod }) => secondLookPeriod === period)) {
        if (doubt.node.showsLeaf(doubt.chunk, drawLeaf(arena))) doubts.splice(doubts.indexOf(doubt), 1)
        else doubt.isSuspected = true
      }
    }
    const turns = (at: number) => Math.floor((at * AUDITS_PER_DAY) / PERIODS_PER_DAY)
    if (turns(period) === turns(period - 1)) return
    for (const node of suspects) {
      const chunk = arena.random.pick(node.duty.all)
      if (node.showsLeaf(chunk, drawLeaf(arena))) continue
      const doubts = this.doubts.get(node) ?? []
      this.doubts.set(node, doubts)
      if (doubts.length >= MAX_SUSPICIONS_PER_NODE || doubts.some((doubt) => doubt.chunk === chunk)) continue
      doubts.push({ node, chunk, secondLookPeriod: period + SECOND_LOOK_PERIODS, isSuspected: false })
    }
  }
}

/** Once in a day. */
function isDue({ isSuspected, challengedPeriod }: Doubt, period: number): boolean {
  return isSuspected && (challengedPeriod === undefined || period - challengedPeriod >= PERIODS_PER_DAY)
}

function drawLeaf({ random }: Arena): Uint8Array {
  return createHash('sha256').update(`${random.u64()}`).digest()
}

const drawn = new WeakMap<StorageNode['askable'], Map<string, readonly Order[]>>()

/** Many runs have the same draws, of the same chunks. */
function drawOrders(draw: Uint8Array, { askable, hashSlots }: StorageNode): readonly Order[] {
  const known = drawn.get(askable) ?? new Map<string, readonly Order[]>()
  drawn.set(askable, known)
  const orders = known.get(toHex(draw)) ?? selectOrders(draw, { askable, hashSlots })
  known.set(toHex(draw), orders)
  return orders
}

function selectOrders(draw: Uint8Array, { askable, hashSlots }: Pick<StorageNode, 'askable' | 'hashSlots'>): Order[] {
  return Array.from({ length: DRAWN_CHALLENGES }, (_, j) => computeAuditDraw(draw, j)).flatMap((own) => {
    const target = selectDrawTarget(own, { eras: listHistory(), hashSlots }, (era) => askable.byEra.get(era) ?? [])
    if (!target) return []
    const chunk = target.chunk as HistoryChunk
    return [{ id: computeDrawChallengeId(own), chunk, chunkId: chunk.chunkId, nonce: computeDrawNonce(own) }]
  })
}

/** 33 bytes each; no slot is missed. */
function listBlockIds(period: number): Uint8Array[] {
  return Array.from({ length: THREAD_COUNT }, (_, thread) =>
    Buffer.concat([Uint8Array.of(0), createHash('sha256').update(`block ${period} ${thread}`).digest()]),
  )
}
