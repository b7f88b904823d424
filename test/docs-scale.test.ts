import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findPackageRoot } from '../config/index.ts'
import { findDifference } from './sim/scale/page-table.ts'
import { renderScale } from './sim/scale/render-scale.ts'

const page = readFileSync(join(findPackageRoot(), 'docs/SCALE.md'), 'utf8')

describe('docs/SCALE.md', () => {
  it('says what placement, messages and limits give; of 1,000 nodes `npm run docs` alone computes it', async () => {
    const [note = ''] = page.split('\n').filter((line) => line.startsWith('<!--'))
    assert.equal(findDifference(await renderScale(note, [5, 30]), page), undefined)
  })

  it('tells of 1,000 nodes', () => {
    assert.match(page, /^\| 1,000 to 1,001 \| 0\.\d+ % \|/m)
  })
})
