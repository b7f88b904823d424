import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  watch,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BIN } from './run-cli.ts'

const LIMIT_MS = 30_000

describe('e2e/surroundings', function () {
  this.timeout(60_000)
  let dir: string

  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-around-'))
  })
  after(() => rmSync(dir, { recursive: true, force: true }))

  it('error: an output that cannot be written gives 1, one sentence and no stack', function () {
    if (!existsSync('/dev/full')) this.skip()
    for (const args of [['--help'], ['config', 'show'], ['config', 'show', '--json']]) {
      const full = openSync('/dev/full', 'w')
      const stdio = ['ignore' as const, full, 'pipe' as const]
      const { status, stderr } = spawnSync(process.execPath, [BIN, ...args], { cwd: dir, stdio, timeout: LIMIT_MS })
      closeSync(full)
      assert.equal(status, 1)
      assert.match(String(stderr), /CLI_OUTPUT_FAILED/)
      assert.doesNotMatch(String(stderr), /^\s+at /m)
    }
  })

  it('a sidecar goes on without a log, and says so once', async function () {
    if (!existsSync('/dev/full')) this.skip()
    const full = openSync('/dev/full', 'w')
    const settings = {
      enabled: 'true',
      'node.grpc_urls': '127.0.0.1:1',
      'api.bind': '127.0.0.1:0',
      'metrics.enabled': 'false',
    }
    const args = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`])
    const sidecar = spawn(process.execPath, [BIN, '--data-dir', 'mute', ...args, 'start', '--log-level', 'trace'], {
      cwd: dir,
      stdio: ['ignore', full, 'pipe'],
      timeout: LIMIT_MS,
    })
    let stderr = ''
    sidecar.stderr?.on('data', (bytes) => {
      stderr += bytes
    })
    const ended = new Promise((resolve) => sidecar.once('close', resolve))
    await once(sidecar.stderr ?? sidecar, 'data')
    await waitForFile(join(dir, 'mute', 'daemon.json'), /apiUrl/)
    sidecar.kill('SIGTERM')
    assert.equal(await ended, 0, stderr)
    closeSync(full)
    assert.equal(stderr.match(/CLI_OUTPUT_FAILED/g)?.length, 1, stderr)
  })

  it('error: a working directory that was deleted gives 2 and is no bug', () => {
    mkdirSync(join(dir, 'gone'))
    const script = 'cd gone && rmdir ../gone && exec "$0" "$1" config check'
    const run = spawnSync('/bin/sh', ['-c', script, process.execPath, BIN], { cwd: dir, timeout: LIMIT_MS })
    assert.equal(run.status, 2, String(run.stderr))
    assert.match(String(run.stderr), /CLI_FOLDER_GONE/)
    assert.doesNotMatch(String(run.stderr), /bug|^\s+at /m)
  })

  it('error: config init with answers from a pipe writes nothing, also with --force', () => {
    writeFileSync(join(dir, 'mine.toml'), 'mine')
    for (const args of [
      ['--file', 'none.toml'],
      ['--force', '--file', 'mine.toml'],
    ]) {
      const options = { cwd: dir, input: 'a:1\nmainnet\n1\n1\n', timeout: LIMIT_MS }
      const { status, stderr } = spawnSync(process.execPath, [BIN, 'config', 'init', ...args], options)
      assert.equal(status, 2)
      assert.match(String(stderr), /CLI_NO_TERMINAL/)
    }
    assert.equal(existsSync(join(dir, 'none.toml')), false)
  })
})

/** Until the file holds the text; mocha's limit ends it. */
function waitForFile(path: string, text: RegExp): Promise<void> {
  const isThere = () => existsSync(path) && text.test(readFileSync(path, 'utf8'))
  return new Promise((resolve) => {
    const watcher = watch(join(path, '..'), () => look())
    const look = (): void => {
      if (!isThere()) return
      watcher.close()
      resolve()
    }
    look()
  })
}
