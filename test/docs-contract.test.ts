import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findPackageRoot } from '../config/index.ts'
import { CONFIG_FIELDS, REGISTRY_WASM } from './sc/registry-world.ts'

const root = findPackageRoot()
const page = readFileSync(join(root, 'docs/CONTRACT.md'), 'utf8')
const assembly = join(root, 'massa-storage-sc/assembly')

function readSources(folder: string): string {
  const names = readdirSync(join(assembly, folder)).filter((name) => name.endsWith('.ts'))
  return names.map((name) => readFileSync(join(assembly, folder, name), 'utf8')).join('\n')
}

interface WasmModule {
  new (bytes: Uint8Array): object
  exports(module: object): readonly { readonly kind: string; readonly name: string }[]
}

describe('docs/CONTRACT.md', () => {
  it('has the codes, gas and costs that the contract gives', function () {
    this.timeout(60_000)
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--conditions=source', '--import=tsx', 'bench/run-contract-docs.ts', '--check'],
      { cwd: root, encoding: 'utf8', timeout: 60_000 },
    )
    assert.equal(status, 0, stderr)
  })

  it('names every function of the wasm', () => {
    const { Module } = (globalThis as unknown as { WebAssembly: { Module: WasmModule } }).WebAssembly
    for (const { kind, name } of Module.exports(new Module(REGISTRY_WASM))) {
      if (kind === 'function' && !name.startsWith('__')) assert.ok(page.includes(`\`${name}\``), name)
    }
  })

  it('names every event', () => {
    const events = [...readSources('internals').matchAll(/emit\(\s*'([A-Z_]+)'/g)].map(([, name]) => name ?? '')
    assert.ok(events.length > 20)
    for (const name of events) assert.match(page, new RegExp(`\\| .*\\b${name}\\b.* \\|`))
  })

  it('names every setting with its default', () => {
    for (const [name, , value] of CONFIG_FIELDS.slice(6)) {
      const shown = name === 'requireAnchors' ? 'false' : value.toLocaleString('en')
      assert.match(page, new RegExp(`\\| ${name} (u64|u32|bool) \\| ${shown}[ ,]`), name)
    }
    for (const [name] of CONFIG_FIELDS.slice(0, 6)) assert.ok(page.includes(name), name)
  })

  it('names every record with its size, and the fields of the largest in order', () => {
    const structs = readSources('structs')
    for (const [, bytes] of structs.matchAll(/RECORD_BYTES = (\d+)/g)) assert.ok(page.includes(`| ${bytes} |`), bytes)
    for (const struct of ['StorageNode', 'RegistryState', 'Challenge', 'PeriodStats']) {
      const source = readFileSync(join(assembly, `structs/${struct}.ts`), 'utf8')
      const fields = [...source.matchAll(/\.(\w+) = reader\./g)].map(([, name]) => name)
      assert.ok(fields.length > 5)
      const pattern = fields.join('\\b[^|]*?\\b')
      assert.match(page, new RegExp(pattern), struct)
    }
  })
})
