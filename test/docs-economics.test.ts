import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findPackageRoot } from '../config/index.ts'
import { renderEconomics } from './sim/economics/render-economics.ts'

describe('docs/ECONOMICS.md', () => {
  it('says what `massa-storage economics` answers', () => {
    const page = readFileSync(join(findPackageRoot(), 'docs/ECONOMICS.md'), 'utf8')
    const [note = ''] = page.split('\n').filter((line) => line.startsWith('<!--'))
    assert.equal(renderEconomics(note), page)
  })
})
