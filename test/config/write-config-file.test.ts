import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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

  it('error: a file that exists stays as it is without force, and is replaced with it', () => {
    const file = join(folder, 'kept.toml')
    writeFileSync(file, 'mine')
    assert.throws(
      () => writeConfigFile(file, answers),
      (error) => isArchiveError(error, 'CONFIG_FILE_EXISTS'),
    )
    assert.equal(readFileSync(file, 'utf8'), 'mine')
    writeConfigFile(file, answers, { force: true })
    assert.equal(readFileSync(file, 'utf8'), renderConfigFile(answers))
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
