import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { type LevelChunkStore, verifyArchive } from '../../storage-worker/index.ts'
import { makePeriod } from '../storage-worker/synthetic-period.ts'
import { openTestStore, TempFolders } from '../storage-worker/temp-store.ts'
import { assertHolds, assertHoldsPart } from '../suites/chunk-store-suite.ts'
import { programPath } from './program-path.ts'

const WRITER = programPath('part-writer')
/** 100 by hand. */
const ROUNDS = Number(process.env.MASSA_STORAGE_CRASH_ROUNDS ?? 6)
const ROUND_TIMEOUT_MS = 30_000

describe('fault: the store is killed while chunks come and go', () => {
  const folders = new TempFolders()
  afterEach(() => folders.clean())

  it(`holds what a step had, or what it makes, at each write step (${ROUNDS} rounds)`, async function () {
    this.timeout(ROUND_TIMEOUT_MS * ROUNDS)
    const dataDir = await folders.make()
    let next = 0
    for (let round = 0; round < ROUNDS; round++) {
      // Each round begins with the step that the last one may have left undone. Six rounds stop before and after each of
      // the three batches of a step: the note of what is pending, bodies, index.
      const killAt = 1 + 4 * round
      const when = round % 2 === 0 ? 'before' : 'after'
      const { begun, done } = await run(dataDir, next, killAt, when)
      const opened = await openTestStore(dataDir)
      try {
        const text = `round ${round}, step ${begun}`
        assert.deepEqual((await verifyArchive(opened.chunks, { deep: true, threads: 0 })).damages, [], text)
        for (let period = 1; period <= 1 + (begun >> 2); period++) {
          const last = Math.min(begun, 4 * period - 1)
          const isBefore = last === begun && begun !== done && !(await isHeld(opened.chunks, period, last))
          const held = isBefore ? last - 1 : last
          await assertState(opened.chunks, period, held < 4 * (period - 1) ? undefined : held % 4)
        }
      } finally {
        await opened.close()
      }
      next = begun
    }
    assert.ok(next >= ROUNDS, `${next} steps`)
  })
})

/** The step that was begun last, and the one that was done last. */
async function run(dataDir: string, first: number, killAt: number, when: string) {
  const args = [WRITER, dataDir, String(first), String(killAt), when]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  let begun = first
  let done = -1
  for await (const line of createInterface({ input: child.stdout })) {
    const [kind, step] = line.split(' ')
    if (kind === 'B') begun = Number(step)
    else done = Number(step)
  }
  const [code, signal] = await exit
  assert.equal(signal, 'SIGKILL', `the writer ended by itself with ${code}`)
  return { begun, done }
}

async function isHeld(store: LevelChunkStore, period: number, step: number): Promise<boolean> {
  return assertState(store, period, step % 4).then(
    () => true,
    () => false,
  )
}

/** What a period is after one of its four steps; before the first it is not there. */
async function assertState(store: LevelChunkStore, number: number, step: number | undefined): Promise<void> {
  const period = makePeriod(number)
  if (step === undefined) assert.equal(await store.readManifest(number), undefined)
  else if (step === 0) await assertHoldsPart(store, period, { chunks: [1] })
  else if (step === 2) await assertHoldsPart(store, period, { chunks: [2], executionResults: true })
  else await assertHolds(store, period)
}
