import assert from 'node:assert/strict'
import { isArchiveError } from '../../core/index.ts'
import { assertRefused, ConfigFolder } from './config-folder.ts'

describe('config/load: what is refused, and with which words', () => {
  const folder = new ConfigFolder()
  const { load, loadToml, writeToml } = folder

  before(() => folder.make())
  after(() => folder.remove())

  describe('error: a file', () => {
    it('that was named and is missing', () => {
      assertRefused(() => load({ file: 'none.toml' }), 'CONFIG_FILE_MISSING', /none\.toml \(ENOENT\)/)
      assertRefused(() => load({ env: { MASSA_STORAGE_CONFIG: 'none.toml' } }), 'CONFIG_FILE_MISSING', /none\.toml/)
    })

    it('that is a folder', () => {
      assertRefused(() => load({ file: '.' }), 'CONFIG_FILE_MISSING', /EISDIR/)
    })

    it('that is not TOML, with line and column', () => {
      assertRefused(() => loadToml('[distributed_storage]\nenabled = tru\n'), 'CONFIG_SYNTAX', /test\.toml:2:\d+: /)
      assertRefused(() => loadToml('[distributed_storage]\nenabled = true\nenabled = true'), 'CONFIG_SYNTAX', /:3:/)
      assertRefused(() => loadToml('[distributed_storage]\n__proto__ = 1'), 'CONFIG_SYNTAX', /:2:/)
    })

    it('with a value that is not allowed, with its line', () => {
      const text = '[api]\nbind = "x"\n\n[distributed_storage]\n  [distributed_storage.api]\n    bind = "0.0.0.0:1"\n'
      assertRefused(
        () => loadToml(text),
        'CONFIG_VALUE_INVALID',
        /test\.toml:6: distributed_storage\.api\.bind = "0\.0\.0\.0:1"/,
      )
    })

    for (const [written, shown] of [
      ['1.0', '1\\.0'],
      ['1e2 # hundred', '1e2'],
      ['2_000_000_000', '2_000_000_000'],
      ['0x77359400', '0x77359400'],
      ['-inf', '-inf'],
      ['[ 1.0, "a", nan, 7 ]', '\\[1\\.0,"a",nan,7\\]'],
    ] as const) {
      it(`with ${written}, as it is written`, () => {
        assertRefused(
          () => loadToml(`[distributed_storage]\nretention_periods = ${written}\n`),
          'CONFIG_VALUE_INVALID',
          new RegExp(
            `:2: distributed_storage\\.retention_periods = ${shown} is not allowed; it must be a whole number`,
          ),
        )
      })
    }

    it('with a number in an inline table, as TOML has it', () => {
      assertRefused(
        () => loadToml('[distributed_storage]\nnode = { poll_interval_ms = 1.0 }'),
        'CONFIG_VALUE_INVALID',
        /node\.poll_interval_ms = 1\.0 is not allowed/,
      )
    })

    it('with a value where a table belongs', () => {
      assertRefused(
        () => loadToml('[distributed_storage]\nnode = 5'),
        'CONFIG_VALUE_INVALID',
        /:2: .*node must be a table/,
      )
      assertRefused(
        () => loadToml('[[distributed_storage]]\nenabled = true'),
        'CONFIG_VALUE_INVALID',
        /must be a table/,
      )
    })

    it('with a table where a value belongs', () => {
      assertRefused(
        () => loadToml('[distributed_storage.enabled]\nx = 1'),
        'CONFIG_VALUE_INVALID',
        /enabled = \{"x":1\}/,
      )
    })

    it('with a date where a number belongs', () => {
      assertRefused(
        () => loadToml('[distributed_storage]\ncpu.threads = 2026-01-01'),
        'CONFIG_VALUE_INVALID',
        /cpu\.threads/,
      )
    })
  })

  describe('error: two binds that are the same are blamed on whoever said the later word', () => {
    const API = '[distributed_storage.api]\nbind = "127.0.0.1:31251"'

    it('on the line of the file when the other is a default', () => {
      assertRefused(
        () => loadToml(API),
        'CONFIG_VALUE_INVALID',
        /test\.toml:2: .*api\.bind.*another port than metrics\.bind/,
      )
    })

    it('on a flag when the other stands in the file', () => {
      const file = writeToml(API)
      const flags = { 'metrics.bind': '127.0.0.1:31251' }
      assertRefused(
        () => load({ file, flags }),
        'CONFIG_VALUE_INVALID',
        /^flag metrics\.bind: .*another port than api\.bind/,
      )
      const metrics = writeToml('[distributed_storage.metrics]\nbind = "127.0.0.1:4"')
      const env = { MASSA_STORAGE_API__BIND: 'localhost:4' }
      assertRefused(
        () => load({ file: metrics, env }),
        'CONFIG_VALUE_INVALID',
        /API__BIND: .*another port than metrics\.bind/,
      )
    })
  })

  describe('error: a massa-node that is named twice', () => {
    for (const [one, other] of [
      ['127.0.0.1:33037', 'localhost:33037'],
      ['127.0.0.1:33037', '[::1]:33037'],
      ['localhost:33037', 'LOCALHOST:33037'],
      ['A.COM:33037', 'a.com:33037'],
      ['a.com:80', 'a.com:0080'],
      ['[2001:DB8::1]:1', '[2001:db8:0:0::1]:1'],
      ['[::ffff:127.0.0.1]:1', '127.0.0.1:1'],
    ] as const) {
      it(`${one} is ${other}`, () => {
        const flags = { 'node.grpc_urls': [one, other] }
        assertRefused(() => load({ flags }), 'CONFIG_VALUE_INVALID', /different/)
      })
    }

    it('but not where hosts or ports differ', () => {
      const urls = ['127.0.0.1:1', '127.0.0.1:2', '127.0.0.2:1', 'a.com:1', 'b.com:1', '[::2]:1', 'a_b:1']
      assert.deepEqual(load({ flags: { 'node.grpc_urls': urls } }).config.node.grpcUrls, urls)
    })
  })

  describe('error: an unknown name is refused with the nearest known one', () => {
    const slips: readonly (readonly [toml: string, nearest: string])[] = [
      ['[distributed_storage]\nretention_period = 1', 'retention_periods'],
      ['[distributed_storage]\ngrpc_urls = []', 'node.grpc_urls'],
      ['[distributed_storage.node]\ngrpc_url = "a:1"', 'node.grpc_urls'],
      ['[distributed_storage.nod]\ngrpc_urls = []', 'node'],
      ['[distributed_storage.metric]\nenabled = true', 'metrics'],
      ['[distributed_storge]\nenabled = true', 'distributed_storage'],
      ['[distributed-storage]\nenabled = true', 'distributed_storage'],
      ['enabled = true', 'enabled'],
    ]
    for (const [toml, nearest] of slips) {
      it(`${JSON.stringify(toml)} -> ${nearest}`, () => {
        assert.throws(
          () => loadToml(toml),
          (error) => isArchiveError(error, 'CONFIG_KEY_UNKNOWN') && error.context.nearest === nearest,
        )
      })
    }

    it('in the environment', () => {
      const env = { MASSA_STORAGE_NODE_GRPC_URLS: 'a:1' }
      assertRefused(() => load({ env }), 'CONFIG_KEY_UNKNOWN', /nearest is MASSA_STORAGE_NODE__GRPC_URLS/)
    })

    it('among the flags', () => {
      assertRefused(() => load({ flags: { 'log.levle': 'info' } }), 'CONFIG_KEY_UNKNOWN', /nearest is log\.level/)
    })

    const strangers: readonly (readonly [source: Parameters<typeof load>[0] | string, named: RegExp])[] = [
      [{ flags: { foo: '1' } }, /; the settings outside of tables are enabled, .*; the tables are node, .*, log$/],
      [{ flags: { 'node.foo': '1' } }, /; the settings of node are node\.grpc_urls, .*, node\.chain_restarts$/],
      [{ flags: { 'metrics.port': '1' } }, /; the settings of metrics are metrics\.enabled, metrics\.bind$/],
      [{ flags: { 'http.port': '1' } }, /no setting http\.port; the tables are node, .*, log$/],
      [{ flags: { node: '1' } }, /node is a table; its settings are node\.grpc_urls, .*node\.chain_restarts$/],
      ['[distributed_storage.http]\nport = 1', /no setting http; the tables are node, .*, log$/],
      [
        '[distributed_storage.metrics.http]\nport = 1',
        /; the settings of metrics are metrics\.enabled, metrics\.bind$/,
      ],
      ['xyzzy = 1', /; the settings outside of tables are enabled, .*, log \(it stands before any table; .*\)$/],
      [
        { env: { MASSA_STORAGE_METRICS__LISTENS_ON_WHICH_PORT: '1' } },
        /; the settings of metrics are MASSA_STORAGE_METRICS__ENABLED, MASSA_STORAGE_METRICS__BIND$/,
      ],
    ]
    for (const [source, named] of strangers) {
      it(`or, where none is near, with those of its table or the tables: ${JSON.stringify(source)}`, () => {
        assert.throws(
          () => (typeof source === 'string' ? loadToml(source) : load(source)),
          (error) => {
            assert.ok(isArchiveError(error, 'CONFIG_KEY_UNKNOWN'))
            assert.equal(error.context.nearest, undefined)
            assert.match(error.message, named)
            return true
          },
        )
      })
    }
  })

  it('takes Windows line ends and counts lines in them', () => {
    const text = '[distributed_storage]\r\nenabled = true\r\nreplication_factor = 9\r\n'
    assertRefused(() => loadToml(text), 'CONFIG_VALUE_INVALID', /test\.toml:3: /)
  })
})
