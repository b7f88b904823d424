import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { findPackageRoot } from '../../config/index.ts'

const ROOT = findPackageRoot()
const { imports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly imports: Readonly<Record<string, { readonly source: { readonly node: string } }>>
}
/** Imports and re-exports that are loaded at once; types and `import()` are not. */
const STATIC_IMPORT = /^(?:import|export)\s+(?!type\b)[\w$*{},\s]*?from '([^']+)'/gm

/** The packages that are loaded with a file of the sources. */
function listPackages(file: string): string[] {
  const files = [file]
  const packages = new Set<string>()
  // Grows while it is walked.
  for (const each of files) {
    for (const [, name = ''] of readFileSync(join(ROOT, each), 'utf8').matchAll(STATIC_IMPORT)) {
      const own = name.startsWith('.') ? join(dirname(each), name) : imports[name]?.source.node
      if (own === undefined) {
        if (!name.startsWith('node:')) packages.add(name)
        continue
      }
      const path = relative(ROOT, join(ROOT, own))
      if (!files.includes(path)) files.push(path)
    }
  }
  return [...packages].sort()
}

describe('cli: what a command loads before it runs', () => {
  it('sees the packages of a command that needs them', () => {
    const packages = listPackages('cli/commands/start.ts')
    for (const name of ['@grpc/grpc-js', 'classic-level', 'fastify', 'pino', 'piscina', 'prom-client', 'protobufjs']) {
      assert.ok(packages.includes(name), name)
    }
  })

  it('version, help and wrong usage load the parser of the command line alone', () => {
    assert.deepEqual(listPackages('cli/index.ts'), ['commander'])
  })

  for (const command of ['status', 'config']) {
    it(`${command} loads no more than the configuration takes`, () => {
      const packages = new Set([...listPackages('cli/context.ts'), ...listPackages(`cli/commands/${command}.ts`)])
      assert.deepEqual([...packages].sort(), ['smol-toml', 'zod'])
    })
  }

  for (const command of ['list-chunks', 'inspect', 'prune']) {
    it(`${command} loads the archive, and neither server nor client`, () => {
      const packages = listPackages(`cli/commands/${command}.ts`)
      assert.ok(packages.includes('classic-level'))
      for (const name of ['@grpc/grpc-js', 'fastify', 'pino', 'piscina', 'prom-client']) {
        assert.ok(!packages.includes(name), name)
      }
    })
  }

  it('wallet loads neither archive nor server, and the client of the chain and YAML only when they are used', () => {
    const packages = listPackages('cli/commands/wallet.ts')
    for (const name of [
      '@massalabs/massa-web3',
      'yaml',
      'classic-level',
      '@grpc/grpc-js',
      'fastify',
      'pino',
      'piscina',
    ]) {
      assert.ok(!packages.includes(name), name)
    }
  })
})
