import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readRecording, startReplayServer } from '../../devnet/index.ts'
import { type CliResult, runCli, startCli } from './run-cli.ts'

const RECORDING = fileURLToPath(new URL('../fixtures/sandbox/push.ndjson.gz', import.meta.url))
const NOBODY = 65_534
const LAST_PERIOD = 8

describe("e2e/another user's sidecar", function () {
  this.timeout(90_000)
  let dir: string

  before(async function () {
    // Only root can be somebody else, who then may have to read this package.
    if (process.getuid?.() !== 0) this.skip()
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-user-'))
    chmodSync(dir, 0o755)
    if ((await runCli(['--version'], { cwd: dir, uid: NOBODY })).code !== 0) this.skip()
  })

  after(() => {
    if (dir) rmSync(dir, { recursive: true, force: true })
  })

  function find(result: CliResult, check: string): { ok: boolean; detail: string; fix?: string } {
    return JSON.parse(result.stdout).findings.find((finding: { check: string }) => finding.check === check)
  }

  it('is asked instead of its files, also behind a closed folder; without it the files are called the other user’s', async () => {
    const server = await startReplayServer({ recording: await readRecording(RECORDING), fast: true, keepAll: true })
    const probe = await startReplayServer({ recording: await readRecording(RECORDING), fast: true })
    const env = {
      MASSA_STORAGE_ENABLED: 'true',
      MASSA_STORAGE_DATA_DIR: 'running',
      MASSA_STORAGE_RETENTION_PERIODS: '0',
      MASSA_STORAGE_NODE__GRPC_URLS: server.url,
      MASSA_STORAGE_NODE__CHAIN_ID: '77',
      MASSA_STORAGE_NODE__GENESIS_TIMESTAMP_MS: '1795246964000',
      // A port that was free a moment ago: whoever may not read the folder knows no other than the configured one.
      MASSA_STORAGE_API__BIND: probe.url,
      MASSA_STORAGE_METRICS__ENABLED: 'false',
      MASSA_STORAGE_LOG__FORMAT: 'human',
    }
    await probe.stop()
    const other = (...args: string[]) => runCli(args, { cwd: dir, env, uid: NOBODY })
    const sidecar = startCli(['start'], { cwd: dir, env })
    try {
      await sidecar.waitFor(`Archived period ${LAST_PERIOD}:`)
      const doctor = await other('doctor', '--json')
      assert.equal(find(doctor, 'port').ok, true)
      assert.match(find(doctor, 'data_dir').fix ?? '', /another user has it open/)
      for (const mode of [0o755, 0o700]) {
        chmodSync(join(dir, 'running'), mode)
        const listed = await other('list-chunks')
        assert.match(listed.stdout, /chunks of 9 periods/, listed.stderr)
      }
      const status = await other('status', '--json')
      assert.equal(JSON.parse(status.stdout).archived.last, LAST_PERIOD, status.stderr)
    } finally {
      sidecar.child.kill('SIGTERM')
      await sidecar.ended
      await server.stop()
    }
    for (const command of ['status', 'list-chunks']) {
      const { code, stderr } = await other(command)
      assert.equal(code, 2)
      assert.match(stderr, /belongs to root.*\(STORE_ACCESS_DENIED\)/)
    }
    chmodSync(join(dir, 'running'), 0o777)
    const { ok, detail } = find(await other('doctor', '--json'), 'data_dir')
    assert.equal(ok, false)
    assert.match(detail, /running\/.* belongs to root/)
  })
})
