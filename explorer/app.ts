import { pageOf } from './page-of.ts'
import type { Page } from './pages/page.ts'
import { formatRoute, parseRoute, recognise } from './routes.ts'

/*
 * The explorer: one page of the archive's own, whose address behind `#` says what it shows. It asks the archive that it comes from
 * and nobody else, and shows nothing as true that its worker did not verify.
 */

const main = find('main')
const query = find('query') as HTMLInputElement
const name = document.title
let shown: Page | undefined

function show(isFirst: boolean): void {
  const page = pageOf(parseRoute(location.hash))
  shown = page
  document.title = page.title === name ? name : `${page.title} · ${name}`
  main.replaceChildren(page.content)
  // Who cannot see it hears what page it is now, and goes on from there.
  if (!isFirst) {
    window.scrollTo(0, 0)
    main.querySelector('h1')?.focus({ preventScroll: true })
  }
  page.run?.(() => shown === page)
}

function find(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (!found) throw new Error(`no element ${id}`)
  return found
}

find('search').addEventListener('submit', (event) => {
  event.preventDefault()
  if (query.value.trim() === '') return
  const hash = formatRoute(recognise(query.value))
  if (hash === location.hash) show(false)
  else location.hash = hash
})
document.querySelector('.skip')?.addEventListener('click', (event) => {
  // Its address would be a page of its own.
  event.preventDefault()
  main.focus()
})
window.addEventListener('hashchange', () => show(false))
show(true)
