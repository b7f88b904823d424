import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConfigAnswers, loadConfig, renderConfigFile, writeConfigFile } from '../../config/index.ts'
import { isArchiveError } from '../../core/index.ts'

describe('config/write-config-file', () => {
  let folder = ''

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'massa-storage-init-'))
  })
  after(() => {
    rmSync(folder, { recursive: true })
  })

  const answers: ConfigAnswers = {
    enabled: true,
    grpcUrls: ['127.0.0.1:33037', '[2001:db8::1]:33037'],
    network: 'buildnet',
    dataDir: 'a "quoted" \\ path',
    allocatedStorageGb: 1_000_000,
    retentionPeriods: 0,
  }

  it('writes a file, and folders above it, that loads as it was answered', () => {
    const file = join(folder, 'new', 'config', 'config.toml')
    writeConfigFile(file, answers)
    const { config, origins } = loadConfig({ file, env: {}, flags: {}, cwd: folder })
    assert.equal(config.enabled, true)
    assert.deepEqual(config.node.grpcUrls, answers.grpcUrls)
    assert.equal(config.node.chainId, 77_658_366n)
    assert.equal(config.node.genesisTimestampMs, 1_704_289_800_000n)
    assert.equal(config.dataDir, join(folder, 'a "quoted" \\ path'))
    assert.equal(config.allocatedStorageGb, 1_000_000)
    assert.equal(config.retentionPeriods, 0)
    assert.equal(origins.get('replication_factor'), 'default')
  })

  it('leaves out what was not answered', () => {
    const text = renderConfigFile({ enabled: false })
    assert.match(text, /enabled = false/)
    assert.doesNotMatch(text, /grpc_urls|chain_id|data_dir/)
  })

  it('has a comment above every key', () => {
    const lines = renderConfigFile(answers).split('\n')
    for (const [i, line] of lines.entries()) {
      if (line.includes(' = ')) assert.match(lines[i - 1] ?? '', /^\s*# /, line)
    }
  })

  it('writes settings of every kind, which win over answers, each in its table and with its comment', () => {
    const file = join(folder, 'settings.toml')
    const settings = {
      chunk_size: '1024',
      data_dir: 'elsewhere',
      'node.chain_id': '77',
      'node.grpc_urls': '127.0.0.1:1,127.0.0.1:2',
      'node.chain_restarts': '[{ last_kept_period = 1, last_kept_thread = 31, restart_period = 5 }]',
      'metrics.enabled': 'false',
      'api.bind': '127.0.0.1:0',
      'log.level': '3',
    }
    writeConfigFile(file, { ...answers, settings })
    const { config, origins } = loadConfig({ file, env: {}, flags: {}, cwd: folder })
    assert.equal(config.chunkSize, 1024)
    assert.equal(config.dataDir, join(folder, 'elsewhere'))
    assert.equal(config.node.chainId, 77n)
    assert.deepEqual(config.node.grpcUrls, ['127.0.0.1:1', '127.0.0.1:2'])
    assert.deepEqual(config.node.chainRestarts, [{ lastKeptPeriod: 1, lastKeptThread: 31, restartPeriod: 5 }])
    assert.equal(config.metrics.enabled, false)
    assert.equal(config.api.bind, '127.0.0.1:0')
    assert.equal(config.log.level, 'debug')
    assert.equal(origins.get('replication_factor'), 'default')
    const lines = readFileSync(file, 'utf8').split('\n')
    for (const [i, line] of lines.entries()) {
      if (/^ +\w+ = /.test(line)) assert.match(lines[i - 1] ?? '', /^\s*# /, line)
    }
    assert.throws(
      () => renderConfigFile({ settings: { chunk_sice: '1' } }),
      (error) => isArchiveError(error, 'CONFIG_KEY_UNKNOWN'),
    )
    assert.throws(
      () => renderConfigFile({ settings: { chunk_size: '1' } }),
      (error) => isArchiveError(error, 'CONFIG_VALUE_INVALID'),
    )
  })

  it('error: a file with our table stays as it is without force, and only that is replaced with it', () => {
    const file = join(folder, 'kept.toml')
    const mine = '[distributed_storage]\nenabled = false\n'
    writeFileSync(file, mine)
    assert.throws(
      () => writeConfigFile(file, answers),
      (error) => isArchiveError(error, 'CONFIG_FILE_EXISTS'),
    )
    assert.equal(readFileSync(file, 'utf8'), mine)
    for (let again = 0; again < 2; again++) {
      writeConfigFile(file, answers, { force: true })
      assert.equal(readFileSync(file, 'utf8'), renderConfigFile(answers))
    }
  })

  /** As a massa-node has it, with what looks like a table of ours and is none. */
  const NODE_HEAD =
    '# of the node\n[api]\n    bind_public = "0.0.0.0:33035"   # all\n    text = """\n[distributed_storage]\n"""\n\n'
  const NODE_TAIL =
    '# who is asked first\n[bootstrap]\n    bootstrap_list = [\n        [\'1.2.3.4:31245\', "N1#]"], # [x]\n        ["[distributed_storage]", \'b\']\n    ]\n'
  const OWN = renderConfigFile(answers)

  /** Name, before, after. */
  const CASES: readonly (readonly [string, string, string])[] = [
    ['goes behind the tables of a massa-node', NODE_HEAD + NODE_TAIL, `${NODE_HEAD + NODE_TAIL}\n${OWN}`],
    ['goes behind a text without a last line end', '[api]\na = 1', `[api]\na = 1\n\n${OWN}`],
    [
      'goes where ours stood, with the tables below it, and leaves the comment of the next',
      `${NODE_HEAD}[distributed_storage]\nenabled = true # yes\n\n# ours\n[ "distributed_storage" . node ]\ngrpc_urls = [\n'127.0.0.1:1'\n]\n\n${NODE_TAIL}`,
      `${NODE_HEAD}${OWN}\n${NODE_TAIL}`,
    ],
    [
      'stands once where ours stood at two places',
      `[distributed_storage.log]\nlevel = 1\n${NODE_HEAD}[distributed_storage]\n${NODE_TAIL}`,
      OWN + NODE_HEAD + NODE_TAIL,
    ],
    [
      'takes the place of keys before all tables',
      `distributed_storage.enabled = true\n${NODE_HEAD}`,
      `${NODE_HEAD}\n${OWN}`,
    ],
    ['ends its lines as the file does', '[api]\r\na = 1\r\n', `[api]\r\na = 1\r\n\r\n${OWN.replaceAll('\n', '\r\n')}`],
    ['leaves a byte order mark first', '\uFEFF[api]\n', `\uFEFF[api]\n\n${OWN}`],
    ['fills an empty file', '', OWN],
  ]
  for (const [name, before, after] of CASES) {
    it(name, () => {
      const file = join(folder, 'node.toml')
      writeFileSync(file, before)
      writeConfigFile(file, answers, { force: true })
      assert.equal(readFileSync(file, 'utf8'), after)
      assert.equal(loadConfig({ file, env: {}, flags: {}, cwd: folder }).config.retentionPeriods, 0)
      writeConfigFile(file, answers, { force: true })
      assert.equal(readFileSync(file, 'utf8'), after)
    })
  }

  it('needs no force beside the tables of a massa-node', () => {
    const file = join(folder, 'node-alone.toml')
    writeFileSync(file, NODE_HEAD)
    writeConfigFile(file, answers)
    assert.equal(readFileSync(file, 'utf8'), `${NODE_HEAD}\n${OWN}`)
  })

  it('keeps mode, owner and link of a file, and leaves nothing beside it', () => {
    const place = join(folder, 'linked')
    mkdirSync(place)
    const file = join(place, 'real.toml')
    writeFileSync(file, '[api]\n')
    if (process.getuid?.() === 0) chownSync(file, 65_534, 65_534)
    chmodSync(file, 0o640)
    const { uid, gid } = statSync(file)
    const link = join(place, 'link.toml')
    symlinkSync('real.toml', link)
    writeConfigFile(link, answers)
    const after = statSync(file)
    assert.deepEqual([after.mode & 0o777, after.uid, after.gid], [0o640, uid, gid])
    assert.ok(lstatSync(link).isSymbolicLink())
    assert.equal(readFileSync(file, 'utf8'), `[api]\n\n${OWN}`)
    assert.deepEqual(readdirSync(place).sort(), ['link.toml', 'real.toml'])
  })

  it('error: what is no TOML, or would not be read back, stays as it is, also with force', () => {
    const file = join(folder, 'broken.toml')
    for (const [bytes, code] of [
      [Buffer.from('[api\n'), 'CONFIG_SYNTAX'],
      [Buffer.of(0x23, 0xff, 0x0a), 'CONFIG_SYNTAX'],
      [Buffer.from('enabled = true\n'), 'CONFIG_KEY_UNKNOWN'],
      [Buffer.from('[distributed_storag]\n'), 'CONFIG_KEY_UNKNOWN'],
    ] as const) {
      writeFileSync(file, bytes)
      assert.throws(
        () => writeConfigFile(file, answers, { force: true }),
        (error) => isArchiveError(error, code),
      )
      assert.deepEqual(readFileSync(file), bytes)
    }
  })

  it('error: a folder, and a device', () => {
    for (const place of [folder, '/dev/null']) {
      assert.throws(
        () => writeConfigFile(place, answers, { force: true }),
        (error) => isArchiveError(error, 'CONFIG_FILE_UNWRITABLE'),
      )
    }
    assert.ok(!statSync('/dev/null').isFile())
  })

  it('error: an answer that is not allowed writes nothing', () => {
    const file = join(folder, 'never.toml')
    const wrong: readonly ConfigAnswers[] = [
      { grpcUrls: ['http://a:1'] },
      { allocatedStorageGb: 0 },
      { retentionPeriods: 1.5 },
      { dataDir: '' },
      { network: { chainId: -1n, genesisTimestampMs: 0n } },
    ]
    for (const answer of wrong) {
      assert.throws(
        () => writeConfigFile(file, answer),
        (error) => isArchiveError(error, 'CONFIG_VALUE_INVALID'),
      )
    }
    assert.throws(() => readFileSync(file), { code: 'ENOENT' })
  })

  it('error: a folder that is a file', () => {
    writeFileSync(join(folder, 'file'), '')
    assert.throws(
      () => writeConfigFile(join(folder, 'file', 'config.toml'), answers),
      (error) => isArchiveError(error, 'CONFIG_FILE_UNWRITABLE') || isArchiveError(error, 'CONFIG_FILE_EXISTS'),
    )
  })
})
