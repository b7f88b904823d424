import type { Period } from '../../core/verify.ts'
import { element } from '../dom.ts'
import { announce, mark, markOf } from '../mark.ts'
import { formatBytes, formatCount } from '../parts.ts'
import { verify } from '../verifier.ts'
import type { ListedOperation, ShownRange } from '../worker-messages.ts'

interface ListPart {
  readonly address: string
  readonly operations: readonly ListedOperation[]
  /** Whether it begins with the newest operation, and ends with the oldest. */
  readonly isFirst: boolean
  readonly isLast: boolean
}

/** Offers to read all bodies of the range that a list is of: no shorter proof says that nothing was left out. */
export function completenessCheck(part: ListPart, isShown: () => boolean): HTMLElement {
  const place = element('div', {})
  const button = element('button', { type: 'button' }, 'Check that nothing is left out')
  let isBusy = false
  button.addEventListener('click', async () => {
    // Not disabled meanwhile: it would lose the focus.
    if (isBusy) return
    isBusy = true
    await check(part, { place, isShown })
    announce(place)
    isBusy = false
  })
  return element(
    'section',
    { class: 'completeness' },
    element('h2', {}, 'Is anything left out?'),
    element(
      'p',
      {},
      'Your browser can read every block of the range that this list is of and compare. It has to fetch all of them: up to 4 MB at a time.',
    ),
    element('p', {}, button),
    place,
  )
}

async function check(
  part: ListPart,
  { place, isShown }: { readonly place: HTMLElement; readonly isShown: () => boolean },
): Promise<void> {
  const range = await findRange(part)
  if (!range) {
    place.replaceChildren(mark('open', 'The whole list is of one period: look at all of it first'))
    return
  }
  const { address, operations } = part
  const listed = operations.flatMap(({ id, slots }) => slots.map((slot) => ({ id, slot })))
  const read: ShownRange[] = []
  let from: Period | undefined = range.from
  while (from !== undefined && isShown()) {
    const progress = `Periods ${range.from} to ${range.to}: reading from ${from}`
    place.replaceChildren(mark('busy', progress))
    const outcome = await verify({ kind: 'range', address, from, to: range.to, listed })
    if (outcome.kind !== 'range') {
      place.replaceChildren(markOf(outcome, () => undefined))
      return
    }
    read.push(outcome.range)
    from = outcome.range.next
  }
  place.replaceChildren(result(read, range))
}

/** Periods at the ends of a list may go on in the pages beside it. */
async function findRange({ operations, isFirst, isLast }: ListPart): Promise<{ from: Period; to: Period } | undefined> {
  const periods = operations.flatMap(({ slots }) => slots.map(({ period }) => period))
  const outcome = await verify({ kind: 'overview' })
  if (outcome.kind !== 'overview') return undefined
  const { first, last } = outcome.overview
  const from = isLast ? first : Math.min(...periods) + 1
  const to = isFirst ? last : Math.max(...periods) - 1
  return from <= to ? { from, to } : undefined
}

function result(
  read: readonly ShownRange[],
  { from, to }: { readonly from: Period; readonly to: Period },
): HTMLElement {
  const sum = (of: (range: ShownRange) => number) => read.reduce((total, range) => total + of(range), 0)
  const missing = read.flatMap((range) => range.missing)
  const surplus = read.flatMap((range) => range.surplus)
  const end = read.at(-1)?.to ?? from
  const facts = `Periods ${from} to ${end}: ${formatCount(
    sum((one) => one.scannedBodies),
    'period',
  )} with blocks read, ${formatBytes(sum((one) => one.proofBytes))}; they have ${formatCount(
    sum((one) => one.operations),
    'operation',
  )} of this address.`
  if (missing.length > 0 || surplus.length > 0) {
    return mark(
      'bad',
      'The list is wrong',
      element('p', {}, facts),
      element(
        'ul',
        { class: 'checks' },
        ...missing.map((name) => element('li', {}, 'Left out: ', element('span', { class: 'id' }, name))),
        ...surplus.map((name) => element('li', {}, 'Not there: ', element('span', { class: 'id' }, name))),
      ),
    )
  }
  if (end !== to) return mark('open', 'Not read to its end', element('p', {}, facts))
  const untrusted = sum((one) => one.untrusted)
  if (untrusted === 0) return mark('good', 'Nothing is left out', element('p', {}, facts))
  const anchor = `No root that you confirmed binds ${formatCount(untrusted, 'period')} of them: that they are the real chain is what this archive says.`
  return mark('open', 'Nothing of what this archive has is left out', element('p', {}, facts), element('p', {}, anchor))
}
