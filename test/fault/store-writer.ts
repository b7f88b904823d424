import { writeSync } from 'node:fs'
import { openStore } from '../../storage-worker/index.ts'
import { makeBlock, makePeriod, TEST_IDENTITY } from '../storage-worker/synthetic-period.ts'
import { crashShapeOf } from './crash-shape.ts'
import { createFaultyLevels } from './faulty-level.ts'

/*
 * A process to be killed: writes periods until then. Says on stdout `W <period>` when a period is written, `D <to>`
 * before it deletes up to a period, `S <period>` when a block of that period is synced in the spool.
 *
 * Arguments: data directory, batch at which it kills itself (0: never), before or after, `pieces` to count only batches
 * that are written in pieces (else `all`), periods that are being written at a time.
 */

const [dataDir = '', killAt = '0', when = 'before', kind = 'all', inHand = '1'] = process.argv.slice(2)
let pieces = 0
const underWay = new Set<Promise<void>>()

const store = await openStore({
  dataDir,
  identity: TEST_IDENTITY,
  freeFloorBytes: 0,
  ballastBytes: 0,
  createLevel: createFaultyLevels(({ count, done, isSliced }) => {
    if (isSliced && !done) pieces++
    const at = kind === 'all' ? count : isSliced ? pieces : -1
    if (at === Number(killAt) && done === (when === 'after')) process.kill(process.pid, 'SIGKILL')
  }),
})
say('O')
const range = await store.chunks.readRange()
for (let number = (range?.last ?? 0) + 1; ; number++) {
  const block = makeBlock({ period: number, thread: 0 }, crashShapeOf(number))
  await store.spool.putBlock(block)
  await store.spool.sync()
  say(`S ${number}`)
  // Every third period comes late, behind its successor.
  const order = number % 3 === 0 ? [number + 1, number] : number % 3 === 1 && number > 1 ? [] : [number]
  for (const each of order) {
    const written = write(each).finally(() => underWay.delete(written))
    underWay.add(written)
    if (underWay.size >= Number(inHand)) await Promise.race(underWay)
  }
  if (number % 20 === 0) {
    say(`D ${number - 12}`)
    await store.chunks.deletePeriods(0, number - 12)
  }
}

async function write(period: number): Promise<void> {
  await store.chunks.writePeriod(makePeriod(period, crashShapeOf(period)))
  say(`W ${period}`)
}

function say(line: string): void {
  writeSync(1, `${line}\n`)
}
