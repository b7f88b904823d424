import type { Period } from '../core/verify.ts'
import { element } from './dom.ts'
import { formatTime, nameNetwork } from './parts.ts'
import type { Claim } from './standing.ts'
import type { ShownProof } from './worker-messages.ts'

/* How a page shows what may be the archive's word alone: the same on all of them. */

/** A value, and behind it whose word it is. */
export function claimed(
  { unproven }: Pick<ShownProof, 'unproven'>,
  claim: Claim,
  ...content: readonly (Node | string)[]
): HTMLElement {
  if (!unproven.includes(claim)) return element('span', {}, ...content)
  return element('span', { class: 'claimed' }, ...content, ' ', archivesWord())
}

export function archivesWord(text = 'as this archive says'): HTMLElement {
  return element('span', { class: 'word' }, text)
}

/** When a slot is due: the genesis of a network, of which no id says anything. */
export function dueField(name: string, proof: ShownProof, period: Period, thread = 0): [string, HTMLElement] {
  return [name, claimed(proof, 'date', formatTime(proof.genesisTimestampMs, period, thread))]
}

export function networkField(proof: ShownProof): [string, HTMLElement] {
  return ['Network', claimed(proof, 'network', nameNetwork(proof.chainId))]
}

const NAMES: Readonly<Record<Exclude<Claim, 'era'>, string>> = {
  chain: 'that it is on the chain',
  block: 'in which block',
  slot: 'at which slot',
  date: 'when',
  network: 'of which network',
}

/** Of all that is the archive's word: `That it is on the chain, and when, is what this archive says`. */
export function sumUpClaims({ unproven }: Pick<ShownProof, 'unproven'>): string {
  const names = unproven.flatMap((claim) => (claim === 'era' ? [] : [NAMES[claim]]))
  const [last = '', ...others] = names.reverse()
  const text = [...others.reverse(), `and ${last}`].join(', ')
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}, is what this archive says: no root that you trust binds it.`
}
