import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findPackageRoot, readPackageVersion } from '../../config/index.ts'

/** Installing takes some 10 s; more means that the registry is slow, not that the package is wrong. */
const INSTALL_LIMIT_MS = 240_000

describe('e2e/package', function () {
  this.timeout(2 * INSTALL_LIMIT_MS)
  let dir: string

  /** A child without the loader of the tests: it must run by itself. */
  const run = (command: string, args: readonly string[], cwd: string) => {
    const { NODE_OPTIONS: _nodeOptions, ...env } = process.env
    const child = spawnSync(command, args, { cwd, env, encoding: 'utf8', timeout: INSTALL_LIMIT_MS })
    assert.equal(
      child.status,
      0,
      `${command} ${args.join(' ')}\n${child.error ?? ''}\n${child.stdout}\n${child.stderr}`,
    )
    return child.stdout
  }
  const installed = () => join(dir, 'prefix', 'bin', 'massa-storage')

  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-package-'))
    // What is packed was built before: the tests of this folder run it.
    run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', dir], findPackageRoot())
    const tarball = readdirSync(dir).find((name) => name.endsWith('.tgz'))
    assert.ok(tarball)
    run('npm', ['install', '--silent', '--global', '--prefix', join(dir, 'prefix'), join(dir, tarball)], dir)
  })

  after(() => rmSync(dir, { recursive: true, force: true }))

  it('installs into an empty prefix and says its version by both names', () => {
    for (const name of ['massa-storage', 'massa-cli']) {
      assert.equal(run(join(dir, 'prefix', 'bin', name), ['--version'], dir).trim(), readPackageVersion())
    }
  })

  it('archives the recording that comes with it, in a folder of the user', () => {
    const output = run(installed(), ['replay', '--fast', '--exit-at-head'], dir)
    assert.match(output, /^\[INFO\] Archived period 58: 26 blocks, 30 operations, 1 chunks$/m)
    assert.match(output, /^Verified 59 periods, 59 chunks, .*: no damage\.$/m)
    const period = JSON.parse(run(installed(), ['inspect', 'period', '40', '--data-dir', 'data/replay', '--json'], dir))
    assert.equal(period.root, 'd5000bf34ab9e81d0efb32ed324363bd66bde28100ac5258b2770e8776edd556')
  })

  it('brings the contract engine by its name, with types', () => {
    const root = join(dir, 'prefix', 'lib', 'node_modules')
    const project = join(dir, 'project')
    mkdirSync(project)
    symlinkSync(root, join(project, 'node_modules'))
    const wasm = join(root, 'massa-storage', 'massa-storage-sc', 'build', 'storage-registry.wasm')
    writeFileSync(
      join(project, 'main.mjs'),
      `import { readFileSync } from 'node:fs'
       import { ContractEngine } from 'massa-storage/engine'
       const engine = new ContractEngine({})
       console.log(engine.placeContract(readFileSync(process.argv[2]), 1_000_000_000n))`,
    )
    assert.match(run('node', ['main.mjs', wasm], project), /^AS1\w+\n$/)
    const { exports } = JSON.parse(readFileSync(join(root, 'massa-storage', 'package.json'), 'utf8')) as {
      exports: Record<string, { types: string }>
    }
    assert.ok(existsSync(join(root, 'massa-storage', exports['./engine']?.types ?? 'none')))
  })

  it('brings the verifier by its name, and as one file for browsers', () => {
    const project = join(dir, 'verifying')
    mkdirSync(project)
    symlinkSync(join(dir, 'prefix', 'lib', 'node_modules'), join(project, 'node_modules'))
    const lines = ['massa-storage/verify', 'massa-storage/verify.bundle.js'].map(
      (name) => `try { (await import('${name}')).verifyProof('{}', { kind: 'period', period: 1 }) }
                 catch ({ code }) { console.log(code) }`,
    )
    writeFileSync(join(project, 'main.mjs'), lines.join('\n'))
    assert.equal(run('node', ['main.mjs'], project), 'CORE_READING_MALFORMED\nCORE_READING_MALFORMED\n')
  })

  it('brings configuration, documents and files for servers, and no sources or tests', () => {
    const root = join(dir, 'prefix', 'lib', 'node_modules', 'massa-storage')
    for (const name of ['README.md', 'LICENSE', 'CHANGELOG.md', 'docs', 'ops', 'config', 'bin', 'dist'])
      assert.ok(readdirSync(root).includes(name), name)
    assert.ok(readdirSync(join(root, 'config')).includes('base_config.toml'))
    for (const name of ['test', 'core', 'bench']) assert.ok(!readdirSync(root).includes(name), name)
    const files = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' })
    for (const name of ['index.html', 'style.css', 'icon.svg', 'app.js', 'verify-worker.js'])
      assert.ok(files.includes(join('explorer', name)), name)
    assert.ok(!files.some((name) => name.startsWith('test') || name.includes('.tsbuildinfo')), files.join(' '))
  })
})
