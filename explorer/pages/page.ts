import { element } from '../dom.ts'
import { announce, busyMark, markOf } from '../mark.ts'
import { verify } from '../verifier.ts'
import type { Outcome, Task } from '../worker-messages.ts'

export interface Page {
  /** Of the window; the heading says the same. */
  readonly title: string
  readonly content: HTMLElement
  /** Goes on after the page is shown. @param isShown - false once another page is */
  readonly run?: (isShown: () => boolean) => Promise<void>
}

type Verified<K> = Extract<Outcome, { kind: K }>

/** A page about one record: nothing of it is there before it was verified. */
export function recordPage<K extends 'proven' | 'chunk' = 'proven'>(parts: {
  readonly kind: string
  readonly name: string
  readonly task: Task
  readonly links?: readonly Node[]
  /** What the worker says when it was verified; default `proven`. */
  readonly outcome?: K
  readonly show: (verified: Verified<K>) => readonly (Node | undefined)[]
}): Page {
  const { kind, name, task, links = [], show } = parts
  const heading = element(
    'h1',
    { tabindex: '-1' },
    element('span', { class: 'kind' }, kind),
    ' ',
    element('span', { class: 'name' }, name),
  )
  const place = element('div', { class: 'record' }, busyMark())
  const run = async (isShown: () => boolean): Promise<void> => {
    const outcome = await verify(task)
    if (!isShown()) return
    const again = () => {
      place.replaceChildren(busyMark())
      run(isShown).then(() => isShown() && heading.focus())
    }
    const isVerified = outcome.kind === (parts.outcome ?? 'proven')
    const shown = isVerified ? element('div', { class: 'shown' }, ...show(outcome as Verified<K>)) : undefined
    place.replaceChildren(markOf(outcome, again), ...(shown ? [shown] : []))
    announce(place)
  }
  return {
    title: `${kind} ${name}`,
    content: element(
      'div',
      {},
      heading,
      links.length > 0 ? element('p', { class: 'links' }, ...links) : undefined,
      place,
    ),
    run,
  }
}
