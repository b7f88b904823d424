import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import Mocha, { type Suite } from 'mocha'
import { findPackageRoot } from '../config/index.ts'
import { ERROR_CODES } from '../core/index.ts'

const root = findPackageRoot()
const page = readFileSync(join(root, 'docs/THREATS.md'), 'utf8')

/** What design and issue name. */
const BEHAVIOURS = [
  'wrong chunk',
  'lying have-map',
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

/** Whether each test of a file is run, by its title: of what mocha has loaded, or loads now. */
async function listTests(file: string, loaded: Suite): Promise<Map<string, boolean>> {
  const tests = new Map<string, boolean>()
  const collect = (suite: Suite): void => {
    for (const test of suite.tests) if (test.file === resolve(root, file)) tests.set(test.title, !test.isPending())
    for (const child of suite.suites) collect(child)
  }
  collect(loaded)
  if (tests.size > 0) return tests
  const mocha = new Mocha().addFile(resolve(root, file))
  await mocha.loadFilesAsync()
  collect(mocha.suite)
  return tests
}

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
    let all: Suite | undefined = this.test?.parent
    while (all?.parent) all = all.parent
    assert.ok(all)
    const files = new Map<string, Map<string, boolean>>()
    for (const { file } of rows) if (!files.has(file)) files.set(file, await listTests(file, all))
    for (const { file, title } of rows) assert.equal(files.get(file)?.get(title), true, `${file}: ${title}`)
  })
})
