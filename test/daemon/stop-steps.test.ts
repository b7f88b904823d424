import assert from 'node:assert/strict'
import { ArchiveError } from '../../core/index.ts'
import { StopSteps } from '../../daemon/stop-steps.ts'
import { createLogger } from '../../telemetry/index.ts'

describe('daemon/stop-steps', () => {
  let lines: Record<string, unknown>[]
  let ran: string[]
  let steps: StopSteps

  beforeEach(() => {
    lines = []
    ran = []
    const write = (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>)
    const log = createLogger({ level: 'info', format: 'json', destination: { write } }).child({ module: 'daemon' })
    steps = new StopSteps(log)
  })

  function push(name: string, failure?: Error): void {
    steps.push(async () => {
      ran.push(name)
      if (failure) throw failure
    })
  }

  it('run from the last on, once', async () => {
    push('store')
    push('archiver')
    await Promise.all([steps.run(), steps.run()])
    await steps.run()
    assert.deepEqual(ran, ['archiver', 'store'])
  })

  it('all run although the store fails in some, which is said and no failure', async () => {
    push('store', new ArchiveError('STORE_WRITE_FAILED', 'injected'))
    push('pool')
    push('archiver', new ArchiveError('STORE_DISK_FULL', 'injected'))
    await steps.run()
    assert.deepEqual(ran, ['archiver', 'pool', 'store'])
    assert.deepEqual(
      lines.map(({ level, code }) => [level, code]),
      [
        ['warn', 'STORE_DISK_FULL'],
        ['warn', 'STORE_WRITE_FAILED'],
      ],
    )
  })

  it('error: a bug in one is thrown when the others have run', async () => {
    const bug = new TypeError('no function')
    push('store')
    push('archiver', bug)
    push('server', new TypeError('another'))
    await assert.rejects(steps.run(), { message: 'another' })
    assert.deepEqual(ran, ['server', 'archiver', 'store'])
    assert.deepEqual(
      lines.map(({ level }) => level),
      ['error', 'error'],
    )
  })
})
