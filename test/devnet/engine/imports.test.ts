import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { findPackageRoot } from '../../../config/index.ts'

const ROOT = findPackageRoot()
/** Imports and re-exports that are loaded at once; types and `import()` are not. */
const STATIC_IMPORT = /^(?:import|export)\s+(?!type\b)[\w$*{},\s]*?from '(\.[^']+)'/gm

/** Files of this package that are loaded with these. */
function listLoaded(files: readonly string[]): string[] {
  const loaded = [...files]
  // Grows while it is walked.
  for (const each of loaded) {
    for (const [, name = ''] of readFileSync(join(ROOT, each), 'utf8').matchAll(STATIC_IMPORT)) {
      const path = relative(ROOT, join(ROOT, dirname(each), name))
      if (!loaded.includes(path)) loaded.push(path)
    }
  }
  return loaded
}

describe('devnet/engine: what it loads', () => {
  const engine = readdirSync(join(ROOT, 'devnet', 'engine'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join('devnet', 'engine', name))
  const outside = listLoaded(engine).filter((file) => !file.startsWith('devnet/engine/'))

  it('sees what a file loads that needs more', () => {
    assert.ok(listLoaded(['storage-worker/deploy-registry.ts']).includes('core/registry/views.ts'))
  })

  it('nothing of storage: texts, numbers and signatures of Massa, and errors', () => {
    const errorTables = outside.filter((file) => /^core\/(?:error-codes\/|registry\/error-codes)/.test(file))
    assert.deepEqual(outside.filter((file) => !errorTables.includes(file)).sort(), [
      'core/base58check.ts',
      'core/bytes.ts',
      'core/codec.ts',
      'core/error-codes.ts',
      'core/errors.ts',
      'core/massa/address.ts',
      'core/massa/amount-text.ts',
      'core/massa/atoms.ts',
      'core/massa/datastore-order.ts',
      'core/massa/operation.ts',
      'core/massa/text-faults.ts',
      'core/units.ts',
    ])
  })
})
