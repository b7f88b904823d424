import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import Mocha, { Suite, type Test } from 'mocha'
import { findPackageRoot } from '../config/index.ts'

const root = findPackageRoot()

/** Titles of files that are not loaded in this run, by path. */
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

/** As mocha loads it; under another name, since the process may have loaded and run it already. */
async function loadTitles(path: string): Promise<ReadonlySet<string>> {
  const mocha = new Mocha()
  const { describe, it, before, after, beforeEach, afterEach } = globalThis
  mocha.suite.emit(Suite.constants.EVENT_FILE_PRE_REQUIRE, globalThis, path, mocha)
  try {
    await import(`${pathToFileURL(path).href}?titles`)
  } finally {
    Object.assign(globalThis, { describe, it, before, after, beforeEach, afterEach })
  }
  return listTitles(mocha.suite, path)
}

function listTitles(suite: Suite, path: string): Set<string> {
  const own = suite.tests.filter((test) => test.file === path && !test.isPending()).map(({ title }) => title)
  return new Set([...own, ...suite.suites.flatMap((child) => [...listTitles(child, path)])])
}
