import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { findPackageRoot } from '../config/index.ts'

describe('scripts/generate-docs', () => {
  it('finds docs/ERRORS.md, CONFIG.md, METRICS.md, openapi.json, DEVNET_EVIDENCE.md and config.lock.toml as code and recordings say', () => {
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--conditions=source', '--import=tsx', 'scripts/generate-docs.ts', '--check'],
      { cwd: findPackageRoot(), encoding: 'utf8', timeout: 50_000 },
    )
    assert.equal(status, 0, stderr)
  })
})
