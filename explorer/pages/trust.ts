import { element } from '../dom.ts'
import { readTrustedText, writeTrustedText } from '../trusted-roots.ts'
import type { Page } from './page.ts'

/** Roots that whoever reads here knows from elsewhere. */
export function trustPage(): Page {
  const text = element('textarea', {
    id: 'roots',
    rows: '10',
    spellcheck: 'false',
    autocomplete: 'off',
    'aria-describedby': 'roots-hint roots-result',
    placeholder: `era 41 ${'0'.repeat(64)}`,
  })
  text.value = readTrustedText()
  const result = element('p', { id: 'roots-result', role: 'status' })
  const form = element(
    'form',
    {},
    element('label', { for: 'roots' }, 'Roots that you trust, one in a line'),
    element(
      'p',
      { id: 'roots-hint' },
      element('code', {}, 'period NUMBER ROOT'),
      ' or ',
      element('code', {}, 'era NUMBER ROOT'),
      ', the root as 64 hex digits. They stay in this browser.',
    ),
    text,
    element('p', {}, element('button', {}, 'Keep')),
    result,
  )
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const wrong = writeTrustedText(text.value)
    if (wrong.length === 0) text.value = readTrustedText()
    result.textContent = wrong.length === 0 ? 'Kept.' : `Nothing was kept. This is no root: ${wrong[0]?.slice(0, 100)}`
  })
  const content = element(
    'div',
    { class: 'narrow' },
    element('h1', { tabindex: '-1' }, 'Trusted roots'),
    element(
      'p',
      {},
      'Your browser verifies that a block or an operation is what its id names. That it is part of the real chain, and that a slot is empty, depends on one hash: the root of its period or of its era. With a root from a source of your own, nothing is left to believe.',
    ),
    element(
      'p',
      {},
      'Eras are anchored in a contract on Massa: ',
      element('code', {}, 'massa-storage eras show 41'),
      ' reads the root there. An archive of your own knows its periods: ',
      element('code', {}, 'massa-storage get period 5300'),
      '.',
    ),
    form,
  )
  return { title: 'Trusted roots', content }
}
