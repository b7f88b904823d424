import type { Period, PeriodRange, Slot } from '../core/verify.ts'

/** What a page has to be told beside its kind. */
interface RouteFields {
  readonly front: object
  readonly block: { readonly id: string }
  readonly operation: { readonly id: string }
  readonly endorsement: { readonly id: string }
  readonly chunk: { readonly id: string }
  /** `periods`: those that the reader chose, both in it. */
  readonly address: { readonly id: string; readonly periods?: PeriodRange; readonly cursor?: string }
  readonly slot: { readonly slot: Slot }
  readonly period: { readonly period: Period }
  readonly trust: object
  /** Nothing of the kind exists. */
  readonly unknown: { readonly text: string }
}

export type RouteKind = keyof RouteFields

/** What the page shows; the part of its address behind `#` says it. */
export type Route<K extends RouteKind = RouteKind> = { readonly [P in K]: { readonly kind: P } & RouteFields[P] }[K]

export const THREADS = 32
/** No id or cursor is longer, and no archive takes a longer one. */
const MAX_NAME_LENGTH = 100
/** Behind an address, before those that the reader chose; no cursor is called so. */
const PERIODS = 'periods'

/** As a link has it, `#` first. */
export function formatRoute(route: Route): string {
  switch (route.kind) {
    case 'front':
      return '#/'
    case 'trust':
      return '#/trust'
    case 'slot':
      return `#/slot/${route.slot.period}/${route.slot.thread}`
    case 'period':
      return `#/period/${route.period}`
    case 'address': {
      const periods = route.periods ? [PERIODS, String(route.periods.from), String(route.periods.to)] : []
      const parts = [route.id, ...periods, ...(route.cursor ? [route.cursor] : [])]
      return `#/address/${parts.map(encodeURIComponent).join('/')}`
    }
    case 'unknown':
      return `#/search/${encodeURIComponent(route.text)}`
    default:
      return `#/${route.kind}/${encodeURIComponent(route.id)}`
  }
}

/** @param hash - of any origin: what is no route is `unknown` */
export function parseRoute(hash: string): Route {
  const [kind = '', first, second, ...others] = hash
    .replace(/^#?\/?/, '')
    .split('/')
    .map(decode)
  const unknown: Route = { kind: 'unknown', text: decode(hash.replace(/^#?\/?(?:search\/)?/, '')) }
  const isTooLong = [first, second, ...others].some((name) => name !== undefined && name.length > MAX_NAME_LENGTH)
  if (isTooLong) return unknown
  if (kind === 'address' && first && second === PERIODS) return parseRange(first, others) ?? unknown
  if (others.length > 0) return unknown
  if (kind === 'address' && first) return { kind, id: first, ...(second ? { cursor: second } : {}) }
  if (kind === 'slot') return parseSlot(first, second) ?? unknown
  if (second !== undefined) return unknown
  if (kind === '' && first === undefined) return { kind: 'front' }
  if (kind === 'trust' && first === undefined) return { kind }
  if (kind === 'period') return parsePeriod(first) ?? unknown
  if ((kind === 'block' || kind === 'operation' || kind === 'endorsement' || kind === 'chunk') && first)
    return { kind, id: first }
  return unknown
}

/**
 * What a person may have typed or pasted: an id, an address, a chunk id, a period (`5300`), a slot (`5300/7`, `(5300, 7)`).
 *
 * Whether an id is right is for who looks it up to say.
 */
export function recognise(text: string): Route {
  const given = text.trim()
  const id = /^(?:B|O|E|AU|AS)1[1-9A-HJ-NP-Za-km-z]{20,80}$/.test(given) ? given : undefined
  if (id?.startsWith('B')) return { kind: 'block', id }
  if (id?.startsWith('O')) return { kind: 'operation', id }
  if (id?.startsWith('E')) return { kind: 'endorsement', id }
  if (id) return { kind: 'address', id }
  if (/^[0-9a-f]{64}$/i.test(given)) return { kind: 'chunk', id: given.toLowerCase() }
  const [, period, thread] = /^\(?\s*(\d+)\s*(?:[/,:;\s]\s*(\d+))?\s*\)?$/.exec(given) ?? []
  const place = thread === undefined ? parsePeriod(period) : parseSlot(period, thread)
  return place ?? { kind: 'unknown', text: given }
}

function parseRange(id: string, [fromText, toText, cursor, ...others]: readonly string[]): Route | undefined {
  const periods = parsePeriods(fromText, toText)
  if (!periods || others.length > 0) return undefined
  return { kind: 'address', id, periods, ...(cursor ? { cursor } : {}) }
}

/** First and last period, as somebody typed them; undefined: they are none. */
export function parsePeriods(fromText: string | undefined, toText: string | undefined): PeriodRange | undefined {
  const from = parseNumber(fromText, Number.MAX_SAFE_INTEGER)
  const to = parseNumber(toText, Number.MAX_SAFE_INTEGER)
  return from === undefined || to === undefined || to < from ? undefined : { from, to }
}

function parsePeriod(text: string | undefined): Route | undefined {
  const period = parseNumber(text, Number.MAX_SAFE_INTEGER)
  return period === undefined ? undefined : { kind: 'period', period }
}

function parseSlot(periodText: string | undefined, threadText: string | undefined): Route | undefined {
  const period = parseNumber(periodText, Number.MAX_SAFE_INTEGER)
  const thread = parseNumber(threadText, THREADS - 1)
  return period === undefined || thread === undefined ? undefined : { kind: 'slot', slot: { period, thread } }
}

function parseNumber(text: string | undefined, max: number): number | undefined {
  if (text === undefined || !/^\d{1,16}$/.test(text)) return undefined
  const number = Number(text)
  return number <= max ? number : undefined
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
