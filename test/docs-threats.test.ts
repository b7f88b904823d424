import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'mocha'
import { findPackageRoot } from '../config/index.ts'
import { ERROR_CODES } from '../core/index.ts'
import { LoadedTests } from './loaded-tests.ts'

const root = findPackageRoot()
const page = readFileSync(join(root, 'docs/THREATS.md'), 'utf8')

/** What design and issue name. */
const BEHAVIOURS = [
  'wrong chunk',
  'lying have-map',
  'evidence from our own bytes',
  'another placement root for the same era',
  'endless stream',
  'slow reader',
  '10,000 streams',
  'huge announcement',
  'future period',
  'replayed capabilities',
  'foreign network',
  'half-open connections',
  'allocation bomb in the length of a frame',
  'allocation bomb in the length of a message',
  'flood of 50 peers',
]
const OFFENCES = ['reject', 'limit', 'wrongChunk']

describe('docs/THREATS.md', () => {
  const section = page.split('## Hostile sidecars\n')[1]?.split('\n## ')[0] ?? ''
  const rows = [...section.matchAll(/^\| (.+?) \| (.+?) \| (test\/\S+): "(.+)" \|$/gm)].map(
    ([, behaviour = '', met = '', file = '', title = '']) => ({ behaviour, met, file, title }),
  )

  it('names every hostile behaviour, and nothing in the table is left unread', () => {
    assert.equal(rows.length, section.split('\n').filter((line) => line.startsWith('|')).length - 2)
    for (const wanted of BEHAVIOURS) {
      assert.ok(
        rows.some(({ behaviour }) => behaviour.startsWith(wanted)),
        wanted,
      )
    }
  })

  it('names codes and offences that there are', () => {
    for (const { behaviour, met } of rows) {
      for (const [, name = ''] of met.matchAll(/`(.+?)`/g)) {
        assert.ok(name in ERROR_CODES || OFFENCES.includes(name), `${behaviour}: ${name}`)
      }
    }
  })

  it('names tests that there are, and none that is skipped', async function () {
    const loaded = new LoadedTests(this.test as Test)
    for (const { file, title } of rows) assert.ok(await loaded.has(file, title), `${file}: ${title}`)
  })
})
