import { rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { isArchiveError } from '../../core/index.ts'
import { openStore } from '../../storage-worker/index.ts'
import { makePeriod, TEST_IDENTITY } from '../storage-worker/synthetic-period.ts'

/*
 * Writes periods on a small file system until it is full, frees some of it, writes on and kills itself.
 *
 * Arguments: data directory on the small file system, a file there to be deleted for room. Says `W <period>` when a
 * period is written, `F <code>` when a write failed, `R` when room was made.
 */

const [dataDir = '', freeable = ''] = process.argv.slice(2)
const AFTER_ROOM = 12

writeFileSync(freeable, new Uint8Array(24 * 1024 * 1024).fill(1))
const store = await openStore({
  dataDir,
  identity: { ...TEST_IDENTITY, chunkSizeBytes: 1_048_576 },
  freeFloorBytes: 0,
  ballastBytes: 8 * 1024 * 1024,
})
say(`B ${join(dataDir, 'ballast')}`)
const identity = store.chunks.identity
let number = 1
// Once it is full it fails again, with a code, and the store lives; what LevelDB frees meanwhile may take another one.
for (let failures = 0; failures < 2; ) {
  if (await write(number)) number++
  else failures++
}
rmSync(freeable)
say('R')
let left = AFTER_ROOM
for (let tries = 0; left > 0 && tries < 3 * AFTER_ROOM; tries++) {
  if (await write(number)) [number, left] = [number + 1, left - 1]
}
process.kill(process.pid, 'SIGKILL')

async function write(period: number): Promise<boolean> {
  try {
    // Every other one is above 1 MiB, which LevelDB gets in pieces.
    const blocks = 2 + (period % 2)
    await store.chunks.writePeriod(makePeriod(period, { identity, blocks, operations: 1, operationBytes: 450_000 }))
    say(`W ${period}`)
    return true
  } catch (error) {
    say(`F ${isArchiveError(error) ? error.code : String(error)}`)
    return false
  }
}

function say(line: string): void {
  writeSync(1, `${line}\n`)
}
