import assert from 'node:assert/strict'
import { ArchiveError, type ChunkStore } from '../../core/index.ts'
import { RetentionRunner } from '../../daemon/retention-runner.ts'
import { LevelChunkStore } from '../../storage-worker/index.ts'
import { createLogger } from '../../telemetry/index.ts'
import { makePeriod, TEST_IDENTITY } from '../storage-worker/synthetic-period.ts'
import { openMemoryLevel } from '../storage-worker/temp-store.ts'

describe('daemon/retention-runner', () => {
  let error: unknown
  let store: ChunkStore
  let lines: Record<string, unknown>[]
  let fatal: unknown[]
  let keptFrom: number[]
  let runner: RetentionRunner
  let isAnchored: boolean

  beforeEach(async () => {
    error = undefined
    isAnchored = true
    lines = []
    fatal = []
    keptFrom = []
    const levels = { bodies: await openMemoryLevel('bodies'), index: await openMemoryLevel('index') }
    const plain = new LevelChunkStore(TEST_IDENTITY, levels)
    for (let number = 0; number < 64; number++)
      await plain.writePeriod(makePeriod(number, { blocks: 1, operations: 0 }))
    store = new Proxy<ChunkStore>(plain, {
      get: (target, name) => {
        if (name === 'deletePeriods' && error) return () => Promise.reject(error)
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const write = (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>)
    const log = createLogger({ level: 'info', format: 'json', destination: { write } })
    runner = new RetentionRunner(
      { retentionPeriods: 16 },
      {
        store,
        log: log.child({ module: 'storage-worker' }),
        onFatal: (each) => void fatal.push(each),
        onPruned: async (period) => void keptFrom.push(period),
        mayGo: async () => isAnchored,
      },
    )
  })

  async function wake(): Promise<void> {
    runner.wake()
    await runner.idle()
  }

  const said = (message: string) => lines.filter((line) => line.msg === message).map((line) => line.code)

  it('deletes what is due, once for calls that come together', async () => {
    runner.wake()
    await wake()
    assert.equal((await store.readRange())?.first, 32)
    assert.equal(said('periods pruned').length, 1)
    await wake()
    assert.equal(said('periods pruned').length, 1)
    assert.deepEqual(keptFrom, [32])
  })

  it('deletes nothing before its era is anchored, and says once that it waits', async () => {
    isAnchored = false
    for (let i = 0; i < 3; i++) await wake()
    assert.equal((await store.readRange())?.first, 0)
    assert.deepEqual(
      lines.map(({ msg, era }) => [msg, era]),
      [['periods past their retention stay until their era is anchored', 0]],
    )
    isAnchored = true
    await wake()
    assert.equal((await store.readRange())?.first, 32)
  })

  for (const code of ['STORE_DISK_FULL', 'STORE_READ_FAILED'] as const) {
    it(`tries on after ${code}, says it once, and once that it is over`, async () => {
      error = new ArchiveError(code, 'injected')
      for (let i = 0; i < 5; i++) await wake()
      assert.deepEqual(said('periods not pruned'), [code])
      assert.equal(runner.failing?.code, code)
      error = undefined
      for (let i = 0; i < 2; i++) await wake()
      assert.equal(said('periods can be pruned again').length, 1)
      assert.equal(runner.failing, undefined)
      assert.equal((await store.readRange())?.first, 32)
      assert.deepEqual(fatal, [])
    })
  }

  it('error: a bug is told as ARCHIVER_LOOP_FAILED', async () => {
    for (const bug of [new TypeError('no function'), new ArchiveError('STORE_CLOSED', 'closed')]) {
      error = bug
      fatal = []
      await wake()
      assert.deepEqual(
        fatal.map((each) => [(each as ArchiveError).code, (each as ArchiveError).cause]),
        [['ARCHIVER_LOOP_FAILED', bug]],
      )
    }
    assert.deepEqual(said('periods not pruned'), [])
  })
})
