import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { adviseSetting } from '../../cli/setting-advice.ts'
import { type ConfigFlags, loadConfig } from '../../config/index.ts'

describe('cli/setting-advice', () => {
  let cwd = ''

  before(() => {
    cwd = mkdtempSync(join(tmpdir(), 'massa-storage-advice-'))
    writeFileSync(join(cwd, 'x.toml'), '[distributed_storage]\nenabled = true\n')
  })
  after(() => rmSync(cwd, { recursive: true }))

  const load = (file?: string, env: Record<string, string> = {}, flags: ConfigFlags = {}) =>
    loadConfig({ file, env, flags, cwd })

  it('names the file and the table where nothing or the file says it', () => {
    assert.equal(
      adviseSetting(load(), 'enabled', 'true'),
      "set 'enabled = true' below [distributed_storage] in config/config.toml",
    )
    assert.equal(
      adviseSetting(load('x.toml'), 'node.grpc_urls', '["a:1"]', 'a:1'),
      `set 'grpc_urls = ["a:1"]' below [distributed_storage.node] in ${join(cwd, 'x.toml')}`,
    )
  })

  it('names the variable or the option that wins over the file', () => {
    const loaded = load('x.toml', { MASSA_STORAGE_ENABLED: 'false', MASSA_STORAGE_NODE__GRPC_URLS: '' })
    assert.match(adviseSetting(loaded, 'enabled', 'true'), /^set MASSA_STORAGE_ENABLED=true in the environment/)
    assert.match(adviseSetting(loaded, 'node.grpc_urls', '["a:1"]', 'a:1'), /^set MASSA_STORAGE_NODE__GRPC_URLS=a:1 /)
    const flagged = load('x.toml', { MASSA_STORAGE_ENABLED: 'true' }, { enabled: 'false' })
    assert.match(adviseSetting(flagged, 'enabled', 'true'), /^use '--set enabled=true'/)
  })
})
