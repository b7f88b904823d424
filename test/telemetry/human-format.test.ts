import assert from 'node:assert/strict'
import { formatHuman, type LogRecord } from '../../telemetry/index.ts'

const plain = (record: LogRecord) => formatHuman(record, { colour: false })

describe('telemetry/human-format', () => {
  it('prints the lines of the seed word for word', () => {
    const archived = { level: 'info', msg: 'archived period', period: 100, blocks: 5, operations: 123, chunks: 15 }
    assert.equal(plain(archived), '[INFO] Archived period 100: 5 blocks, 123 operations, 15 chunks')
    const assigned = { level: 'info', msg: 'chunks assigned', assignments: { node_A: 5, node_B: 5 } }
    assert.equal(plain(assigned), '[INFO] Chunks assigned to nodes: node_A[5], node_B[5]')
    const issued = { level: 'info', msg: 'challenge issued', node: 'node_A', chunk: 'abc123' }
    assert.equal(plain(issued), '[INFO] Challenge issued to node_A for chunk abc123')
    const received = { level: 'info', msg: 'proof received', node: 'node_A', result: 'valid' }
    assert.equal(plain(received), '[INFO] Proof received from node_A - VALID')
    const updated = { level: 'info', msg: 'success rate updated', node: 'node_A', passed: 7, total: 7 }
    assert.equal(plain(updated), '[INFO] Success rate updated: node_A = 100%')
    assert.equal(plain({ ...updated, passed: 2, total: 3 }), '[INFO] Success rate updated: node_A = 66.7%')
  })

  it('prints how far a bootstrap is', () => {
    const fields = { periods: 1200, wantedPeriods: 8400, bodyBytes: 1_234_567_890, periodsPerSecond: 34.6 }
    const so = '[INFO] Bootstrap: periods 1200 of 8400, 1235 MB, 35 periods/s'
    assert.equal(plain({ level: 'info', msg: 'bootstrap progress', ...fields, etaMs: 206_000 }), `${so}, about 3 min`)
    assert.equal(plain({ level: 'info', msg: 'bootstrap progress', ...fields }), so)
  })

  it('says what was let go, and how many others have it', () => {
    const dropped = { level: 'info', msg: 'chunks let go', chunks: 412, sizeBytes: 412_000_000, eras: 3, replicas: 3 }
    assert.equal(plain(dropped), '[INFO] Let go 412 chunks, 0.412 GB, of 3 eras: held by 3 others each')
  })

  it('prints a message that has no sentence with its fields', () => {
    const record = {
      level: 'info',
      time: 'now',
      module: 'archiver',
      msg: 'node connected',
      url: 'a:1',
      version: 'MAIN 2',
    }
    assert.equal(plain(record), '[INFO] node connected url=a:1 version="MAIN 2"')
  })

  it('names the room from warn on and below info, not at info', () => {
    for (const level of ['error', 'warn', 'debug', 'trace']) {
      assert.equal(plain({ level, msg: 'm', module: 'archiver' }), `[${level.toUpperCase()}] m module=archiver`)
    }
  })

  it('prints an expected error as one line with code, causes and, at error, what to do', () => {
    const err = {
      type: 'ArchiveError',
      message: 'cannot read x',
      code: 'CONFIG_FILE_MISSING',
      action: 'Check the path.',
      cause: { message: 'ENOENT\nmore', cause: { message: 'deeper' } },
    }
    const text = 'failed: cannot read x (CONFIG_FILE_MISSING), because ENOENT, because deeper'
    assert.equal(plain({ level: 'error', msg: 'failed', err }), `[ERROR] ${text}. Check the path.`)
    assert.equal(plain({ level: 'warn', msg: 'failed', err }), `[WARN] ${text}`)
  })

  it('prints the stack of an error that nobody expected', () => {
    const err = { type: 'TypeError', message: 'boom', stack: 'TypeError: boom\n    at a.ts:1\n    at b.ts:2' }
    assert.equal(
      plain({ level: 'error', msg: 'failed', err }),
      '[ERROR] failed: boom (TypeError)\n    at a.ts:1\n    at b.ts:2',
    )
  })

  it('adversary: control characters of a stranger reach no terminal, in value, message, error or stack', () => {
    const nasty = '\u001b[2J\r\n[INFO] forged\u009b31m\u202e'
    const lines = [
      plain({ level: 'warn', msg: nasty, url: nasty, claims: [nasty], assignments: { [nasty]: 1 } }),
      plain({ level: 'info', msg: 'chunks assigned', assignments: { [nasty]: 1 } }),
      plain({ level: 'error', msg: 'm', err: { message: nasty, code: nasty, cause: { message: nasty } } }),
    ]
    for (const line of lines) {
      assert.equal(line.split('\n').length, 1, line)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be absent
      assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u202e]/)
    }
  })

  it('adversary: a value cannot pass for another field', () => {
    assert.equal(plain({ level: 'debug', msg: 'm', reason: 'x code=OK' }), '[DEBUG] m reason="x code=OK"')
    assert.equal(plain({ level: 'debug', msg: 'm', reason: 'x"y' }), '[DEBUG] m reason="x\\"y"')
  })

  it('colours the level only', () => {
    const line = formatHuman({ level: 'info', msg: 'm', period: 1 }, { colour: true })
    assert.equal(line, '\u001b[32m[INFO]\u001b[39m m period=1')
  })
})
