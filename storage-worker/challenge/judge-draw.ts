import {
  computeAuditDraw,
  computeDraw,
  computeDrawChallengeId,
  computeDrawNonce,
  equalBytes,
  type Period,
  selectDrawNode,
  toHex,
} from '../../core/index.ts'
import { findDrawIndex } from './draw-signatures.ts'
import type { DrawSource } from './draw-source.ts'
import type { IssuedChallenge } from './issued-challenges.ts'

/** Where a challenge is another one than the draw gives. */
export interface DrawDifference {
  readonly field: 'signature' | 'period' | 'nonce' | 'node' | 'chunk'
  readonly expected: string
  readonly found: string
}

/** `undrawn`: by hand or after failed audits, as its id says. */
export const DRAW_VERDICTS = ['asDrawn', 'differs', 'unchecked', 'undrawn'] as const

export interface AuditedChallenge {
  readonly challengeId: string
  /** Massa addresses */
  readonly issuer: string
  readonly node: string
  /** 64 hex digits */
  readonly chunkId: string
  readonly issuedPeriod: Period
  readonly verdict: (typeof DRAW_VERDICTS)[number]
  readonly differences: readonly DrawDifference[]
  /** Why something of it could not be checked. */
  readonly lacks: readonly string[]
}

/** What a draw gives, and nobody was asked for. */
export interface NotIssued {
  readonly issuer: string
  readonly challengeId: string
  readonly node: string
  readonly chunkId: string
}

/** By its signature alone. */
export type JudgedDraw =
  | { readonly kind: 'undrawn' }
  | { readonly kind: 'unchecked'; readonly lack: string }
  | { readonly kind: 'forged'; readonly difference: DrawDifference }
  /** `signature`: 65 bytes, of the issuer over the text of this period. */
  | { readonly kind: 'drawn'; readonly period: Period; readonly signature: Uint8Array }

export interface DrawnBy {
  readonly source: DrawSource | string
  readonly isAnchored: boolean | undefined
  /** By issuer: the first signature that was seen of a draw; those of the challenges that are judged are added. */
  readonly drawn: Map<string, Uint8Array>
}

/** Nobody keeps the one, nor knows the other. */
const UNANCHORED_CHUNK =
  'the chunk: without anchors it depends on what the node said then that it holds, and on where the archive of the challenger begins'

/** @throws ArchiveError of the store */
export async function judgeChallenge(
  challenge: IssuedChallenge,
  judged: JudgedDraw,
  by: DrawnBy,
): Promise<AuditedChallenge> {
  const { challengeId, issuer, node, chunkId, issuedPeriod } = challenge
  const told = { challengeId, issuer, node, chunkId, issuedPeriod }
  if (judged.kind === 'undrawn') return { ...told, verdict: 'undrawn', differences: [], lacks: [] }
  if (judged.kind === 'unchecked') return { ...told, verdict: 'unchecked', differences: [], lacks: [judged.lack] }
  if (judged.kind === 'forged') return { ...told, verdict: 'differs', differences: [judged.difference], lacks: [] }
  const { differences, lacks } = await compare(challenge, judged.signature, by)
  const verdict = differences.length > 0 ? 'differs' : lacks.length > 0 ? 'unchecked' : 'asDrawn'
  return { ...told, verdict, differences, lacks }
}

async function compare(challenge: IssuedChallenge, signature: Uint8Array, { source, isAnchored, drawn }: DrawnBy) {
  const differences: DrawDifference[] = []
  const lacks: string[] = []
  const differ = (field: DrawDifference['field'], expected: string, found: string) =>
    differences.push({ field, expected, found })
  const { issuer, nonce, node, chunkId, challengeId } = challenge
  const first = drawn.get(issuer) ?? signature
  drawn.set(issuer, first)
  // Whoever signs a text twice, as Ed25519 lets him, may choose between two draws.
  if (!equalBytes(first, signature)) differ('signature', toHex(first), toHex(signature))
  const draw = computeDraw(signature.subarray(1))
  const own = computeAuditDraw(draw, findDrawIndex(challengeId, signature) ?? 0)
  const drawnNonce = computeDrawNonce(own)
  if (nonce === undefined) lacks.push('its nonce is not in the archive: the issuer did not call the registry itself')
  else if (nonce !== drawnNonce) differ('nonce', `${drawnNonce}`, `${nonce}`)
  if (typeof source === 'string') return { differences, lacks: [...lacks, source] }
  const drawnNode = selectDrawNode(draw, source.nodes)
  if (drawnNode !== node) {
    differ('node', drawnNode ?? 'none', node)
    return { differences, lacks }
  }
  const chunk = await source.findChunk(own, node)
  if (chunk === 'unarchived') lacks.push('the era of the drawn chunk is not whole in this archive')
  else if (chunk !== 'none' && toHex(chunk.chunkId) === chunkId) return { differences, lacks }
  else if (!isAnchored) lacks.push(UNANCHORED_CHUNK)
  else differ('chunk', chunk === 'none' ? 'none' : toHex(chunk.chunkId), chunkId)
  return { differences, lacks }
}

/**
 * What the audits of known signatures should have asked for besides. Without blame: a challenger leaves out what it has no evidence
 * for.
 *
 * @param known.ids - of all challenges that were issued
 * @param count - challenges of one audit, 1 to 8
 * @throws ArchiveError of the store
 */
export async function listNotIssued(
  known: {
    readonly source: DrawSource | string
    readonly ids: ReadonlySet<string>
    readonly drawn: ReadonlyMap<string, Uint8Array>
  },
  count: number,
): Promise<NotIssued[]> {
  const { source, ids, drawn } = known
  if (typeof source === 'string') return []
  const notIssued: NotIssued[] = []
  for (const [issuer, signature] of drawn) {
    const draw = computeDraw(signature.subarray(1))
    const node = selectDrawNode(draw, source.nodes)
    for (let j = 0; j < count && node !== undefined; j++) {
      const own = computeAuditDraw(draw, j)
      const challengeId = computeDrawChallengeId(own)
      const chunk = ids.has(challengeId) ? 'none' : await source.findChunk(own, node)
      if (typeof chunk !== 'string') notIssued.push({ issuer, challengeId, node, chunkId: toHex(chunk.chunkId) })
    }
  }
  return notIssued
}
