import type { Period, PeriodRange } from '../../core/verify.ts'
import { element } from '../dom.ts'
import { type CheckedRange, judgeRange, type RangeVerdict } from '../judge-range.ts'
import { announce, mark, markOf } from '../mark.ts'
import { linkTo } from '../parts.ts'
import { formatRoute, parsePeriods } from '../routes.ts'
import { verify } from '../verifier.ts'
import type { ListedOperation, Outcome, ShownRange } from '../worker-messages.ts'

export interface ListPart {
  readonly address: string
  /** That the reader chose. */
  readonly periods: PeriodRange | undefined
  readonly operations: readonly ListedOperation[]
  /** Whether it begins with the newest operation, and ends with the oldest. */
  readonly isFirst: boolean
  readonly isLast: boolean
}

/** Pages of the list of a chosen range that are asked for at most, and operations in each. */
const MAX_PAGES = 100
const PAGE_LENGTH = 100

/** Offers to read all bodies of the range that a list is of: no shorter proof says that nothing was left out. */
export function completenessCheck(part: ListPart, isShown: () => boolean): HTMLElement {
  const { periods } = part
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
  const which = periods
    ? `periods ${periods.from} to ${periods.to}, which you chose,`
    : 'the range that this archive says its list is of'
  return element(
    'section',
    { class: 'completeness' },
    element('h2', {}, 'Is anything left out?'),
    element(
      'p',
      {},
      `Your browser can read every block of ${which} and compare. It has to fetch all of them: up to 4 MB at a time.`,
    ),
    element('p', {}, button),
    place,
    chooser(part),
  )
}

/** What an archive says that it has may be less than there is: the reader says which periods he means. */
function chooser({ address, periods }: ListPart): HTMLElement {
  const input = (id: string, period: Period | undefined) =>
    element('input', {
      id,
      inputmode: 'numeric',
      autocomplete: 'off',
      size: '9',
      value: period === undefined ? undefined : String(period),
    })
  const [from, to] = [input('from', periods?.from), input('to', periods?.to)]
  const result = element('p', { role: 'status' })
  const form = element(
    'form',
    { class: 'periods' },
    element('div', {}, element('label', { for: 'from' }, 'From period'), from),
    element('div', {}, element('label', { for: 'to' }, 'To period'), to),
    element('button', {}, 'Choose'),
  )
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const chosen = parsePeriods(from.value.trim(), to.value.trim())
    if (chosen) location.hash = formatRoute({ kind: 'address', id: address, periods: chosen })
    else result.textContent = 'These are no periods: two numbers, the first of them first.'
  })
  const all = periods ? element('p', {}, linkTo({ kind: 'address', id: address }, 'All periods')) : undefined
  return element('div', {}, element('h3', {}, 'Only these periods'), form, result, all)
}

async function check(
  part: ListPart,
  { place, isShown }: { readonly place: HTMLElement; readonly isShown: () => boolean },
): Promise<void> {
  place.replaceChildren(mark('busy', 'Asking what there is'))
  const found = part.periods ? await listAll(part, part.periods) : await findRange(part)
  if (found instanceof HTMLElement) {
    place.replaceChildren(found)
    return
  }
  const { range, operations } = found
  const listed = operations.flatMap(({ id, slots }) => slots.map((slot) => ({ id, slot })))
  const read: ShownRange[] = []
  for (let from = range.from; from <= range.to && isShown(); from = (read.at(-1)?.to ?? range.to) + 1) {
    place.replaceChildren(mark('busy', `Periods ${range.from} to ${range.to}: reading from ${from}`))
    const outcome = await verify({ kind: 'range', address: part.address, from, to: range.to, listed })
    if (outcome.kind !== 'range') {
      place.replaceChildren(showFailure(outcome))
      return
    }
    read.push(outcome.range)
  }
  if (isShown()) place.replaceChildren(show(judgeRange(read, range, Date.now())))
}

interface Comparison {
  readonly range: CheckedRange
  readonly operations: readonly ListedOperation[]
}

/** The whole list of a range that the reader chose, whatever page of it he looks at. */
async function listAll({ address }: ListPart, periods: PeriodRange): Promise<Comparison | HTMLElement> {
  const operations: ListedOperation[] = []
  let cursor: string | undefined
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const outcome = await verify({ kind: 'list', address, cursor, periods, limit: PAGE_LENGTH })
    if (outcome.kind !== 'listed') return showFailure(outcome)
    operations.push(...outcome.operations)
    cursor = outcome.cursor
    if (cursor === undefined) return { range: { ...periods, chosenBy: 'reader' }, operations }
  }
  return mark('open', `More than ${MAX_PAGES * PAGE_LENGTH} operations: choose fewer periods`)
}

/** Periods at the ends of a list may go on in the pages beside it. */
async function findRange({ operations, isFirst, isLast }: ListPart): Promise<Comparison | HTMLElement> {
  const periods = operations.flatMap(({ slots }) => slots.map(({ period }) => period))
  const outcome = await verify({ kind: 'overview' })
  if (outcome.kind !== 'overview') return showFailure(outcome)
  const { first, last } = outcome.overview
  const from = isLast ? first : Math.min(...periods) + 1
  const to = isFirst ? last : Math.max(...periods) - 1
  if (from > to) return mark('open', 'The whole list is of one period: look at all of it first')
  return { range: { from, to, chosenBy: isFirst && isLast ? 'archive' : 'page' }, operations }
}

function showFailure(outcome: Outcome): HTMLElement {
  return markOf(outcome, () => undefined)
}

function show({ color, title, lines, missing, surplus }: RangeVerdict): HTMLElement {
  const item = (what: string, name: string) => element('li', {}, what, element('span', { class: 'id' }, name))
  const wrong = [
    ...missing.map((name) => item('Left out: ', name)),
    ...surplus.map((name) => item('Not there: ', name)),
  ]
  return mark(
    color,
    title,
    ...lines.map((line) => element('p', {}, line)),
    ...(wrong.length > 0 ? [element('ul', { class: 'checks' }, ...wrong)] : []),
  )
}
