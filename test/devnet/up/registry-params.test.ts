import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadRegistryParams } from '../../../config/index.ts'
import { checkRegistryConfig } from '../../../core/index.ts'
import { computeResponseTimeout, writeRegistryParams } from '../../../devnet/up/registry-params.ts'

describe('devnet/up/registry-params', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'massa-storage-params-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('gives a challenged node a minute by the clock on the wall, as far as a registry allows', () => {
    const timeouts = ([0.5, 1, 8, 1_000, 'turbo'] as const).map(computeResponseTimeout)
    assert.deepEqual(timeouts, [60_000, 60_000, 480_000, 3_600_000, 3_600_000])
  })

  it('writes what `contract deploy --params` takes', () => {
    const config = loadRegistryParams(writeRegistryParams({ directory: join(folder, 'operator'), speed: 8 }))
    checkRegistryConfig(config)
    assert.deepEqual(config, { ...loadRegistryParams(undefined), challengeResponseTimeout: 480_000n })
  })

  it('error: a directory that is a file', () => {
    writeFileSync(join(folder, 'operator'), '')
    assert.throws(() => writeRegistryParams({ directory: join(folder, 'operator'), speed: 8 }), {
      code: 'DEVNET_DIRECTORY_INVALID',
    })
  })
})
