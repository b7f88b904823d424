import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { EXIT_CODES } from '../cli/exit-codes.ts'
import { findPackageRoot, readBaseSettings } from '../config/index.ts'

const root = findPackageRoot()
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** Names of a section's list, each with its reason. */
function readList(section: string): Map<string, string> {
  const text = read('docs/DEPENDENCIES.md').split(`\n## ${section}\n`)[1]?.split('\n## ')[0] ?? ''
  return new Map([...text.matchAll(/^- `([^`]+)`: (.+)$/gm)].map(([, name, reason]) => [name ?? '', reason ?? '']))
}

function listPages(): string[] {
  const inDocs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  return [
    'README.md',
    'CHANGELOG.md',
    ...inDocs.filter((name) => name.endsWith('.md')).map((name) => join('docs', name)),
  ]
}

describe('docs', () => {
  const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string>>
  const contract = JSON.parse(read('massa-storage-sc/package.json')) as Record<string, Record<string, string>>
  const sections = [
    ['Needed to run', manifest.dependencies],
    ['Needed to build and test', manifest.devDependencies],
    ['Needed to build and test the contract', contract.devDependencies],
  ] as const

  for (const [section, dependencies] of sections) {
    it(`DEPENDENCIES.md gives a reason for each package "${section.toLowerCase()}" and no other`, () => {
      const list = readList(section)
      assert.deepEqual([...list.keys()], Object.keys(dependencies ?? {}).sort())
      for (const [name, reason] of list) assert.ok(reason.length > 10 && reason.endsWith('.'), name)
    })
  }

  it('every dependency has an exact version', () => {
    for (const [, dependencies] of sections) {
      for (const [name, version] of Object.entries(dependencies ?? {})) {
        assert.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/, name)
      }
    }
  })

  it('every link between pages leads somewhere', () => {
    for (const page of listPages()) {
      for (const [, target] of read(page).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
        if (target === undefined || /^https?:/.test(target)) continue
        assert.ok(existsSync(resolve(root, dirname(page), target)), `${page}: ${target}`)
      }
    }
  })

  it('README names every exit code and the default addresses', () => {
    const readme = read('README.md')
    const rows = [...readme.matchAll(/^\| (\d+) \| /gm)].map(([, code]) => Number(code))
    assert.deepEqual(
      rows,
      Object.values(EXIT_CODES).map(({ code }) => code),
    )
    for (const path of ['api.bind', 'metrics.bind']) {
      const bind = JSON.parse(readBaseSettings().get(path)?.defaultText ?? '')
      assert.ok(readme.includes(`| ${bind} |`), bind)
    }
  })
})
