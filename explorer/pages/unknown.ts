import { element } from '../dom.ts'
import type { Route } from '../routes.ts'
import type { Page } from './page.ts'

/** What was searched for is nothing that Massa has. */
export function unknownPage({ text }: Route<'unknown'>): Page {
  const content = element(
    'div',
    { class: 'narrow' },
    element('h1', { tabindex: '-1' }, 'Nothing has such a name'),
    element('p', {}, element('code', {}, text.slice(0, 200))),
    element('p', {}, 'Blocks begin with B1, operations with O1, endorsements with E1, addresses with AU or AS.'),
    element('p', {}, 'A period is a number, a slot two: 5300/7. There are 32 threads, 0 to 31.'),
  )
  return { title: 'Not found', content }
}
