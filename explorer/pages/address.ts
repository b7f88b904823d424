import { element } from '../dom.ts'
import { announce, busyMark, mark, markOf } from '../mark.ts'
import { formatAmount, formatCount, linkTo, linkToId, linkToSlot, nameKind } from '../parts.ts'
import type { Route } from '../routes.ts'
import { verify } from '../verifier.ts'
import type { ListedOperation, Outcome } from '../worker-messages.ts'
import { completenessCheck } from './address-completeness.ts'
import type { Page } from './page.ts'

type Listed = Extract<Outcome, { kind: 'listed' }>
/** Proofs that are asked for at a time: each may be as long as a period. */
const LANES = 3

/** What became of an operation that the archive lists. */
type Verdict = 'good' | 'open' | 'bad'

/** Operations of an address: the list is what the archive says, each operation of it is verified by itself. */
export function addressPage({ id: address, cursor }: Route<'address'>): Page {
  const place = element('div', { class: 'record' }, busyMark())
  const heading = element(
    'h1',
    { tabindex: '-1' },
    element('span', { class: 'kind' }, 'Address'),
    ' ',
    element('span', { class: 'name' }, address),
  )
  const run = async (isShown: () => boolean): Promise<void> => {
    const outcome = await verify({ kind: 'list', address, cursor })
    if (!isShown()) return
    if (outcome.kind === 'listed') await showList(place, { address, cursor, outcome }, isShown)
    else place.replaceChildren(markOf(outcome, () => run(isShown)))
  }
  return { title: `Address ${address}`, content: element('div', {}, heading, place), run }
}

async function showList(
  place: HTMLElement,
  {
    address,
    cursor,
    outcome,
  }: { readonly address: string; readonly cursor: string | undefined; readonly outcome: Listed },
  isShown: () => boolean,
): Promise<void> {
  const { operations } = outcome
  const status = element('div', {}, busyMark())
  const rows = operations.map(({ id }) => element('li', { class: 'busy' }, linkToId('operation', id)))
  const more = outcome.cursor
    ? element('p', {}, linkTo({ kind: 'address', id: address, cursor: outcome.cursor }, 'Older operations →'))
    : undefined
  const check = completenessCheck(
    { address, operations, isFirst: cursor === undefined, isLast: !outcome.cursor },
    isShown,
  )
  const list = element('ol', { class: 'operations' }, ...rows)
  place.replaceChildren(
    element('div', { class: 'side' }, status, check),
    element(
      'div',
      { class: 'shown' },
      element('p', { class: 'lead' }, 'What this address made, and what pays or calls it, newest first.'),
      operations.length === 0 ? element('p', { class: 'none' }, 'This archive lists no operation.') : list,
      ...(more ? [more] : []),
    ),
  )
  const verdicts: Verdict[] = []
  const waiting = operations.entries()
  const lane = async () => {
    for (const [i, listed] of waiting) {
      if (!isShown()) return
      verdicts[i] = await verifyRow(rows[i] ?? element('li'), listed, address)
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  if (!isShown()) return
  status.replaceChildren(summary(verdicts))
  announce(status)
}

/** Fills the row of an operation with what its proof shows. */
async function verifyRow(row: HTMLElement, { id }: ListedOperation, address: string): Promise<Verdict> {
  const outcome = await verify({ kind: 'record', question: { kind: 'operation', id } })
  if (outcome.kind !== 'proven' || outcome.record.kind !== 'operation') {
    const isLie = outcome.kind === 'refused'
    row.className = isLie ? 'bad' : 'open'
    const message =
      outcome.kind === 'refused' || outcome.kind === 'absent' || outcome.kind === 'failed' ? outcome.message : ''
    row.replaceChildren(
      element('p', {}, linkToId('operation', id)),
      element('p', {}, `${isLie ? '✗ Refused' : '! No answer'}: ${message}`),
    )
    return isLie ? 'bad' : 'open'
  }
  const { operation, slot } = outcome.record
  const { kind, recipient, target, amountNanoMas, coinsNanoMas } = operation.body
  const other = recipient ?? target
  const isMaker = operation.creator === address
  const isTarget = other === address
  if (!isMaker && !isTarget) {
    row.className = 'bad'
    row.replaceChildren(
      element('p', {}, linkToId('operation', id)),
      element('p', {}, '✗ Refused: it exists, but neither was made by this address nor pays or calls it.'),
    )
    return 'bad'
  }
  const amount = amountNanoMas ?? coinsNanoMas
  const standing = outcome.proof.standing === 'unconfirmed' ? 'open' : 'good'
  row.className = standing
  row.replaceChildren(
    element(
      'p',
      {},
      element('span', { class: 'sign', 'aria-hidden': 'true' }, standing === 'good' ? '✓ ' : '! '),
      element('strong', {}, nameKind(kind)),
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
  )
  return standing
}

function summary(verdicts: readonly Verdict[]): HTMLElement {
  const count = (wanted: Verdict) => verdicts.filter((verdict) => verdict === wanted).length
  const bad = count('bad')
  const of = formatCount(verdicts.length, 'operation')
  if (bad > 0) {
    const text = `${bad} of ${of} that this archive lists: refused. The others are verified.`
    return mark('bad', 'This list has lies', element('p', {}, text))
  }
  if (verdicts.length === 0) {
    return mark(
      'open',
      'An empty list proves nothing',
      element('p', {}, 'Whether it is complete can be checked below.'),
    )
  }
  if (count('open') > 0) return mark('open', `${count('good')} of ${of} verified by your browser`)
  return mark(
    'good',
    'Verified by your browser',
    element('p', {}, `${of}, each by its own proof. That none is left out is another question: see below.`),
  )
}
