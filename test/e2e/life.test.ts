import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, watch } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeWallet } from '../devnet/node/face.ts'
import { type RunningCli, runCli, startCli } from './run-cli.ts'

const RECORDING = fileURLToPath(new URL('../fixtures/sandbox/push.ndjson.gz', import.meta.url))

describe('e2e/life', function () {
  this.timeout(90_000)
  let dir: string
  const pids: number[] = []
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-life-'))
  })
  afterEach(() => {
    for (const pid of pids.splice(0)) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
    rmSync(dir, { recursive: true, force: true })
  })

  /** A sidecar whose node is not there. */
  function begin(env: Record<string, string> = {}): RunningCli {
    const sidecar = startCli(['start'], {
      cwd: dir,
      env: {
        MASSA_STORAGE_ENABLED: 'true',
        MASSA_STORAGE_DATA_DIR: 'archive',
        MASSA_STORAGE_NODE__GRPC_URLS: '127.0.0.1:1',
        MASSA_STORAGE_API__BIND: '127.0.0.1:0',
        MASSA_STORAGE_METRICS__ENABLED: 'false',
        MASSA_STORAGE_LOG__FORMAT: 'json',
        ...env,
      },
    })
    if (sidecar.child.pid !== undefined) pids.push(sidecar.child.pid)
    return sidecar
  }

  for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
    it(`start ends cleanly on ${signal}`, async () => {
      const sidecar = begin()
      await sidecar.waitFor('"msg":"massa-storage started"')
      sidecar.child.kill(signal)
      const { code, stdout, stderr } = await sidecar.ended
      assert.equal(code, 0, `${stdout}\n${stderr}`)
      assert.match(stdout, new RegExp(`"signal":"${signal}","msg":"stopping"`))
      assert.match(stdout, /"msg":"stopped"/)
      assert.equal(existsSync(join(dir, 'archive', 'daemon.json')), false)
    })
  }

  it('a signal while the command is still being loaded ends the start, and leaves nothing', async () => {
    // The process sends it to itself as soon as somebody listens.
    const early = `process.on('newListener', function look(name) {
      if (name !== 'SIGTERM') return
      process.removeListener('newListener', look)
      setImmediate(() => process.kill(process.pid, 'SIGTERM'))
    })`
    const sidecar = begin({ NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(early)}` })
    const { code, stdout, stderr } = await sidecar.ended
    assert.equal(code, 0, stdout + stderr)
    assert.equal(existsSync(join(dir, 'archive', 'daemon.json')), false)
    // Newer Nodes load modules without looking for signals in between: then it comes when there is something to end.
    assert.equal(/massa-storage started/.test(stdout), /"msg":"stopped"/.test(stdout), stdout)
  })

  it('a signal while the store is still being opened ends the start cleanly, and the next start works', async () => {
    const dataDir = join(dir, 'archive')
    mkdirSync(dataDir)
    let sidecar: RunningCli | undefined
    let wasEarly: boolean | undefined
    // The ballast is written long before the store is open: 64 MiB.
    const watcher = watch(dataDir, (_event, name) => {
      if (wasEarly !== undefined || !name?.startsWith('ballast')) return
      wasEarly = !/apiUrl/.test(readFileSync(join(dataDir, 'daemon.json'), 'utf8'))
      sidecar?.child.kill('SIGTERM')
    })
    sidecar = begin()
    const { code, stdout, stderr } = await sidecar.ended
    watcher.close()
    assert.equal(wasEarly, true)
    assert.equal(code, 0, stdout + stderr)
    assert.match(stdout, /"msg":"stopped"/)
    assert.equal(existsSync(join(dataDir, 'daemon.json')), false)
    const again = begin()
    await again.waitFor('"msg":"massa-storage started"')
    again.child.kill('SIGTERM')
    const end = await again.ended
    assert.equal(end.code, 0, end.stdout + end.stderr)
  })

  it('regression: a diagnostic report has neither the key nor the password of the environment', async () => {
    const secrets = { MASSA_STORAGE_SECRET_KEY: makeWallet('life').secret, MASSA_STORAGE_PASSWORD: 'pass word' }
    const sidecar = begin({ ...secrets, NODE_OPTIONS: '--report-on-signal' })
    await sidecar.waitFor('"msg":"massa-storage started"')
    const written = new Promise<string>((resolve) => {
      const watcher = watch(dir, (_event, name) => {
        if (!name?.startsWith('report.')) return
        const text = readFileSync(join(dir, name), 'utf8')
        if (!text.trimEnd().endsWith('}')) return
        watcher.close()
        resolve(text)
      })
    })
    sidecar.child.kill('SIGUSR2')
    const report = await written
    assert.match(report, /MASSA_STORAGE_DATA_DIR/)
    for (const [name, secret] of Object.entries(secrets)) {
      assert(!report.includes(name), name)
      assert(!report.includes(secret), name)
    }
    sidecar.child.kill('SIGTERM')
    const { code, stdout, stderr } = await sidecar.ended
    assert.equal(code, 0, stderr)
    for (const secret of Object.values(secrets)) assert(!(stdout + stderr).includes(secret.slice(2)))
  })

  it('/ready says 503 and why while there is neither a node nor an archive; /health says 200', async () => {
    const sidecar = begin()
    await sidecar.waitFor('"msg":"massa-storage started"')
    const status = await runCli(['status', '--json', '--data-dir', 'archive'], { cwd: dir })
    assert.equal(status.code, 1)
    const info = JSON.parse(status.stdout)
    assert.equal(info.archived, null)
    const watching = startCli(['status', '--watch', '--json', '--data-dir', 'archive'], { cwd: dir })
    await watching.waitFor('"archived":null')
    watching.child.kill('SIGINT')
    assert.equal((await watching.ended).code, 130)
    const { apiUrl: url } = readInfo(join(dir, 'archive'))
    const ready = await fetch(`${url}/ready`)
    assert.equal(ready.status, 503)
    assert.deepEqual(await ready.json(), {
      ready: false,
      problems: ['no massa-node answers', 'nothing is archived yet'],
    })
    assert.equal((await fetch(`${url}/health`)).status, 200)
    sidecar.child.kill('SIGTERM')
    assert.equal((await sidecar.ended).code, 0)
  })

  it('the sidecar of a replay ends when the replay is killed', async () => {
    const replay = startCli(['replay', RECORDING, '--data-dir', 'archive'], { cwd: dir })
    await replay.waitFor('massa-storage started')
    const { pid } = readInfo(join(dir, 'archive'))
    pids.push(pid)
    assert.equal(isAlive(pid), true)
    replay.child.kill('SIGKILL')
    // Ends with the last process that holds its pipes: the sidecar.
    const { stdout } = await replay.ended
    assert.match(stdout, /\[INFO\] stopped/)
    assert.equal(existsSync(join(dir, 'archive', 'daemon.json')), false)
  })

  it('the sidecar of a replay runs with the settings that the first line of the command gives', async function () {
    // Other systems do not show the environment of a process.
    if (!existsSync('/proc/self/environ')) this.skip()
    const replay = startCli(['replay', RECORDING, '--data-dir', 'archive'], { cwd: dir })
    await replay.waitFor('massa-storage started')
    const { pid } = readInfo(join(dir, 'archive'))
    pids.push(pid)
    assert.ok(readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes('MALLOC_MMAP_THRESHOLD_=131072'))
    assert.ok(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes('--max-semi-space-size=4'))
    replay.child.kill('SIGTERM')
    await replay.ended
  })

  it('a replay whose sidecar is refused does not take the archive of the process that holds the folder for its own', async () => {
    const replay = ['replay', RECORDING, '--fast', '--data-dir', 'archive']
    const first = startCli(replay, { cwd: dir })
    await first.waitFor('Archived period 8:')
    const { code, stdout, stderr } = await runCli([...replay, '--exit-at-head'], { cwd: dir })
    assert.equal(code, 1, stderr)
    assert.match(stdout + stderr, /STORE_LOCKED/)
    assert.match(stderr, /exit code 1, .*CLI_REPLAY_INCOMPLETE/)
    first.child.kill('SIGTERM')
    assert.equal((await first.ended).code, 130)
  })

  it('a replay into an archive that is ahead of its node asks nothing backwards and ends at the head', async () => {
    const args = ['replay', RECORDING, '--data-dir', 'archive', '--fast', '--exit-at-head']
    assert.equal((await runCli(args, { cwd: dir })).code, 0)
    const again = await runCli([...args, '--log-level', 'debug'], { cwd: dir })
    assert.equal(again.code, 0, again.stdout + again.stderr)
    assert.doesNotMatch(again.stdout + again.stderr, /Invalid slot range|WARN|ERROR/)
    assert.match(again.stdout, /Verified 9 periods.*no damage/)
  })
})

function readInfo(dataDir: string): { pid: number; apiUrl: string } {
  return JSON.parse(readFileSync(join(dataDir, 'daemon.json'), 'utf8'))
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
