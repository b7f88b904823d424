import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  deploymentNotePath,
  readDeploymentNote,
  removeDeploymentNote,
  writeDeploymentNote,
} from '../../cli/deployment-note.ts'
import { isArchiveError } from '../../core/index.ts'

const NOTE = {
  signed: {
    operationId: 'O1',
    sender: 'AU1',
    balanceNanoMas: 2n ** 63n,
    expirePeriod: 12,
    feeNanoMas: 10_000_000n,
    maxGas: 900_000_000n,
  },
  admin: 'AU2',
  settingsHash: 'ab'.repeat(32),
  priceNanoMas: 4_000_000_000n,
}

describe('cli/deployment-note', () => {
  let dir: string
  let path: string

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-note-'))
    path = deploymentNotePath(join(dir, 'config', 'config.toml'), 77n)
  })

  afterEach(() => rmSync(dir, { recursive: true }))

  it('stands beside the configuration, comes back as it was, and goes', () => {
    assert.equal(readDeploymentNote(path), undefined)
    writeDeploymentNote(path, NOTE)
    assert.equal(path, join(dir, 'config', 'deployment-77.json'))
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.deepEqual(readDeploymentNote(path), NOTE)
    removeDeploymentNote(path)
    assert.equal(readDeploymentNote(path), undefined)
  })

  it('error: a second one beside the first, and one that is damaged', () => {
    const isDeploying = (error: unknown) => isArchiveError(error, 'CONTRACT_DEPLOYING')
    writeDeploymentNote(path, NOTE)
    assert.throws(() => writeDeploymentNote(path, NOTE), isDeploying)
    writeFileSync(path, '{"signed":')
    assert.throws(() => readDeploymentNote(path), isDeploying)
  })
})
