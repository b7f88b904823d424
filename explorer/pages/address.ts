import type { PeriodRange } from '../../core/verify.ts'
import { archivesWord } from '../claims.ts'
import { element } from '../dom.ts'
import { judgeList, judgeRow, type RowVerdict } from '../judge-list.ts'
import { announce, busyMark, type Color, mark, markOf } from '../mark.ts'
import { formatAmount, linkTo, linkToId, linkToSlot, nameKind } from '../parts.ts'
import type { Route } from '../routes.ts'
import { verify } from '../verifier.ts'
import type { Outcome } from '../worker-messages.ts'
import { completenessCheck } from './address-completeness.ts'
import type { Page } from './page.ts'

type Listed = Extract<Outcome, { kind: 'listed' }>
const LIST_LENGTH = 10
/** Proofs that are asked for at a time: each may be as long as a period. */
const LANES = 3

/** Operations of an address: the archive chooses what it lists, so each is its word until a trusted root binds it. */
export function addressPage({ id: address, periods, cursor }: Route<'address'>): Page {
  const place = element('div', { class: 'record' }, busyMark())
  const heading = element(
    'h1',
    { tabindex: '-1' },
    element('span', { class: 'kind' }, 'Address'),
    ' ',
    element('span', { class: 'name' }, address),
  )
  const run = async (isShown: () => boolean): Promise<void> => {
    const outcome = await verify({ kind: 'list', address, cursor, periods, limit: LIST_LENGTH })
    if (!isShown()) return
    if (outcome.kind === 'listed') await showList(place, { address, periods, cursor, outcome }, isShown)
    else place.replaceChildren(markOf(outcome, () => run(isShown)))
  }
  return { title: `Address ${address}`, content: element('div', {}, heading, place), run }
}

interface Shown {
  readonly address: string
  readonly periods: PeriodRange | undefined
  readonly cursor: string | undefined
  readonly outcome: Listed
}

async function showList(
  place: HTMLElement,
  { address, periods, cursor, outcome }: Shown,
  isShown: () => boolean,
): Promise<void> {
  const { operations } = outcome
  const status = element('div', {}, busyMark())
  const rows = operations.map(({ id }) => element('li', { class: 'busy' }, linkToId('operation', id)))
  const more = outcome.cursor
    ? element(
        'p',
        {},
        linkTo(
          { kind: 'address', id: address, ...(periods ? { periods } : {}), cursor: outcome.cursor },
          'Older operations →',
        ),
      )
    : undefined
  const check = completenessCheck({ address, periods, operations, cursor, nextCursor: outcome.cursor }, isShown)
  const range = periods ? ` in periods ${periods.from} to ${periods.to}` : ''
  const list = element('ol', { class: 'operations' }, ...rows)
  place.replaceChildren(
    element('div', { class: 'side' }, status, check),
    element(
      'div',
      { class: 'shown' },
      element('p', { class: 'lead' }, `What this address made, and what pays or calls it${range}, newest first.`),
      operations.length === 0 ? element('p', { class: 'none' }, 'This archive lists no operation.') : list,
      ...(more ? [more] : []),
    ),
  )
  const verdicts: RowVerdict[] = []
  const waiting = operations.entries()
  const lane = async () => {
    for (const [i, listed] of waiting) {
      if (!isShown()) return
      const outcome = await verify({ kind: 'record', question: { kind: 'operation', id: listed.id } })
      const verdict = judgeRow(outcome, address)
      verdicts[i] = verdict
      fillRow(rows[i] ?? element('li'), { verdict, id: listed.id, address })
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  if (!isShown()) return
  const { color, title, lines } = judgeList(verdicts)
  status.replaceChildren(mark(color, title, ...lines.map((line) => element('p', {}, line))))
  announce(status)
}

const COLORS: Readonly<Record<RowVerdict['kind'], Color>> = {
  bound: 'good',
  said: 'open',
  unsigned: 'open',
  silent: 'open',
  lie: 'bad',
}

/** What its proof shows of an operation, and how far that goes. */
function fillRow(
  row: HTMLElement,
  { verdict, id, address }: { readonly verdict: RowVerdict; readonly id: string; readonly address: string },
): void {
  row.className = COLORS[verdict.kind]
  if ('message' in verdict) {
    const what = verdict.kind === 'lie' ? '✗ Refused' : '! No answer'
    row.replaceChildren(element('p', {}, linkToId('operation', id)), element('p', {}, `${what}: ${verdict.message}`))
    return
  }
  const { operation, slot, kind } = verdict
  const { recipient, target, amountNanoMas, coinsNanoMas } = operation.body
  const other = recipient ?? target
  const amount = amountNanoMas ?? coinsNanoMas
  const isMaker = operation.creator === address
  row.replaceChildren(
    element(
      'p',
      {},
      element('span', { class: 'sign', 'aria-hidden': 'true' }, kind === 'bound' ? '✓ ' : '! '),
      element('strong', {}, nameKind(operation.body.kind)),
      amount === undefined ? '' : ` · ${formatAmount(amount)}`,
      ' · ',
      linkToSlot(slot),
    ),
    element('p', {}, linkToId('operation', id)),
    isMaker && typeof other === 'string'
      ? element('p', {}, 'to ', linkToId('address', other))
      : isMaker
        ? ''
        : element('p', {}, 'from ', linkToId('address', operation.creator)),
    kind === 'bound'
      ? ''
      : element('p', {}, archivesWord(kind === 'said' ? undefined : 'without signatures, as this archive says')),
  )
}
