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
import type { Arena, Order } from './arena.ts'
import { type HistoryChunk, listHistory } from './history.ts'
import { OffChainAudits, PERIODS_PER_DAY } from './off-chain-audits.ts'
import { type Party, signOnce } from './party.ts'
import { readDefault } from './settings.ts'
import type { StorageNode } from './storage-node.ts'

/** Blocks so old are final. */
const DRAW_DEPTH = 8
/** Challenges of one draw: as many as the registry takes by default. */
export const DRAWN_CHALLENGES = 8

/**
 * An honest challenger: draws by the rule of docs/FORMAT.md every `challenge_frequency_periods`, and challenges for what a
 * node did not show it twice in a row, a chunk at a time, once in a day, as soon as the registry takes it.
 */
export class Challenger {
  readonly party: Party
  private readonly everyPeriods = readDefault('challenge_frequency_periods')
  private readonly intervalPeriods = readDefault('min_challenge_interval') / PERIOD_MS
  private readonly audits = new OffChainAudits()
  /** When a node was last challenged for a chunk that it did not show. */
  private readonly challengedPeriods = new Map<StorageNode, Map<HistoryChunk, number>>()
  private sent = 0

  constructor(party: Party) {
    this.party = party
  }

  /** @param suspects - who is audited off chain; the others would pass */
  act(arena: Arena, suspects: readonly StorageNode[]): void {
    if (arena.period % this.everyPeriods === 0) this.draw(arena)
    this.audits.act(arena, suspects)
    for (const [node, chunks] of this.audits.listSuspected()) {
      const challenged = this.challengedPeriods.get(node) ?? new Map<HistoryChunk, number>()
      this.challengedPeriods.set(node, challenged)
      const chunk = chunks.find((each) => arena.period - (challenged.get(each) ?? -PERIODS_PER_DAY) >= PERIODS_PER_DAY)
      if (!chunk || !arena.mayAudit(this.party, node)) continue
      challenged.set(chunk, arena.period)
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
