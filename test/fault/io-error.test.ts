import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import type { ArchivedPeriod, StoreIdentity } from '../../core/index.ts'
import { openStore, verifyArchive } from '../../storage-worker/index.ts'
import { makeBlock, makePeriod } from '../storage-worker/synthetic-period.ts'
import { TempFolders } from '../storage-worker/temp-store.ts'
import { assertHolds } from '../suites/chunk-store-suite.ts'
import { ioErrorShapeOf } from './io-error-shape.ts'
import { programPath } from './program-path.ts'

const WRITER = programPath('io-error-writer')
/** In the 512 bytes of `ulimit -f`: 6 MiB, a log of some five periods, below what a memtable holds. */
const FILE_LIMIT_BLOCKS = 12 * 1024
/** Of the writer: a block, its sync, the bodies of a period, its index entries. */
const FAILING_BATCHES = 4

describe('fault: the disk refuses a write, and the process is killed later', function () {
  this.timeout(120_000)
  const folders = new TempFolders()
  afterEach(() => folders.clean())

  for (const when of ['before', 'after']) {
    it(`keeps everything acknowledged around an EIO ${when} any batch`, async () => {
      for (let failAt = 1; failAt <= FAILING_BATCHES; failAt++) {
        const dataDir = await folders.make()
        const told = run([process.execPath, WRITER, dataDir, String(failAt), when, '8'])
        assert.match(told.failure, /^STORE_WRITE_FAILED .*Input\/output error/)
        await check(dataDir, told)
      }
    })
  }

  it('keeps everything acknowledged around a write that the operating system cuts off', async function () {
    if (process.platform === 'win32') this.skip()
    const dataDir = await folders.make()
    const node = [process.execPath, WRITER, dataDir].map((word) => `'${word}'`).join(' ')
    // A file cannot grow above the limit: LevelDB's log ends in the middle of a record, as on a failing disk.
    const told = run(['sh', '-c', `ulimit -S -f ${FILE_LIMIT_BLOCKS}; exec ${node} 0 before 6`])
    assert.match(told.failure, /^STORE_WRITE_FAILED .*File too large/)
    assert.ok(told.written.length > 4)
    await check(dataDir, told)
  })
})

interface Told {
  readonly written: number[]
  readonly spooled: number[]
  readonly failure: string
}

function run([command = '', ...args]: string[]): Told {
  const options = { encoding: 'utf8', timeout: 60_000, killSignal: 'SIGTERM' } as const
  const { signal, stdout, stderr } = spawnSync(command, args, options)
  assert.equal(signal, 'SIGKILL', stdout + stderr)
  const all = (kind: string) =>
    stdout.split('\n').flatMap((line) => (line.startsWith(`${kind} `) ? [line.slice(kind.length + 1)] : []))
  const [failure, ...others] = all('F')
  assert.ok(failure, stdout + stderr)
  assert.deepEqual(others, [], 'one failure, and the very next write succeeds')
  return { written: all('W').map(Number), spooled: all('S').map(Number), failure }
}

/** Each process writes the same ones, of the same identity: making them takes longer than writing them. */
const made = new Map<number, ArchivedPeriod>()

function periodOf(number: number, identity: StoreIdentity): ArchivedPeriod {
  const known = made.get(number) ?? makePeriod(number, { ...ioErrorShapeOf(number), identity })
  made.set(number, known)
  return known
}

async function check(dataDir: string, { written, spooled }: Told): Promise<void> {
  const store = await openStore({ dataDir, freeFloorBytes: 0, ballastBytes: 0 })
  try {
    const { damages } = await verifyArchive(store.chunks, { deep: true, threads: 0 })
    assert.deepEqual([...damages, ...(await store.checkFiles(false))], [])
    for (const number of written) await assertHolds(store.chunks, periodOf(number, store.chunks.identity))
    for (const number of spooled) {
      const block = makeBlock({ period: number, thread: 0 }, ioErrorShapeOf(number))
      assert.deepEqual(await store.spool.readBlock(block.slot, block.id), block)
    }
  } finally {
    await store.close()
  }
}
