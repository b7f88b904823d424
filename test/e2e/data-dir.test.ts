import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readRecording, startReplayServer } from '../../devnet/index.ts'
import { makePeriod } from '../storage-worker/synthetic-period.ts'
import { openTestStore } from '../storage-worker/temp-store.ts'
import { CliHost } from './cli-host.ts'
import { type CliResult, runCli, startCli } from './run-cli.ts'

const RECORDING = fileURLToPath(new URL('../fixtures/sandbox/push.ndjson.gz', import.meta.url))
const LAST_PERIOD = 8
const BIN = fileURLToPath(new URL('../../bin/massa-storage.js', import.meta.url))
const READING = ['list-chunks', 'verify', 'inspect period 2'] as const
/** Of nobody, on most machines; any user but root will do. */
const OTHER_USER = 65_534

describe('e2e/data-dir', function () {
  this.timeout(120_000)
  let host: CliHost
  let dir: string

  before(async () => {
    host = new CliHost()
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-data-dir-'))
    const store = await openTestStore(join(dir, 'archive'))
    for (const period of [1, 2, 3]) await store.chunks.writePeriod(makePeriod(period))
    await store.close()
    await (await openTestStore(join(dir, 'archive'))).close()
  })
  after(async () => {
    rmSync(dir, { recursive: true, force: true })
    await host.stop()
  })

  function copyTo(name: string): string {
    cpSync(join(dir, 'archive'), join(dir, name), { recursive: true })
    return join(dir, name)
  }

  for (const lost of ['bodies/CURRENT', 'index/CURRENT', 'index', 'bodies']) {
    it(`without ${lost} every command refuses and leaves the rest as it is, and verify --repair says what it made of it`, async () => {
      const copy = copyTo(`lost-${lost.replace('/', '-')}`)
      rmSync(join(copy, lost), { recursive: true })
      const tables = listTables(copy)
      const run = (...args: string[]) => host.run([...args, '--data-dir', copy], { cwd: dir })
      const start = { 'node.grpc_urls': '127.0.0.1:1', 'node.chain_id': '77', enabled: 'true' }
      const settings = Object.entries(start).flatMap(([key, value]) => ['--set', `${key}=${value}`])
      const refusals = [
        ...(await Promise.all(READING.map((line) => run(...line.split(' '))))),
        await runCli(['start', ...settings, '--data-dir', copy], { cwd: dir }),
      ]
      for (const refused of refusals) {
        assert.equal(refused.code, 5, refused.stdout + refused.stderr)
        assert.ok(refused.stderr.includes(lost), refused.stderr)
        assert.match(refused.stderr, /STORE_DATABASE_DAMAGED/)
        assert.match(refused.stderr, /verify --repair/)
      }
      assert.deepEqual(listTables(copy), tables)
      const repaired = await run('verify', '--repair')
      assert.match(repaired.stdout, new RegExp(`^repaired ${lost}`, 'm'))
      const again = await run('verify')
      if (lost === 'bodies') assert.match(again.stdout, /^DAMAGED period 3: manifest/m)
      else assert.match(again.stdout, /Verified 3 periods.*no damage/)
      if (lost === 'index') assert.match(repaired.stdout, /waiting blocks, quarantine and known gaps are lost/)
    })
  }

  it('on a file system that can only be read, commands say that and what to do', async function () {
    const place = join(dir, 'read-only')
    mkdirSync(place)
    const rights = process.getuid?.() === 0 ? '-m' : '-rm'
    const [unshare, ...shell] = ['unshare', rights, 'sh', '-c'] as const
    const mount = `mount -t tmpfs -o size=16m none '${place}'`
    if (spawnSync(unshare, [...shell, mount]).status !== 0) {
      console.log('      skipped: this machine lets nobody mount a tmpfs')
      this.skip()
    }
    const commands = READING.map(
      (line) => `'${process.execPath}' '${BIN}' ${line} --data-dir '${place}/archive'; echo rc=$?`,
    )
    const script = [mount, `cp -r '${dir}/archive' '${place}/'`, `mount -o remount,ro '${place}'`, ...commands]
    const { stdout, stderr } = spawnSync(unshare, [...shell, script.join('\n')], {
      cwd: dir,
      encoding: 'utf8',
    })
    assert.deepEqual(stdout.trim().split('\n'), ['rc=2', 'rc=2', 'rc=2'], stderr)
    assert.equal(stderr.match(/can only be read.*STORE_READ_ONLY/g)?.length, 3, stderr)
    assert.match(stderr, /cp -a \S*\/archive/)
  })

  it('names the owner of a database that this user may not write, and the line to run', async function () {
    const copy = copyTo('of-another')
    const asRoot = process.getuid?.() === 0
    // Root may write everything: then the command runs as another, in a folder that is his but for one database.
    if (asRoot) {
      chmodSync(dir, 0o755)
      for (const name of ['', ...listAll(copy)]) chownSync(join(copy, name), OTHER_USER, OTHER_USER)
      for (const name of ['bodies', ...listAll(join(copy, 'bodies')).map((entry) => `bodies/${entry}`)]) {
        chownSync(join(copy, name), 0, 0)
      }
    } else chmodSync(join(copy, 'bodies'), 0o500)
    const user = asRoot ? { uid: OTHER_USER, gid: OTHER_USER } : {}
    const args = ['list-chunks', '--data-dir', copy]
    const { status, stderr } = spawnSync(process.execPath, [BIN, ...args], { cwd: '/', encoding: 'utf8', ...user })
    if (asRoot && /EACCES|MODULE_NOT_FOUND/.test(stderr) && !/STORE_/.test(stderr)) {
      console.log('      skipped: no other user may read this package')
      this.skip()
    }
    assert.equal(status, 2, stderr)
    assert.match(stderr, /STORE_ACCESS_DENIED/)
    assert.ok(stderr.includes(join(copy, 'bodies')), stderr)
    if (asRoot)
      assert.match(stderr, /belongs to root, and this process runs as .*sudo chown -R 65534:65534 \S+of-another/s)
    else assert.match(stderr, /chmod -R u\+rwX/)
  })

  it('a start on the wrong network does not lock the data directory to it, nor does one that finds its port taken', async () => {
    const server = await startReplayServer({ recording: await readRecording(RECORDING), fast: true, keepAll: true })
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const address = taken.address()
    assert.ok(address !== null && typeof address === 'object')
    const base = {
      MASSA_STORAGE_ENABLED: 'true',
      MASSA_STORAGE_DATA_DIR: 'claimed',
      MASSA_STORAGE_RETENTION_PERIODS: '0',
      MASSA_STORAGE_NODE__GRPC_URLS: server.url,
      MASSA_STORAGE_NODE__POLL_INTERVAL_MS: '100',
      MASSA_STORAGE_API__BIND: '127.0.0.1:0',
      MASSA_STORAGE_METRICS__BIND: '127.0.0.1:0',
      MASSA_STORAGE_LOG__FORMAT: 'human',
    }
    const start = (env: Record<string, string>): Promise<CliResult> =>
      runCli(['start'], { cwd: dir, env: { ...base, ...env } })
    try {
      // The network that is configured when nobody says another one.
      const busy = await start({ MASSA_STORAGE_API__BIND: `127.0.0.1:${address.port}` })
      assert.match(busy.stderr, /API_BIND_FAILED/)
      const wrong = await start({})
      assert.match(wrong.stderr, /ARCHIVER_NETWORK_MISMATCH/)
      const env = { MASSA_STORAGE_NODE__CHAIN_ID: '77', MASSA_STORAGE_NODE__GENESIS_TIMESTAMP_MS: '1795246964000' }
      const sidecar = startCli(['start'], { cwd: dir, env: { ...base, ...env } })
      await sidecar.waitFor(`Archived period ${LAST_PERIOD}:`)
      sidecar.child.kill('SIGTERM')
      assert.equal((await sidecar.ended).code, 0)
      const back = await start({})
      assert.match(back.stderr, /STORE_IDENTITY_MISMATCH/)
      // What keeps a service manager from starting it again.
      assert.equal(back.code, 2)
      const verified = await host.run(['verify', '--data-dir', 'claimed'], { cwd: dir })
      assert.equal(verified.code, 0, verified.stdout + verified.stderr)
    } finally {
      taken.close()
      await server.stop()
    }
  })
})

function listAll(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
}

function listTables(dataDir: string): string[] {
  return listAll(dataDir)
    .filter((name) => name.endsWith('.ldb'))
    .sort()
}
