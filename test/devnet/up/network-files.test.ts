import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isArchiveError } from '../../../core/index.ts'
import { startLocalApi } from '../../../devnet/local-api.ts'
import { findRunning } from '../../../devnet/up/find-running.ts'
import { KeptDescription } from '../../../devnet/up/kept-description.ts'
import { type NetworkDescription, NetworkFiles, type RunningNetwork } from '../../../devnet/up/network-files.ts'

const DESCRIPTION: NetworkDescription = {
  version: 1,
  chainId: '77',
  seed: 'a seed',
  password: 'a password',
  operatorAddress: 'AU1',
  sidecars: [{ name: 'sidecar-1', address: 'AU2', isRegistered: false }],
}

function makeRunning(url: string, token: string): RunningNetwork {
  // Process 1 always runs: a number alone proves nothing.
  return { version: 1, pid: 1, url, token, node: { url, token, grpcPort: 1, jsonRpcPort: 1 } }
}

describe('devnet/up/network-files', () => {
  let dir: string
  let files: NetworkFiles

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-files-'))
    files = new NetworkFiles(dir)
  })

  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  it('gives back what was written, in a file that only its owner may read', () => {
    files.writeDescription(DESCRIPTION)
    assert.deepEqual(files.readDescription(), DESCRIPTION)
    assert.equal(statSync(join(dir, 'network.json')).mode & 0o077, 0)
  })

  it('knows no network in an empty directory', () => {
    assert.equal(files.readDescription(), undefined)
  })

  it('error: refuses a file in place of the directory', () => {
    const file = join(dir, 'file')
    writeFileSync(file, '')
    assert.throws(
      () => new NetworkFiles(file).readDescription(),
      (error) => isArchiveError(error, 'DEVNET_DIRECTORY_INVALID') && /ENOTDIR/.test(error.message),
    )
  })

  it('error: refuses a directory that holds something else', () => {
    writeFileSync(join(dir, 'thesis.txt'), 'years of work')
    assert.throws(
      () => files.readDescription(),
      (error) => isArchiveError(error, 'DEVNET_DIRECTORY_INVALID'),
    )
  })

  it('takes a directory that holds nothing but what an interrupted first start has left', () => {
    files.prepare()
    writeFileSync(join(dir, 'network.json.4711.tmp'), '{"version":1,')
    const kept = KeptDescription.open(files, 'a seed')
    assert.equal(kept.isNew, true)
    assert.deepEqual(files.readDescription(), kept.value)
  })

  for (const name of ['logs', 'operator']) {
    it(`error: refuses a directory whose ${name} is somebody else's`, () => {
      files.prepare()
      writeFileSync(join(dir, name, 'thesis.txt'), 'years of work')
      assert.throws(
        () => files.readDescription(),
        (error) => isArchiveError(error, 'DEVNET_DIRECTORY_INVALID'),
      )
    })
  }

  it('error: a write that fails leaves nothing behind', () => {
    mkdirSync(join(dir, 'running.json', 'in the way'), { recursive: true })
    assert.throws(
      () => files.writeRunning(makeRunning('http://127.0.0.1:1', 'any')),
      (error) => isArchiveError(error, 'DEVNET_DIRECTORY_INVALID'),
    )
    assert.deepEqual(readdirSync(dir), ['running.json'])
  })

  for (const [what, text] of [
    ['cut off', '{"version":1,'],
    ['with a sidecar that would leave the directory', JSON.stringify({ ...DESCRIPTION, sidecars: [{ name: '../x' }] })],
    ['of another version', JSON.stringify({ ...DESCRIPTION, version: 2 })],
  ] as const) {
    it(`error: refuses a description that is ${what}`, () => {
      writeFileSync(join(dir, 'network.json'), text)
      assert.throws(
        () => files.readDescription(),
        (error) => isArchiveError(error, 'DEVNET_DIRECTORY_INVALID'),
      )
    })
  }

  it('takes a damaged state file for that of a network that has ended', async () => {
    writeFileSync(join(dir, 'running.json'), '{"version":')
    assert.equal(files.readRunning(), undefined)
    await assert.rejects(findRunning(dir), (error) => isArchiveError(error, 'DEVNET_NOT_RUNNING'))
  })

  it('finds a running network by the token that it answers to', async () => {
    const api = await startLocalApi({ port: 0, token: 'right' }, { 'GET /network': () => ({}) })
    try {
      files.writeRunning(makeRunning(api.url, 'right'))
      assert.equal((await findRunning(dir)).running.token, 'right')
      files.writeRunning(makeRunning(api.url, 'of a network before'))
      await assert.rejects(findRunning(dir), (error) => isArchiveError(error, 'DEVNET_NOT_RUNNING'))
    } finally {
      await api.close()
    }
  })

  it('finds nothing where nobody answers, although a process has the number', async () => {
    files.writeRunning(makeRunning('http://127.0.0.1:1', 'any'))
    await assert.rejects(findRunning(dir), (error) => isArchiveError(error, 'DEVNET_NOT_RUNNING'))
  })
})
