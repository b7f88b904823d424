import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ConfigFlags } from '../../config/index.ts'
import { ADDRESS_BYTES, formatAddress } from '../../core/index.ts'
import { assertRefused, ConfigFolder } from './config-folder.ts'

describe('config/load', () => {
  const folder = new ConfigFolder()
  const { load, loadToml, writeToml } = folder

  before(() => folder.make())
  after(() => folder.remove())

  describe('defaults', () => {
    it('are those of the seed', () => {
      const { config } = load()
      assert.equal(config.enabled, false)
      assert.equal(config.allocatedStorageGb, 10)
      assert.equal(config.retentionPeriods, 100)
      assert.equal(config.replicationFactor, 3)
      assert.equal(config.chunkSize, 1_048_576)
      assert.equal(config.challengeFrequencyPeriods, 100)
      assert.equal(config.rewardPerGbPerPeriod, 1_000_000n)
      assert.equal(config.minChallengeInterval, 3_600_000)
      assert.equal(config.challengeResponseTimeout, 60_000)
      assert.equal(config.storageRegistryAddress, '')
    })

    it('name no node', () => {
      assert.deepEqual(load().config.node.grpcUrls, [])
    })

    it('come without a file, and every origin is default', () => {
      const { origins, file } = load()
      assert.equal(file, undefined)
      assert.deepEqual([...new Set(origins.values())], ['default'])
    })
  })

  it('resolves data_dir against the working directory, not the file', () => {
    mkdirSync(join(folder.path, 'elsewhere'), { recursive: true })
    const file = writeToml('[distributed_storage]\ndata_dir = "here"', 'elsewhere/a.toml')
    const { config, settings } = load({ file })
    assert.equal(config.dataDir, join(folder.path, 'here'))
    assert.equal(settings.data_dir, 'here')
  })

  it('freezes the settings at every depth', () => {
    const { config } = load({ flags: { 'node.grpc_urls': ['a:1'] } })
    for (const value of [config, config.node, config.node.grpcUrls]) assert.ok(Object.isFrozen(value))
  })

  describe('precedence', () => {
    const toml = '[distributed_storage]\nretention_periods = 1\nallocated_storage_gb = 1\nreplication_factor = 4'

    it('is defaults < file < environment < flags', () => {
      const file = writeToml(toml)
      const env = { MASSA_STORAGE_RETENTION_PERIODS: '2', MASSA_STORAGE_ALLOCATED_STORAGE_GB: '2' }
      const { config, origins } = load({ file, env, flags: { retention_periods: 3 } })
      assert.equal(config.retentionPeriods, 3)
      assert.equal(config.allocatedStorageGb, 2)
      assert.equal(config.replicationFactor, 4)
      assert.equal(config.chunkSize, 1_048_576)
      assert.equal(origins.get('retention_periods'), 'flag')
      assert.equal(origins.get('allocated_storage_gb'), 'MASSA_STORAGE_ALLOCATED_STORAGE_GB')
      assert.equal(origins.get('replication_factor'), file)
      assert.equal(origins.get('chunk_size'), 'default')
    })

    it('of files is --config, MASSA_STORAGE_CONFIG, config/config.toml', () => {
      const cwd = join(folder.path, 'three')
      mkdirSync(join(cwd, 'config'), { recursive: true })
      for (const [name, gb] of Object.entries({ 'config/config.toml': 1, 'env.toml': 2, 'flag.toml': 3 })) {
        writeFileSync(join(cwd, name), `[distributed_storage]\nallocated_storage_gb = ${gb}`)
      }
      const env = { MASSA_STORAGE_CONFIG: 'env.toml' }
      assert.equal(load({ cwd }).config.allocatedStorageGb, 1)
      assert.equal(load({ cwd, env }).config.allocatedStorageGb, 2)
      const loaded = load({ cwd, env, file: 'flag.toml' })
      assert.equal(loaded.config.allocatedStorageGb, 3)
      assert.equal(loaded.file, join(cwd, 'flag.toml'))
    })

    it('lets an undefined flag and a foreign variable pass', () => {
      const { origins } = load({ env: { PATH: '/bin' }, flags: { retention_periods: undefined } })
      assert.equal(origins.get('retention_periods'), 'default')
    })
  })

  describe('text of environment and flags', () => {
    it('becomes lists, booleans, numbers and tables', () => {
      const { config } = load({
        env: {
          MASSA_STORAGE_ENABLED: 'true',
          MASSA_STORAGE_NODE__GRPC_URLS: '127.0.0.1:33037, [2001:db8::1]:33037',
          MASSA_STORAGE_NODE__CHAIN_RESTARTS: '[{ last_kept_period = 5, last_kept_thread = 31, restart_period = 9 }]',
          MASSA_STORAGE_LOG__LEVEL: '3',
        },
        flags: { allocated_storage_gb: '1_000', 'metrics.enabled': 'false' },
      })
      assert.equal(config.enabled, true)
      assert.deepEqual(config.node.grpcUrls, ['127.0.0.1:33037', '[2001:db8::1]:33037'])
      assert.deepEqual(config.node.chainRestarts, [{ lastKeptPeriod: 5, lastKeptThread: 31, restartPeriod: 9 }])
      assert.equal(config.log.level, 'debug')
      assert.equal(config.allocatedStorageGb, 1000)
      assert.equal(config.metrics.enabled, false)
    })

    it('an empty list is an empty text', () => {
      assert.deepEqual(load({ env: { MASSA_STORAGE_NODE__GRPC_URLS: '' } }).config.node.grpcUrls, [])
    })

    it('error: says which variable or flag holds a value that is not allowed', () => {
      const env = { MASSA_STORAGE_REPLICATION_FACTOR: 'many' }
      assertRefused(
        () => load({ env }),
        'CONFIG_VALUE_INVALID',
        /variable MASSA_STORAGE_REPLICATION_FACTOR.*"many".*3 to 5/,
      )
      assertRefused(
        () => load({ flags: { 'log.format': 'xml' } }),
        'CONFIG_VALUE_INVALID',
        /flag log\.format.*"xml".*"json"/,
      )
    })
  })

  describe('numbers', () => {
    it('beyond 2^53 keep every digit', () => {
      const { config } = loadToml('[distributed_storage.node]\nchain_id = 9_007_199_254_740_993')
      assert.equal(config.node.chainId, 9_007_199_254_740_993n)
    })

    it('beyond 2^53 in tables of others do no harm', () => {
      const { config } = loadToml('[ledger]\nn = 9007199254740993\n[distributed_storage]\nretention_periods = 7')
      assert.equal(config.retentionPeriods, 7)
    })

    it('error: a float is no whole number, even 4.0', () => {
      assertRefused(
        () => loadToml('[distributed_storage]\nreplication_factor = 4.0'),
        'CONFIG_VALUE_INVALID',
        /whole number/,
      )
    })
  })

  describe('limit:', () => {
    const address = new Uint8Array(ADDRESS_BYTES).fill(7, 2)
    const user = formatAddress(address)
    const registry = formatAddress(Uint8Array.from(address, (byte, i) => (i === 0 ? 1 : byte)))
    const misspelt = registry.slice(0, -1) + (registry.endsWith('a') ? 'b' : 'a')
    const urls = (count: number) => Array.from({ length: count }, (_, i) => `n${i}:1`)
    const multiaddrs = (count: number) => Array.from({ length: count }, (_, i) => `/ip4/10.0.0.1/tcp/${i + 1}`)
    const restart = (kept: number, thread: number, at: number) =>
      `{ last_kept_period = ${kept}, last_kept_thread = ${thread}, restart_period = ${at} }`
    const restarts = (count: number) => `[${Array.from({ length: count }, (_, i) => restart(i, 0, i + 1)).join(', ')}]`
    const u64 = 18_446_744_073_709_551_615n

    // Setting, values at its bounds, values past them.
    const cases: readonly (readonly [string, readonly ConfigFlags[string][], readonly ConfigFlags[string][]])[] = [
      ['enabled', [true, false, 'true'], ['yes', 1, '']],
      ['allocated_storage_gb', [1, 1_000_000], [0, 1_000_001, -1]],
      ['retention_periods', [0, 1_000_000_000], [-1, 1_000_000_001, 1.5]],
      ['replication_factor', [3, 5], [2, 6]],
      ['chunk_size', [1_024, 2_048, 1_048_576], [0, 1_023, 1_025, 1_047_553, 1_049_600]],
      ['challenge_frequency_periods', [1, 1_000_000], [0, 1_000_001]],
      ['reward_distribution_periods', [1, 1_000_000], [0, 1_000_001]],
      ['reward_per_gb_per_period', [0, 10n ** 18n], [-1, 10n ** 18n + 1n]],
      ['min_challenge_interval', [1_000, 604_800_000], [999, 604_800_001]],
      ['challenge_response_timeout', [1_000, 3_600_000], [999, 3_600_001]],
      ['storage_registry_address', ['', registry], [registry.slice(0, -1), misspelt, user, 'x']],
      ['data_dir', ['a', 'a'.repeat(4_096)], ['', 'a'.repeat(4_097), 'a\0b']],
      [
        'node.grpc_urls',
        [[], ['localhost:1'], ['a.b-c.example:65535'], ['[::1]:33037'], urls(16)],
        [urls(17), ['a:0'], ['a:65536'], ['a'], ['http://a:1'], ['a:1', 'a:1'], [''], ['a b:1'], ['a:1/x']],
      ],
      ['node.chain_id', [0, u64], [-1, u64 + 1n]],
      ['node.genesis_timestamp_ms', [0, 253_402_300_799_999], [-1, 253_402_300_800_000]],
      ['node.poll_interval_ms', [100, 10_000], [99, 10_001]],
      ['node.call_timeout_ms', [100, 60_000], [99, 60_001]],
      ['node.stream_silence_ms', [1_000, 600_000], [999, 600_001]],
      [
        'node.chain_restarts',
        ['[]', `[${restart(0, 0, 1)}]`, `[${restart(19_999_999_999_999, 31, 20_000_000_000_000)}]`, restarts(64)],
        [
          restarts(65),
          `[${restart(5, 0, 5)}]`,
          `[${restart(5, 32, 6)}]`,
          `[${restart(-1, 0, 6)}]`,
          `[${restart(5, 0, 20_000_000_000_001)}]`,
          `[${restart(5, 0, 9)}, ${restart(8, 0, 10)}]`,
          '[{ last_kept_period = 1 }]',
          '[{ last_kept_period = 1, last_kept_thread = 0, restart_period = 2, more = 3 }]',
          'nonsense',
        ],
      ],
      ['store.min_free_bytes', [1_048_576, 1_000_000_000_000], [1_048_575, 1_000_000_000_001]],
      [
        'contract.json_rpc_url',
        ['', 'http://127.0.0.1:33035', 'https://a.example/api'],
        ['127.0.0.1:33035', 'ftp://a', 'http://u:p@a'],
      ],
      ['contract.key_file', ['', 'a/b'], ['a\0b', 'a'.repeat(4_097)]],
      ['contract.fee_nano_mas', [0, '1_000_000_000_000_000_000'], [-1, '1_000_000_000_000_000_001']],
      ['contract.max_fee_nano_mas', [0, '1_000_000_000_000_000_000'], [-1, '1_000_000_000_000_000_001']],
      ['contract.min_balance_nano_mas', [0, '1_000_000_000_000_000_000'], [-1, '1_000_000_000_000_000_001']],
      ['contract.max_challenge_fee_percent', [0, 1_000_000], [-1, 1_000_001]],
      ['contract.claim_threshold_nano_mas', [0, '1_000_000_000_000_000_000'], [-1, '1_000_000_000_000_000_001']],
      ['contract.gas_margin_percent', [0, 1_000], [-1, 1_001]],
      ['contract.call_timeout_ms', [100, 600_000], [99, 600_001]],
      ['p2p.max_connections', [1, 10_000], [0, 10_001]],
      ['p2p.repair_delay_seconds', [1, 86_400], [0, 86_401]],
      ['p2p.safe_prune_min_age_periods', [1, 1_000_000], [0, 1_000_001]],
      ['p2p.enabled', [true, false], ['on']],
      ['p2p.mdns', [true, false], ['on']],
      ['p2p.max_bytes_per_second', [0, 100_000, 10_000_000_000], [99_999, 10_000_000_001, -1]],
      [
        'p2p.listen',
        [[], ['/ip4/0.0.0.0/tcp/0'], ['/ip6/::/tcp/65535'], multiaddrs(8), [`/dns4/${'a'.repeat(112)}/tcp/31500`]],
        [
          multiaddrs(9),
          ['/ip4/0.0.0.0/tcp/65536'],
          ['/ip4/0.0.0.0/udp/1'],
          ['127.0.0.1:31500'],
          ['/ip4/1.2.3.4/tcp/1/ws'],
          ['/ip4/1.2.3.4/tcp/1', '/ip4/1.2.3.4/tcp/1'],
          [`/dns4/${'a'.repeat(113)}/tcp/31500`],
        ],
      ],
      ['p2p.announce', [[], multiaddrs(8)], [multiaddrs(9), ['/ip4/1.2.3.4/tcp/0']]],
      [
        'p2p.bootstrap',
        [[], multiaddrs(64), ['/dns4/a.example/tcp/1/p2p/12D3KooWEgUjBV5FJAuBSoNMRYFRHjV7PjZwRQ7b43EKX9g7D6xV']],
        [multiaddrs(65), ['/ip4/1.2.3.4/tcp/0'], ['/ip4/1.2.3.4/tcp/1/p2p/0OIl']],
      ],
      ['store.ballast_bytes', [1_048_576, 1_073_741_824], [1_048_575, 1_073_741_825]],
      ['store.scrub_interval_hours', [1, 720], [0, 721]],
      ['cpu.threads', [0, 256], [-1, 257]],
      [
        'api.bind',
        ['127.0.0.1:0', '127.255.255.255:65535', 'localhost:1', '[::1]:1'],
        [
          '127.0.0.1:65536',
          '127.0.0.256:1',
          '0.0.0.0:1',
          '[::]:1',
          '192.168.0.1:1',
          '127.0.0.1',
          '127.0.0.1.example:1',
          '',
        ],
      ],
      [
        'api.allowed_origins',
        [[], ['*'], ['https://wallet.example', 'http://localhost:5173']],
        [['wallet.example'], ['https://a.example/'], ['https://a.example:443'], ['file://a'], ['*', '*']],
      ],
      ['api.fetch', [true, false], ['on']],
      [
        'api.grpc_bind',
        ['', '127.0.0.1:0', '[::1]:33039'],
        ['0.0.0.0:33039', '127.0.0.1', '127.0.0.1:33040', '127.0.0.1:31251'],
      ],
      ['api.max_requests_per_second', [0, 1_000_000], [-1, 1_000_001]],
      ['api.proxy_node', [true, false], ['on']],
      [
        'api.proxy_node_url',
        ['http://127.0.0.1:33035', 'https://node.example/api/v2'],
        ['', '127.0.0.1:33035', 'ftp://127.0.0.1', 'http://a:b@127.0.0.1'],
      ],
      ['history.enabled', [true, false], ['on']],
      ['metrics.enabled', [true, false], ['on']],
      ['metrics.bind', ['127.0.0.1:0', '127.0.0.1:33041'], ['0.0.0.0:31251', '127.0.0.1:33040']],
      ['log.level', ['error', 'trace', 0, '4'], ['fatal', 5, -1, '']],
      ['log.format', ['auto', 'human', 'json'], ['', 'JSON']],
    ]

    for (const [path, allowed, refused] of cases) {
      it(`${path} at its bounds is taken, past them refused`, () => {
        for (const value of allowed) assert.doesNotThrow(() => load({ flags: { [path]: value } }), String(value))
        for (const value of refused) {
          const key = `distributed_storage.${path} `.replaceAll('.', '\\.')
          assertRefused(() => load({ flags: { [path]: value } }), 'CONFIG_VALUE_INVALID', new RegExp(`${key}.*must be`))
        }
      })
    }

    it('covers every setting', () => {
      assert.deepEqual(cases.map(([path]) => path).sort(), [...load().origins.keys()].sort())
    })

    it('the same address may serve API and metrics when metrics are off', () => {
      assert.doesNotThrow(() => load({ flags: { 'metrics.bind': '127.0.0.1:33040', 'metrics.enabled': false } }))
    })
  })

  it('takes the config.toml of a massa-node, foreign tables and all', () => {
    const file = writeToml(`\uFEFF# of massa-node
[logging]
    level = 2
[api]
    # not ours
    bind_public = "0.0.0.0:33035"
    enable_broadcast = true
[network]
[bootstrap]
    bootstrap_list = [["149.202.86.103:31245", "N12UbyLJDS7zimGWf3LTHe8hYY67RdLke1iDRZqJbQQLHQSKPW8j"]]
[[block_dump.filters]]
    max = 18446744073709551615
[distributed_storage]
    # ours
    enabled = true
    retention_periods = 0
    [distributed_storage.node]
        grpc_urls = ["127.0.0.1:33037"]
`)
    const { config, origins } = load({ file })
    assert.equal(config.enabled, true)
    assert.equal(config.retentionPeriods, 0)
    assert.deepEqual(config.node.grpcUrls, ['127.0.0.1:33037'])
    assert.equal(origins.get('enabled'), file)
    assert.equal(origins.get('log.level'), 'default')
  })
})
