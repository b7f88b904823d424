import assert from 'node:assert/strict'
import { findDifference, size, table } from './page-table.ts'

const page = (...lines: readonly (string | readonly string[])[]): string => lines.flat().join('\n')
const head = ['', '5 nodes', '1,000 nodes']
const whole = page(
  '# Title',
  table(head, [
    ['calls', '2', '19'],
    ['bytes', '3', '4'],
  ]),
  'text',
)

describe('sim/scale/page-table', () => {
  it('finds fewer columns and rows in a page that has more', () => {
    assert.equal(findDifference(whole, whole), undefined)
    assert.equal(findDifference(page('# Title', table(['', '5 nodes'], [['bytes', '3']]), 'text'), whole), undefined)
  })

  it('tells a cell, a row, a column and a line that differ', () => {
    const differs = (rows: readonly (readonly string[])[], columns = ['', '5 nodes'], text = 'text') =>
      findDifference(page('# Title', table(columns, rows), text), whole)
    assert.equal(differs([['bytes', '4']]), 'bytes | 4')
    assert.equal(differs([['seconds', '3']]), 'seconds | 3')
    assert.equal(differs([['bytes', '3']], ['', '6 nodes']), ' | 6 nodes')
    assert.equal(differs([['bytes', '3']], ['', '5 nodes'], 'other'), 'other\n')
    assert.equal(findDifference('# Title\n', `${whole}`), '# Title\n\n')
  })

  it('writes sizes with three digits', () => {
    assert.deepEqual([0, 999, 1_000, 65_536, 1e12].map(size), ['0 bytes', '999 bytes', '1 kB', '65.5 kB', '1 TB'])
  })
})
