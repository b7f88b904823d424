import { resolve } from 'node:path'
import Mocha, { type Suite, type Test } from 'mocha'
import { findPackageRoot } from '../config/index.ts'

const root = findPackageRoot()

/** Titles of files that are not loaded in this run, by path: a module can be loaded once. */
const others = new Map<string, ReadonlySet<string>>()

/** What of other test files mocha runs, or would run: not what their texts say. */
export class LoadedTests {
  private readonly suite: Suite

  /** @param test - that is running */
  constructor(test: Test) {
    let suite = test.parent
    while (suite?.parent) suite = suite.parent
    if (!suite) throw new Error('a test without a suite')
    this.suite = suite
  }

  /** Whether a file has a test of this title that is not skipped. */
  async has(file: string, title: string): Promise<boolean> {
    const path = resolve(root, file)
    const loaded = listTitles(this.suite, path)
    if (loaded.size > 0) return loaded.has(title)
    const known = others.get(path) ?? (await loadTitles(path))
    others.set(path, known)
    return known.has(title)
  }
}

async function loadTitles(path: string): Promise<ReadonlySet<string>> {
  const mocha = new Mocha().addFile(path)
  await mocha.loadFilesAsync()
  return listTitles(mocha.suite, path)
}

function listTitles(suite: Suite, path: string): Set<string> {
  const own = suite.tests.filter((test) => test.file === path && !test.isPending()).map(({ title }) => title)
  return new Set([...own, ...suite.suites.flatMap((child) => [...listTitles(child, path)])])
}
