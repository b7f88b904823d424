import assert from 'node:assert/strict'
import { LOG_LEVELS, type LogFormat, type LogLevel } from '../../config/index.ts'
import { ArchiveError, formatSecretKey } from '../../core/index.ts'
import { createLogger, type Logger } from '../../telemetry/index.ts'

interface Capture {
  readonly log: Logger
  readonly lines: string[]
}

function capture(options: { format?: LogFormat; level?: LogLevel; isTTY?: boolean; noColor?: string } = {}): Capture {
  const lines: string[] = []
  const log = createLogger({
    level: options.level ?? 'trace',
    format: options.format ?? 'json',
    noColor: options.noColor,
    destination: { write: (line) => lines.push(line), isTTY: options.isTTY ?? false },
  })
  return { log, lines }
}

function captureRecord(write: (log: Logger) => void): Record<string, unknown> {
  const { log, lines } = capture()
  write(log)
  assert.equal(lines.length, 1)
  return JSON.parse(lines[0] ?? '') as Record<string, unknown>
}

describe('telemetry/logger', () => {
  const fields = { period: 100, blocks: 5, operations: 123, chunks: 15, durationMs: 42 }

  it('writes one JSON object a line with level, time, room, fields and message', () => {
    const { log, lines } = capture()
    log.child({ module: 'archiver' }).info(fields, 'archived period')
    assert.ok(lines[0]?.endsWith('}\n'))
    const { time, ...rest } = JSON.parse(lines[0] ?? '') as Record<string, unknown>
    assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    assert.deepEqual(rest, { level: 'info', module: 'archiver', ...fields, msg: 'archived period' })
  })

  it('human writes the line of the seed for the same call', () => {
    const { log, lines } = capture({ format: 'human' })
    log.child({ module: 'archiver' }).info(fields, 'archived period')
    assert.deepEqual(lines, ['[INFO] Archived period 100: 5 blocks, 123 operations, 15 chunks\n'])
  })

  it('auto is human on a terminal and JSON elsewhere', () => {
    for (const isTTY of [true, false]) {
      const { log, lines } = capture({ format: 'auto', isTTY, noColor: '1' })
      log.info('ready')
      assert.equal(lines[0]?.startsWith('[INFO] ready'), isTTY)
    }
  })

  it('colours only on a terminal and without NO_COLOR', () => {
    const isColoured = (options: Parameters<typeof capture>[0]) => {
      const { log, lines } = capture({ format: 'human', ...options })
      log.info('ready')
      return lines[0]?.includes('\u001b') === true
    }
    assert.equal(isColoured({ isTTY: true }), true)
    assert.equal(isColoured({ isTTY: true, noColor: '' }), true)
    assert.equal(isColoured({ isTTY: true, noColor: '1' }), false)
    assert.equal(isColoured({ isTTY: false }), false)
  })

  for (const [i, level] of LOG_LEVELS.entries()) {
    it(`at level ${level} writes it and what is more severe, nothing else`, () => {
      const { log, lines } = capture({ level })
      for (const each of LOG_LEVELS) log[each]('line')
      assert.deepEqual(
        lines.map((line) => JSON.parse(line).level),
        LOG_LEVELS.slice(0, i + 1),
      )
      for (const [j, each] of LOG_LEVELS.entries()) assert.equal(log.isLevelEnabled(each), j <= i)
    })
  }

  it('writes bigint as decimal text at every depth, and bytes as hex of the first 32', () => {
    const record = captureRecord((log) =>
      log.debug(
        {
          chainId: 18_446_744_073_709_551_615n,
          assignments: { a: 2n },
          claims: [3n],
          root: new Uint8Array(33).fill(0xab),
        },
        'm',
      ),
    )
    assert.equal(record.chainId, '18446744073709551615')
    assert.deepEqual(record.assignments, { a: '2' })
    assert.deepEqual(record.claims, ['3'])
    assert.equal(record.root, `${'ab'.repeat(32)}... (33 bytes)`)
  })

  it('writes an expected error with code, kind, context and cause, without a stack', () => {
    const cause = new RangeError('inner')
    const error = new ArchiveError('CONFIG_SYNTAX', 'bad line', { line: 5n }, cause)
    const { err } = captureRecord((log) => log.error({ err: error, code: 'CONFIG_SYNTAX' }, 'failed')) as {
      err: Record<string, unknown>
    }
    assert.equal(err.code, 'CONFIG_SYNTAX')
    assert.equal(err.kind, 'input')
    assert.equal(err.action, error.action)
    assert.deepEqual(err.context, { line: '5' })
    assert.equal((err.cause as Record<string, unknown>).message, 'inner')
    assert.equal('stack' in err, false)
    assert.equal('stack' in (err.cause as object), false)
  })

  it('writes an unexpected error with its stack, and what is no error as it is', () => {
    const { err } = captureRecord((log) => log.error({ err: new TypeError('boom') }, 'failed')) as {
      err: Record<string, unknown>
    }
    assert.match(String(err.stack), /logger\.test/)
    const bug = new ArchiveError('STORE_CLOSED', 'ours', {}, new RangeError('inner'))
    const record = captureRecord((log) => log.error({ err: bug }, 'failed')) as { err: { cause: { stack: string } } }
    assert.match(record.err.cause.stack, /logger\.test/)
    assert.equal(captureRecord((log) => log.error({ err: 'text' }, 'failed')).err, 'text')
  })

  it('survives an error that is its own cause, and an object that holds itself', () => {
    const error = new Error('round')
    error.cause = error
    const loop: Record<string, unknown> = {}
    loop.self = loop
    assert.doesNotThrow(() => captureRecord((log) => log.error({ err: error }, 'failed')))
    assert.doesNotThrow(() => captureRecord((log) => log.error({ err: loop }, 'failed')))
  })

  describe('secrets', () => {
    const key = formatSecretKey(new Uint8Array(33).fill(9).fill(0, 0, 1))

    it('are redacted by name, whatever the spelling and depth', () => {
      for (const name of ['secretKey', 'secret_key', 'privateKey', 'seed', 'mnemonic', 'PASSWORD', 'wallet', 'token']) {
        const err = { deep: [{ [name]: 'hidden-value' }] }
        const text = JSON.stringify(captureRecord((log) => log.error({ err }, 'failed')))
        assert.doesNotMatch(text, /hidden-value/, name)
        assert.match(text, /\[redacted\]/, name)
      }
    })

    it('are redacted by their look in fields, messages, errors, causes and stacks, in both formats', () => {
      for (const format of ['json', 'human'] as const) {
        const { log, lines } = capture({ format })
        log.info({ reason: `key ${key}.` }, 'field')
        log.info(`message ${key}`)
        log.error({ err: new Error(`error ${key}`, { cause: new Error(`cause ${key}`) }) }, 'error')
        log.error({ err: new ArchiveError('CONFIG_SYNTAX', key, { line: key }) }, 'ours')
        assert.equal(lines.length, 4)
        for (const line of lines) {
          assert.equal(line.includes(key), false, line)
          assert.match(line, /\[redacted\]/)
        }
      }
    })

    it('do not include public keys, addresses and ids', () => {
      const blockId = 'B12UbyLJDS7zimGWf3LTHe8hYY67RdLke1iDRZqJbQQLHQSKPW8j'
      assert.equal(captureRecord((log) => log.info({ blockId }, 'm')).blockId, blockId)
    })
  })
})
