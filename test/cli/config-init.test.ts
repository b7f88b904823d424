import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { configInit, type InitOptions } from '../../cli/commands/config-init.ts'
import type { Context } from '../../cli/context.ts'
import { Output } from '../../cli/output.ts'
import type { Terminal } from '../../cli/terminal.ts'
import { type ConfigFlags, loadConfig } from '../../config/index.ts'
import { type ErrorCode, isArchiveError } from '../../core/index.ts'

describe('cli/config-init', () => {
  let cwd = ''

  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'massa-storage-init-'))
  })
  afterEach(() => rmSync(cwd, { recursive: true }))

  interface Given {
    readonly file?: string
    readonly flags?: ConfigFlags
    readonly env?: Record<string, string>
    readonly terminal?: Terminal
  }

  /** What it prints. */
  async function init(options: InitOptions, given: Given = {}): Promise<string> {
    const stdout = new PassThrough()
    const stream = stdout as unknown as NodeJS.WriteStream
    const output = new Output({ json: false, quiet: false, noColor: true, stdout: stream, stderr: stream })
    const { file, flags = {}, env = {} } = given
    const refuse = (): never => assert.fail('config init needs no settings')
    const openTerminal = () => given.terminal
    const context: Context = { output, env, cwd, file, flags, openTerminal, load: refuse, at: refuse }
    assert.equal(await configInit(context, options), 0)
    return String(stdout.read() ?? '')
  }

  const load = (file: string) => loadConfig({ file, env: {}, flags: {}, cwd })

  function isRefused(code: ErrorCode) {
    return (error: unknown) => isArchiveError(error, code)
  }

  it('writes what --set, --data-dir and --log-level say', async () => {
    const flags = { chunk_size: '1024', data_dir: 'there', 'log.level': 'debug', 'node.chain_id': '77', x: undefined }
    await init({ yes: true, file: 'x.toml' }, { flags })
    const { settings } = load('x.toml')
    assert.equal(settings.chunk_size, 1024)
    assert.equal(settings.data_dir, 'there')
    assert.equal(settings.log.level, 'debug')
    assert.equal(settings.node.chain_id, 77n)
    assert.equal(settings.enabled, true)
  })

  it('error: writes nothing when --set names no setting, or a value that is not allowed', async () => {
    await assert.rejects(init({ yes: true }, { flags: { chunk_sice: '1' } }), isRefused('CONFIG_KEY_UNKNOWN'))
    await assert.rejects(init({ yes: true }, { flags: { chunk_size: '1' } }), isRefused('CONFIG_VALUE_INVALID'))
    assert.equal(existsSync(join(cwd, 'config')), false)
  })

  it('writes the file that the other commands would read: --config, then the environment, then config/config.toml', async () => {
    await init({ yes: true }, { file: 'y.toml', env: { MASSA_STORAGE_CONFIG: 'z.toml' } })
    assert.ok(existsSync(join(cwd, 'y.toml')))
    await init({ yes: true }, { env: { MASSA_STORAGE_CONFIG: 'z.toml' } })
    assert.ok(existsSync(join(cwd, 'z.toml')))
    await init({ yes: true })
    assert.ok(existsSync(join(cwd, 'config', 'config.toml')))
  })

  it('names in its next step the file it wrote, where another would be read', async () => {
    assert.match(await init({ yes: true }), /'massa-storage doctor' checks it, 'massa-storage start' runs it/)
    assert.match(
      await init({ yes: true, file: 'x.toml' }),
      /'massa-storage doctor -c x\.toml'.*'massa-storage start -c x\.toml'/,
    )
    assert.match(await init({ yes: true }, { file: 'a b.toml' }), /'massa-storage doctor -c "a b\.toml"'/)
    const env = { MASSA_STORAGE_CONFIG: 'z.toml' }
    assert.match(await init({ yes: true }, { env }), /'massa-storage doctor' checks it/)
    assert.match(
      await init({ yes: true, file: './config/config.toml', force: true }),
      /'massa-storage doctor' checks it/,
    )
  })

  it('error: two names for the file', async () => {
    await assert.rejects(init({ yes: true, file: 'x.toml' }, { file: 'y.toml' }), isRefused('CLI_USAGE'))
    await init({ yes: true, file: './x.toml' }, { file: 'x.toml' })
  })

  it('error: without a terminal and without --yes it writes nothing and says what to do', async () => {
    writeFileSync(join(cwd, 'x.toml'), 'mine')
    await assert.rejects(init({ file: 'x.toml', force: true }), isRefused('CLI_NO_TERMINAL'))
    assert.equal(readFileSync(join(cwd, 'x.toml'), 'utf8'), 'mine')
    await assert.rejects(init({}), isRefused('CLI_NO_TERMINAL'))
    assert.equal(existsSync(join(cwd, 'config')), false)
  })

  /** Types these lines; what it was asked and told is in `heard`. */
  function type(...lines: string[]): Terminal & { readonly heard: string[]; readonly left: string[] } {
    const heard: string[] = []
    return {
      heard,
      left: lines,
      question: async (text) => {
        heard.push(text)
        return lines.shift() ?? assert.fail(`nothing to answer to '${text}'`)
      },
      say: (text) => void heard.push(text),
      close: () => {},
    }
  }

  it('asks again, saying why, until an answer is allowed; an empty one takes what is offered', async () => {
    const terminal = type('http://foo:1', 'foo:1, bar:2', 'foo', '77:5', '0', 'many', '20', '')
    await init({}, { terminal })
    const { settings } = load(join('config', 'config.toml'))
    assert.deepEqual(settings.node.grpc_urls, ['foo:1', 'bar:2'])
    assert.equal(settings.node.chain_id, 77n)
    assert.equal(settings.node.genesis_timestamp_ms, 5n)
    assert.equal(settings.allocated_storage_gb, 20)
    assert.equal(settings.retention_periods, 0)
    assert.deepEqual(terminal.left, [])
    const [first = '', why = '', again = ''] = terminal.heard
    assert.match(first, /host:port \[127\.0\.0\.1:33037\]: $/)
    assert.match(why, /without http:/)
    assert.equal(again, first)
  })

  it('asks nothing that an option or --set answered, and refuses a wrong one before it asks', async () => {
    const terminal = type('', '')
    const flags = { 'node.grpc_urls': 'a:1', retention_periods: '7' }
    await init(
      { storageGb: '3' },
      { terminal, flags: { ...flags, 'node.chain_id': '77', 'node.genesis_timestamp_ms': '5' } },
    )
    assert.equal(terminal.heard.length, 0)
    assert.equal(load(join('config', 'config.toml')).settings.allocated_storage_gb, 3)
    const late = type()
    await assert.rejects(
      init({ network: 'toString', force: true }, { terminal: late }),
      isRefused('CONFIG_VALUE_INVALID'),
    )
    assert.equal(late.heard.length, 0)
  })
})
