import { spawnSync } from 'node:child_process'
import { writeSync } from 'node:fs'
import { isArchiveError } from '../../core/index.ts'
import { openStore } from '../../storage-worker/index.ts'
import { makeBlock, makePeriod, TEST_IDENTITY } from '../storage-worker/synthetic-period.ts'
import { createFaultyLevels } from './faulty-level.ts'
import { ioErrorShapeOf } from './io-error-shape.ts'

/*
 * Writes until the disk has refused a write, goes on with synced writes, and kills itself.
 *
 * Arguments: data directory, batch that fails with EIO (0: none, the operating system refuses one), before or after it
 * was written, acknowledgements to come behind the failure. Says `W <period>`, `S <period of a block>`, `F <code> <text>`.
 */

const [dataDir = '', failAt = '0', when = 'before', more = '8'] = process.argv.slice(2)
const [raise, ...options] = ['prlimit', '--pid', String(process.pid), '--fsize=unlimited'] as const
let opening = Number.POSITIVE_INFINITY
let last = 0

const store = await openStore({
  dataDir,
  identity: { ...TEST_IDENTITY, chunkSizeBytes: 1_048_576 },
  freeFloorBytes: 0,
  ballastBytes: 0,
  createLevel: createFaultyLevels(({ count, done }) => {
    last = count
    if (count === opening + Number(failAt) && done === (when === 'after')) {
      throw new Error('IO error: 000003.log: Input/output error')
    }
  }),
})
opening = Number(failAt) > 0 ? last : Number.POSITIVE_INFINITY
let left = Number.POSITIVE_INFINITY
for (let number = 1; ; number++) {
  const shape = ioErrorShapeOf(number)
  const block = makeBlock({ period: number, thread: 0 }, shape)
  await insist(`S ${number}`, async () => {
    await store.spool.putBlock(block)
    await store.spool.sync()
  })
  const period = makePeriod(number, { ...shape, identity: store.chunks.identity })
  await insist(`W ${number}`, () => store.chunks.writePeriod(period))
}

/** The second try must succeed: the database was opened again before it. */
async function insist(line: string, task: () => Promise<void>): Promise<void> {
  try {
    await task()
  } catch (error) {
    say(`F ${isArchiveError(error) ? error.code : 'none'} ${String(error)}`)
    left = Number(more)
    // Where nothing raises the limit the rest must fit into the log of a reopened database; with it also into the old one.
    if (failAt === '0') spawnSync(raise, options)
    await task()
  }
  say(line)
  if (--left === 0) process.kill(process.pid, 'SIGKILL')
}

function say(line: string): void {
  writeSync(1, `${line}\n`)
}
