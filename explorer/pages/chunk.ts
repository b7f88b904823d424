import { element } from '../dom.ts'
import { fields, formatBytes } from '../parts.ts'
import type { Route } from '../routes.ts'
import { type Page, recordPage } from './page.ts'

/** The bytes that are stored and paid for: a part of a period. */
export function chunkPage({ id }: Route<'chunk'>): Page {
  return recordPage({
    kind: 'Chunk',
    name: id,
    task: { kind: 'chunk', id },
    outcome: 'chunk',
    show: ({ bytes }) => [
      fields([
        ['Size', formatBytes(bytes)],
        ['Bytes', element('a', { href: `chunk/${encodeURIComponent(id)}`, download: `${id}.chunk` }, 'Download')],
      ]),
    ],
  })
}
