import { writeSync } from 'node:fs'
import type { PeriodPart } from '../../core/index.ts'
import { openStore } from '../../storage-worker/index.ts'
import { makePeriod, TEST_IDENTITY } from '../storage-worker/synthetic-period.ts'
import { createFaultyLevels } from './faulty-level.ts'

/*
 * A process to be killed: lets go of chunks of periods and takes them back, until then. Says `B <step>` before a step and
 * `E <step>` when it is done; what step n does follows from n alone (`partSteps`).
 *
 * Arguments: data directory, first step, batch at which it kills itself, before or after.
 */

const [dataDir = '', first = '0', killAt = '0', when = 'before'] = process.argv.slice(2)

const { chunks: store } = await openStore({
  dataDir,
  identity: TEST_IDENTITY,
  freeFloorBytes: 0,
  ballastBytes: 0,
  createLevel: createFaultyLevels(({ count, done }) => {
    if (count === Number(killAt) && done === (when === 'after')) process.kill(process.pid, 'SIGKILL')
  }),
})
for (let step = Number(first); ; step++) {
  say(`B ${step}`)
  const period = makePeriod(1 + (step >> 2))
  const { manifest, summary, seals, executionResults, chunks } = period
  const partOf = (...indexes: number[]): PeriodPart => ({
    manifest,
    operations: summary.operations,
    chunks: new Map(indexes.map((index) => [index, chunks[index] ?? new Uint8Array(0)])),
  })
  if (step % 4 === 0) await store.writePart(partOf(1))
  if (step % 4 === 1) await store.writePart({ ...partOf(0, 2), seals, executionResults })
  if (step % 4 === 2) await store.dropChunks(manifest.period, [0, 1])
  if (step % 4 === 3) await store.writePeriod(period)
  say(`E ${step}`)
}

function say(line: string): void {
  writeSync(1, `${line}\n`)
}
