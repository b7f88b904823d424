import { formatMas } from '../core/massa/amount-text.ts'
import { PERIOD_MS, SLOT_MS } from '../core/units.ts'
import type { Period, Slot } from '../core/verify.ts'
import { element } from './dom.ts'
import { formatRoute, type Route } from './routes.ts'

/* Small pieces that pages are made of. */

/** Columns that need little room. */
const SHORT = new Set(['Amount', 'Index', 'Kind'])
/** Beyond it Date has no text. */
const MAX_DATE_MS = 8.64e15

export function linkTo(route: Route, text: string, attributes: Readonly<Record<string, string>> = {}): HTMLElement {
  return element('a', { href: formatRoute(route), ...attributes }, text)
}

/** A whole id as a link; where there is little room its end is cut off by the style. */
export function linkToId(kind: 'block' | 'operation' | 'endorsement' | 'address', id: string): HTMLElement {
  return linkTo({ kind, id }, id, { class: 'id', title: id })
}

export function linkToSlot(slot: Slot): HTMLElement {
  return linkTo({ kind: 'slot', slot }, nameSlot(slot))
}

export function nameSlot({ period, thread }: Slot): string {
  return `(${period}, ${thread})`
}

/** A hash or a key that leads nowhere. */
export function hash(text: string): HTMLElement {
  return element('span', { class: 'id', title: text }, text)
}

export function fields(rows: readonly (readonly [string, Node | string | undefined])[]): HTMLElement {
  return element(
    'dl',
    {},
    ...rows.map(([name, value]) =>
      value === undefined ? undefined : element('div', {}, element('dt', {}, name), element('dd', {}, value)),
    ),
  )
}

/** @param isCompact - it stays a table on small screens; others show each row as a list there */
export function table(
  caption: string,
  heads: readonly string[],
  rows: readonly (readonly (Node | string)[])[],
  isCompact = false,
): HTMLElement {
  return element(
    'table',
    { class: isCompact ? 'compact' : 'wide' },
    element('caption', {}, caption),
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        ...heads.map((head) =>
          element('th', { scope: 'col', class: SHORT.has(head) ? 'short' : undefined, 'data-head': head }, head),
        ),
      ),
    ),
    element(
      'tbody',
      {},
      ...rows.map((cells) =>
        element('tr', {}, ...cells.map((cell, i) => element('td', { 'data-head': heads[i] ?? '' }, cell))),
      ),
    ),
  )
}

/** @param nanoMas - decimal text */
export function formatAmount(nanoMas: unknown): string {
  return typeof nanoMas === 'string' && /^\d{1,30}$/.test(nanoMas) ? `${formatMas(BigInt(nanoMas))} MAS` : '?'
}

export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}

export function formatCount(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

/** When a slot is due; Massa has no other time of a block. */
export function formatTime(genesisTimestampMs: number, period: Period, thread = 0): string {
  const ms = genesisTimestampMs + period * PERIOD_MS + thread * SLOT_MS
  if (!(Math.abs(ms) <= MAX_DATE_MS)) return 'at no date'
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

/** Names of Massa's operations. */
export function nameKind(kind: unknown): string {
  switch (kind) {
    case 'transaction':
      return 'Transfer'
    case 'roll-buy':
      return 'Buys rolls'
    case 'roll-sell':
      return 'Sells rolls'
    case 'execute-sc':
      return 'Runs bytecode'
    case 'call-sc':
      return 'Calls a contract'
    default:
      return String(kind)
  }
}

export function nameNetwork(chainId: string): string {
  if (chainId === '77658377') return 'mainnet'
  if (chainId === '77658366') return 'buildnet'
  return `chain ${chainId}`
}
