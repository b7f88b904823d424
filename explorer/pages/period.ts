import type { Period } from '../../core/verify.ts'
import { claimed, dueField, networkField } from '../claims.ts'
import { element } from '../dom.ts'
import { fields, formatCount, hash, linkTo } from '../parts.ts'
import { formatRoute, type Route, THREADS } from '../routes.ts'
import { type Page, recordPage } from './page.ts'

export function periodPage({ period }: Route<'period'>): Page {
  return recordPage({
    kind: 'Period',
    name: String(period),
    task: { kind: 'record', question: { kind: 'period', period } },
    links: [
      ...(period > 0 ? [linkTo({ kind: 'period', period: period - 1 }, `← ${period - 1}`)] : []),
      ...(period < Number.MAX_SAFE_INTEGER ? [linkTo({ kind: 'period', period: period + 1 }, `${period + 1} →`)] : []),
    ],
    show: ({ record, proof }) => {
      if (record.kind !== 'period') return []
      const { bitmap, chunkIds } = record
      const blocks = Array.from({ length: THREADS }, (_, thread) => hasBlock(bitmap, thread)).filter(Boolean).length
      return [
        fields([
          dueField('Begins', proof, period),
          ['Blocks', `${blocks} of ${THREADS} slots`],
          ['Period root', hash(proof.periodRoot)],
          ['Era', proof.era ? String(proof.era.era) : 'not whole in this archive'],
          ['Era root', proof.era ? claimed(proof, 'era', hash(proof.era.root)) : undefined],
          networkField(proof),
        ]),
        element('h2', {}, 'Slots'),
        element(
          'ol',
          { class: 'slots', start: '0' },
          ...Array.from({ length: THREADS }, (_, thread) => element('li', {}, slotCell(period, thread, bitmap))),
        ),
        element(
          'details',
          {},
          element('summary', {}, formatCount(chunkIds.length, 'chunk')),
          element(
            'ol',
            { class: 'chunks', start: '0' },
            ...chunkIds.map((id) => element('li', {}, linkTo({ kind: 'chunk', id }, id, { class: 'id', title: id }))),
          ),
        ),
      ]
    },
  })
}

function slotCell(period: Period, thread: number, bitmap: number): HTMLElement {
  const has = hasBlock(bitmap, thread)
  return element(
    'a',
    {
      href: formatRoute({ kind: 'slot', slot: { period, thread } }),
      class: has ? 'block' : 'empty',
      'aria-label': `Thread ${thread}: ${has ? 'a block' : 'no block'}`,
    },
    String(thread),
  )
}

function hasBlock(bitmap: number, thread: number): boolean {
  return ((bitmap >>> thread) & 1) === 1
}
