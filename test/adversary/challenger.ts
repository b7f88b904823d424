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
import { AUDITS_PER_DAY } from '../../storage-worker/replication/auditor.ts'
import type { Arena, Order } from './arena.ts'
import { type HistoryChunk, listHistory } from './history.ts'
import { type Party, signOnce } from './party.ts'
import { readDefault } from './settings.ts'
import type { StorageNode } from './storage-node.ts'

/** Blocks so old are final. */
const DRAW_DEPTH = 8
/** Challenges of one audit. */
export const AUDIT_CHALLENGES = 4
/** An off-chain audit that failed is repeated ten minutes later, as `storage-worker/replication/auditor.ts` does. */
const REPEAT_PERIODS = 38
const PERIODS_PER_DAY = 5_400

/**
 * An honest challenger: draws by the rule of docs/FORMAT.md every `challenge_frequency_periods`, and challenges for what a
 * node did not show its peers twice in a row.
 */
export class Challenger {
  readonly party: Party
  private readonly everyPeriods = readDefault('challenge_frequency_periods')
  private readonly intervalPeriods = readDefault('min_challenge_interval') / PERIOD_MS
  private readonly suspicions = new Map<StorageNode, Set<HistoryChunk>>()
  private repeats: { readonly node: StorageNode; readonly chunk: HistoryChunk; readonly period: number }[] = []
  private sent = 0

  constructor(party: Party) {
    this.party = party
  }

  /** @param suspects - who is audited off chain; the others would pass */
  act(arena: Arena, suspects: readonly StorageNode[]): void {
    this.auditOffChain(arena, suspects)
    for (const [node, chunks] of this.suspicions) {
      if (!this.mayAudit(arena, node)) continue
      const orders = [...chunks].slice(0, AUDIT_CHALLENGES).map((chunk) => this.orderFor(chunk))
      arena.issue(this.party, node, orders)
      for (const { chunk } of orders) chunks.delete(chunk)
      if (chunks.size === 0) this.suspicions.delete(node)
    }
    if (arena.period % this.everyPeriods === 0) this.draw(arena)
  }

  private draw(arena: Arena): void {
    const text = computeDrawText(arena.period, listBlockIds(arena.period - DRAW_DEPTH))
    const draw = computeDraw(signOnce(this.party, text).signature.subarray(1))
    const address = selectDrawNode(
      draw,
      arena.nodes.map((node) => node.address),
    )
    const node = arena.nodes.find((candidate) => candidate.address === address)
    if (!node || !this.mayAudit(arena, node)) return
    const orders = drawOrders(draw, node)
    if (orders.length > 0) arena.issue(this.party, node, orders)
  }

  private orderFor(chunk: HistoryChunk): Order & { readonly chunk: HistoryChunk } {
    return { id: `a-${this.sent++}`, chunk, chunkId: chunk.chunkId, nonce: BigInt(this.sent) }
  }

  private mayAudit(arena: Arena, node: StorageNode): boolean {
    return arena.mayAudit(this.party, node, this.intervalPeriods)
  }

  private auditOffChain(arena: Arena, suspects: readonly StorageNode[]): void {
    const { period } = arena
    const due = this.repeats.filter((repeat) => repeat.period <= period)
    this.repeats = this.repeats.filter((repeat) => repeat.period > period)
    for (const { node, chunk } of due) {
      if (node.showsLeaf(chunk, drawLeaf(arena))) continue
      const chunks = this.suspicions.get(node) ?? new Set()
      this.suspicions.set(node, chunks.add(chunk))
    }
    const turns = (at: number) => Math.floor((at * AUDITS_PER_DAY) / PERIODS_PER_DAY)
    if (turns(period) === turns(period - 1)) return
    for (const node of suspects) {
      const chunk = arena.random.pickAny(node.askable.all)
      if (!chunk || node.showsLeaf(chunk, drawLeaf(arena))) continue
      this.repeats.push({ node, chunk, period: period + REPEAT_PERIODS })
    }
  }
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
  return Array.from({ length: AUDIT_CHALLENGES }, (_, j) => computeAuditDraw(draw, j)).flatMap((own) => {
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
