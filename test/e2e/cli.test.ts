import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { readRecording, startReplayServer } from '../../devnet/index.ts'
import { CliHost } from './cli-host.ts'
import { runCli, startCli } from './run-cli.ts'

const RECORDING = fileURLToPath(new URL('../fixtures/sandbox/push.ndjson.gz', import.meta.url))
const PULL_RECORDING = fileURLToPath(new URL('../fixtures/sandbox/pull.ndjson.gz', import.meta.url))
/** Of period 8, by the Python second implementation. */
const LAST_PERIOD = 8

describe('e2e/cli', function () {
  this.timeout(90_000)
  let dir: string
  let host: CliHost
  const cli = (...args: string[]) => host.run(args, { cwd: dir })
  const alone = (...args: string[]) => runCli(args, { cwd: dir })

  before(async () => {
    host = new CliHost()
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-cli-'))
    const { code, stdout, stderr } = await alone(
      'replay',
      RECORDING,
      '--data-dir',
      'archive',
      '--fast',
      '--exit-at-head',
    )
    assert.equal(code, 0, `${stdout}\n${stderr}`)
    assert.match(stdout, /^\[INFO\] Archived period 8: \d+ blocks, \d+ operations, 1 chunks$/m)
    assert.match(stdout, /no damage/)
    writeFileSync(join(dir, 'bad.txt'), '')
  })

  after(async () => {
    rmSync(dir, { recursive: true, force: true })
    await host.stop()
  })

  it('archives a recording of a node that does not broadcast by polling alone, with the settings of the command line and of its file', async () => {
    writeFileSync(join(dir, 'small.toml'), '[distributed_storage]\nchunk_size = 4096\nlog.format = "human"\n')
    const replay = ['replay', PULL_RECORDING, '--fast', '--exit-at-head', '-c', 'small.toml', '--set', 'data_dir=small']
    const { code, stdout, stderr } = await alone(...replay, '--log-format', 'json')
    assert.equal(code, 0, stderr)
    assert.match(stdout, /"period":11,.*"msg":"archived period"/)
    assert.equal(JSON.parse(readFileSync(join(dir, 'small', 'store.json'), 'utf8')).chunkSizeBytes, 4096)
  })

  it('lists chunks with totals, for people and as JSON', async () => {
    const people = await alone('list-chunks', '--data-dir', 'archive')
    assert.equal(people.code, 0)
    assert.match(people.stdout, /chunks of 9 periods/)
    const json = await cli('list-chunks', '--data-dir', 'archive', '--period', '3..5', '--json')
    const rows = json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(
      rows.slice(0, -1).map((row) => row.period),
      [3, 4, 5],
    )
    assert.equal(rows.at(-1).total.chunks, 3)
  })

  it('inspects a period, and from it a block, an operation and a chunk', async () => {
    const period = JSON.parse(
      (await cli('inspect', 'period', String(LAST_PERIOD), '--data-dir', 'archive', '--json')).stdout,
    )
    for (const key of ['period', 'root', 'bytes', 'blocks', 'operations', 'bitmap', 'chunks'])
      assert.ok(key in period, key)
    const slot = period.slots.find((candidate: { operations?: number }) => (candidate.operations ?? 0) > 0)
    const block = JSON.parse((await cli('inspect', 'block', slot.blockId, '--data-dir', 'archive', '--json')).stdout)
    assert.equal(block.blockId, slot.blockId)
    assert.deepEqual(block.slot, { period: LAST_PERIOD, thread: slot.thread })
    const id = block.operations[0]
    const operation = JSON.parse((await cli('inspect', 'operation', id, '--data-dir', 'archive', '--json')).stdout)
    assert.equal(operation.operationId, id)
    assert.equal(operation.blockId, slot.blockId)
    const chunkId = period.chunks[0].chunkId
    const chunk = JSON.parse(
      (await cli('inspect', 'chunk', chunkId.slice(0, 8), '--data-dir', 'archive', '--json')).stdout,
    )
    assert.equal(chunk.chunkId, chunkId)
  })

  it('exits with 4 for what is not in the archive', async () => {
    const { code, stderr } = await alone('inspect', 'period', '4000', '--data-dir', 'archive')
    assert.equal(code, 4)
    assert.match(stderr, /period 4000 is not in this archive/)
  })

  it('verifies, deep too', async () => {
    const { code, stdout } = await alone('verify', '--deep', '--json', '--data-dir', 'archive')
    assert.equal(code, 0)
    assert.deepEqual(JSON.parse(stdout).damages, [])
  })

  for (const [title, args, code, pattern] of [
    ['an unknown command', ['lst-chunks'], 2, /Did you mean list-chunks/],
    ['an unknown option', ['verify', '--depp'], 2, /--deep/],
    ['a period that is no number', ['inspect', 'period', '1e3'], 2, /not a period number/],
    ['a range that ends before it begins', ['verify', '--period', '9..3'], 2, /ends before it begins/],
    ['an id that was cut', ['inspect', 'block', 'B12abc', '--data-dir', 'archive'], 2, /CORE_BASE58_INVALID/],
    ['a chunk prefix that is too short', ['inspect', 'chunk', 'abc', '--data-dir', 'archive'], 2, /6 to 64/],
    [
      'a file in place of the data directory',
      ['start', '--set', 'enabled=true', '--set', 'node.grpc_urls=127.0.0.1:1', '--data-dir', 'bad.txt'],
      2,
      /is not a folder/,
    ],
    ['an unknown setting', ['config', 'check', '--set', 'node.grpc_url=x'], 2, /node\.grpc_urls/],
    ['a setting past its bound', ['config', 'check', '--set', 'replication_factor=6'], 2, /replication_factor/],
    ['a configuration file that is not there', ['config', 'check', '--config', 'none.toml'], 2, /CONFIG_FILE_MISSING/],
    [
      'a data directory without an archive',
      ['verify', '--data-dir', 'nothing'],
      2,
      /there is no archive[\s\S]*--data-dir/,
    ],
    ['a file as data directory', ['verify', '--data-dir', 'bad.txt'], 2, /there is no archive/],
    ['a recording that is not there', ['replay', 'none.ndjson'], 1, /DEVNET_RECORDING_MISSING/],
    ['a status of nobody', ['status', '--data-dir', 'archive'], 3, /CLI_SIDECAR_UNREACHABLE/],
    ['a start that is not enabled', ['start'], 2, /enabled = true/],
    ['a start without a node', ['start', '--set', 'enabled=true'], 2, /grpc_urls/],
    ['a network that is a method of objects', ['config', 'init', '-y', '--network', 'toString'], 2, /is no network/],
    ['a block id of 100,000 characters', ['inspect', 'block', `B${'1'.repeat(1e5)}`], 2, /CORE_BASE58_INVALID/],
    ['a binary configuration file', ['config', 'check', '-c', 'archive/index/CURRENT'], 2, /CONFIG_SYNTAX/],
    ['a folder as configuration file', ['config', 'check', '-c', 'archive'], 2, /EISDIR/],
    [
      'a configuration in a folder where none can be made',
      ['config', 'init', '-y', '--file', '/proc/none/config.toml'],
      2,
      /CONFIG_FILE_UNWRITABLE/,
    ],
    [
      'a data directory below a file',
      [
        'start',
        ...['--set', 'enabled=true', '--set', 'node.grpc_urls=127.0.0.1:1', '--data-dir', 'archive/index/CURRENT/x'],
      ],
      2,
      /data_dir: .* cannot be made \((?:ENOTDIR|EEXIST)\)/,
    ],
  ] as const) {
    it(`error: ${title} gives ${code}, one sentence and no stack`, async () => {
      const result = await (args[0] === 'start' || args[0] === 'replay' ? alone : cli)(...args)
      assert.equal(result.code, code, result.stderr)
      assert.match(result.stderr, pattern)
      assert.doesNotMatch(result.stderr + result.stdout, /^\s+at /m)
    })
  }

  for (const file of ['index/CURRENT', 'bodies/CURRENT', 'index/MANIFEST-', 'bodies/MANIFEST-', 'index/000']) {
    it(`verify names a flipped byte in ${file} and --repair mends it without a node`, async () => {
      cpSync(join(dir, 'archive'), join(dir, 'flipped'), { recursive: true })
      flipByte(join(dir, 'flipped'), file)
      assert.equal((await cli('verify', '--data-dir', 'flipped')).code, 5)
      const repaired = await cli('verify', '--repair', '--data-dir', 'flipped')
      assert.equal(repaired.code, 0, repaired.stdout + repaired.stderr)
      const again = await cli('verify', '--deep', '--json', '--data-dir', 'flipped')
      assert.equal(JSON.parse(again.stdout).periods, 9)
      rmSync(join(dir, 'flipped'), { recursive: true })
    })
  }

  it('error: --json turns wrong usage and failures into one JSON object on stderr', async () => {
    for (const [code, ...args] of [
      ['CLI_USAGE', 'verify', '--depp'],
      ['CLI_USAGE', 'inspect'],
      ['CLI_USAGE', 'lst-chunks'],
      ['CLI_USAGE', 'economics', '--mas', '0'],
      ['CLI_USAGE', 'economics', '--production', '--params', 'registry.toml'],
      ['CLI_USAGE'],
      ['CLI_NOT_FOUND', 'inspect', 'period', '4000', '--data-dir', 'archive'],
      ['STORE_MISSING', 'verify', '--data-dir', 'nothing'],
    ]) {
      const { stdout, stderr } = await cli(...args, '--json')
      assert.equal(stdout, '')
      const { error } = JSON.parse(stderr)
      assert.equal(error.code, code)
      assert.equal(typeof error.message, 'string')
    }
  })

  it('prune says as JSON what it would delete, also when that is nothing', async () => {
    const ask = async (...args: string[]) =>
      JSON.parse((await cli('prune', ...args, '--json', '--data-dir', 'pruned')).stdout)
    cpSync(join(dir, 'archive'), join(dir, 'pruned'), { recursive: true })
    assert.deepEqual(await ask('--dry-run', '--set', 'retention_periods=100'), {
      dryRun: true,
      retentionPeriods: 100,
      stepPeriods: 16,
      periods: 0,
      bodyBytes: 0,
      from: null,
      to: null,
      keptFrom: 0,
      nextAtPeriod: 131,
    })
    assert.equal((await ask('--set', 'retention_periods=0')).nextAtPeriod, null)
    const people = await cli('prune', '--dry-run', '--data-dir', 'pruned', '--set', 'retention_periods=100')
    assert.match(people.stdout, /^Nothing to delete\.\n/)
    assert.equal(people.stderr, '')
    rmSync(join(dir, 'pruned'), { recursive: true })
  })

  for (const [name, reason, dataDir] of [
    ['of links that lead in a circle', 'ELOOP', 'circle/archive'],
    ['with a name that is too long', 'ENAMETOOLONG', 'n'.repeat(256)],
  ] as const) {
    it(`error: every command takes a data directory ${name} for a wrong setting`, async () => {
      if (reason === 'ELOOP') symlinkSync('circle', join(dir, 'circle'))
      const node = ['--set', 'enabled=true', '--set', 'node.grpc_urls=127.0.0.1:1']
      for (const args of [
        ['list-chunks'],
        ['verify'],
        ['verify', '--repair'],
        ['inspect', 'period', '1'],
        ['prune', '--dry-run'],
        ['status'],
        ['start', ...node],
      ]) {
        const { code, stderr } = await cli(...args, '--data-dir', dataDir)
        assert.equal(code, 2, `${args.join(' ')}: ${stderr}`)
        assert.match(stderr, new RegExp(`data_dir: .*\\(${reason}\\) \\(CONFIG_VALUE_INVALID\\)`))
      }
      const doctor = await cli('doctor', '--data-dir', dataDir)
      assert.equal(doctor.code, 1)
      assert.match(doctor.stdout, new RegExp(`FAIL data_dir .*${reason}`))
    })
  }

  it('prune deletes nothing for a retention_periods that nobody has set, and names the line; --dry-run says it, too', async () => {
    const refused = await cli('prune', '--data-dir', 'archive')
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /CONFIG_RETENTION_UNSET/)
    assert.match(refused.stderr, /'retention_periods = N' below \[distributed_storage\] in config\/config\.toml/)
    const tried = await cli('prune', '--dry-run', '--data-dir', 'archive')
    assert.equal(tried.code, 0)
    assert.match(tried.stderr, /^Warning: nobody has set retention_periods/)
    const asJson = await cli('prune', '--dry-run', '--json', '--data-dir', 'archive')
    assert.equal(JSON.parse(asJson.stdout).isRetentionUnset, true)
  })

  it('a line of an answer is no wider than 80 columns, but for whole chunk ids and the path of a file', async () => {
    for (const args of [
      ['inspect', 'period', '8', '--data-dir', 'archive'],
      ['--help'],
      ['config', 'init', '--help'],
    ]) {
      for (const line of (await cli(...args)).stdout.split('\n')) assert.ok(line.length <= 80, line)
    }
  })

  it('doctor makes no folder', async () => {
    const { stdout } = await cli('doctor', '--data-dir', 'far/away/archive')
    assert.match(stdout, /ok {3}data_dir {3}.*far\/away\/archive, which start makes/)
    assert.equal(existsSync(join(dir, 'far')), false)
  })

  it('keeps the archive of the last replay when the file of the next one is no recording', async () => {
    cpSync(join(dir, 'archive'), join(dir, 'data', 'replay'), { recursive: true })
    assert.equal((await alone('replay', 'bad.txt')).code, 1)
    assert.equal((await cli('list-chunks', '--data-dir', 'data/replay')).code, 0)
    rmSync(join(dir, 'data'), { recursive: true })
  })

  it('refuses a recording of which nothing can be archived at once, and keeps the archive of the last replay', async () => {
    cpSync(join(dir, 'archive'), join(dir, 'data', 'replay'), { recursive: true })
    const lines = gunzipSync(readFileSync(RECORDING)).toString().split('\n')
    const polls = lines.filter((line) => line.includes('"GetStatus"')).slice(0, 5)
    assert.equal(polls.length, 5)
    writeFileSync(join(dir, 'polls.ndjson'), `${polls.join('\n')}\n`)
    for (const more of [['--exit-at-head'], []]) {
      const { code, stdout, stderr } = await alone('replay', 'polls.ndjson', '--fast', ...more)
      assert.deepEqual([code, stdout], [1, ''], stderr)
      assert.match(stderr, /DEVNET_RECORDING_EMPTY/)
    }
    assert.equal((await cli('list-chunks', '--data-dir', 'data/replay')).code, 0)
    rmSync(join(dir, 'data'), { recursive: true })
  })

  it('a status of something else that listens there now, or of rubbish, gives 3 and no stack', async () => {
    const other = createServer((_request, response) => response.end('<html>'))
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    mkdirSync(join(dir, 'stale'))
    for (const apiUrl of [`http://127.0.0.1:${port}`, 'http://127.0.0.1:1', 'rubbish', 5]) {
      writeFileSync(join(dir, 'stale', 'daemon.json'), JSON.stringify({ pid: 1, apiUrl }))
      const { code, stderr } = await cli('status', '--data-dir', 'stale')
      assert.equal(code, 3, stderr)
      assert.match(stderr, /CLI_SIDECAR_UNREACHABLE/)
    }
    other.close()
  })

  it('refuses a file that is no recording, naming the line', async () => {
    writeFileSync(join(dir, 'bad.ndjson'), '{"t":0}\nnot json\n')
    const { code, stderr } = await alone('replay', 'bad.ndjson', '--data-dir', 'bad')
    assert.notEqual(code, 0)
    assert.match(stderr, /DEVNET_RECORDING_INVALID/)
  })

  it('says in every help an example and the exit codes', async () => {
    for (const args of [
      [],
      ['start'],
      ['status'],
      ['list-chunks'],
      ['inspect', 'period'],
      ['verify'],
      ['prune'],
      ['doctor'],
      ['config', 'init'],
      ['chunk', 'assign'],
      ['chunk', 'locate'],
      ['cluster', 'check'],
      ['contract', 'call'],
      ['wallet', 'create'],
      ['wallet', 'import'],
      ['wallet', 'balance'],
      ['wallet', 'address'],
      ['register'],
      ['unregister'],
      ['node', 'info'],
      ['replay'],
    ]) {
      const { code, stdout } = await cli(...args, '--help')
      assert.equal(code, 0)
      assert.match(stdout, /Example:\n {2}massa-storage/)
      assert.match(stdout, /Exit codes:/)
      assert.match(stdout, /--data-dir <dir>/)
    }
  })

  it('config init writes a file that config check accepts, and does not overwrite it', async () => {
    const first = await cli('config', 'init', '--yes', '--grpc-url', '127.0.0.1:33037', '--network', 'buildnet')
    assert.equal(first.code, 0, first.stderr)
    assert.match(readFileSync(join(dir, 'config', 'config.toml'), 'utf8'), /enabled = true/)
    assert.equal((await cli('config', 'check')).code, 0)
    assert.match((await cli('config', 'show', '--origin')).stdout, /node\.chain_id\s+77658366\s+.*config\.toml/)
    assert.equal((await cli('config', 'init', '--yes')).code, 2)
    rmSync(join(dir, 'config'), { recursive: true })
  })

  it('a running sidecar answers status and queries, keeps a second one out by its pid, and ends with 0 on SIGTERM', async () => {
    const server = await startReplayServer({ recording: await readRecording(RECORDING), fast: true, keepAll: true })
    const env = {
      MASSA_STORAGE_ENABLED: 'true',
      MASSA_STORAGE_DATA_DIR: 'running',
      MASSA_STORAGE_RETENTION_PERIODS: '0',
      MASSA_STORAGE_NODE__GRPC_URLS: server.url,
      MASSA_STORAGE_NODE__CHAIN_ID: '77',
      MASSA_STORAGE_NODE__GENESIS_TIMESTAMP_MS: '1795246964000',
      MASSA_STORAGE_NODE__POLL_INTERVAL_MS: '100',
      MASSA_STORAGE_API__BIND: '127.0.0.1:0',
      MASSA_STORAGE_METRICS__BIND: '127.0.0.1:0',
      MASSA_STORAGE_LOG__FORMAT: 'human',
    }
    const sidecar = startCli(['start'], { cwd: dir, env })
    try {
      await sidecar.waitFor(`Archived period ${LAST_PERIOD}:`)
      const second = await runCli(['start'], { cwd: dir, env })
      assert.equal(second.code, 1)
      assert.match(second.stderr, new RegExp(`process ${sidecar.child.pid}`))
      const status = await host.run(['status', '--json'], { cwd: dir, env })
      assert.equal(JSON.parse(status.stdout).archived.last, LAST_PERIOD)
      const listed = await host.run(['list-chunks'], { cwd: dir, env })
      assert.match(listed.stdout, /chunks of 9 periods/)
      const verified = await runCli(['verify', '--deep'], { cwd: dir, env })
      assert.equal(verified.code, 0, verified.stderr)
      const inspected = await host.run(['inspect', 'period', '3', '--json'], { cwd: dir, env })
      assert.equal(JSON.parse(inspected.stdout).period, 3)
      const pruned = await host.run(['prune', '--set', 'retention_periods=1'], { cwd: dir, env })
      assert.equal(pruned.code, 2)
      assert.match(pruned.stderr, /retention_periods = 0, and prune is to delete for 1 \(API_RETENTION_DIFFERENT\)/)
    } finally {
      sidecar.child.kill('SIGTERM')
      const { code } = await sidecar.ended
      await server.stop()
      assert.equal(code, 0)
    }
    assert.ok(!existsSync(join(dir, 'running', 'daemon.json')))
  })
})

/** In the middle of the first table, manifest or pointer whose path begins so. */
function flipByte(dataDir: string, prefix: string): void {
  const [folder = '', start = ''] = prefix.split('/')
  const name = readdirSync(join(dataDir, folder)).find((entry) => entry.startsWith(start) && !entry.endsWith('.log'))
  assert.ok(name, prefix)
  const path = join(dataDir, folder, name)
  const bytes = readFileSync(path)
  const middle = bytes.length >> 1
  bytes[middle] = (bytes[middle] ?? 0) ^ 0x10
  writeFileSync(path, bytes)
}
