import type { Period } from '../../core/verify.ts'
import { compareList, type ListPart } from '../compare-list.ts'
import { element } from '../dom.ts'
import type { RangeVerdict } from '../judge-range.ts'
import { announce, mark, markOf } from '../mark.ts'
import { linkTo } from '../parts.ts'
import { formatRoute, parsePeriods } from '../routes.ts'
import { verify } from '../verifier.ts'

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
  const found = await compareList(part, {
    verify,
    report: ({ from, to }, next) =>
      place.replaceChildren(mark('busy', `Periods ${from} to ${to}: reading from ${next}`)),
    isWanted: isShown,
    now: Date.now,
  })
  if (found) place.replaceChildren('kind' in found ? markOf(found, () => undefined) : show(found))
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
