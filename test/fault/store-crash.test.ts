import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { BlockIdText } from '../../core/index.ts'
import { verifyArchive } from '../../storage-worker/index.ts'
import { makeBlock, noise } from '../storage-worker/synthetic-period.ts'
import { openTestStore, TempFolders } from '../storage-worker/temp-store.ts'
import { crashShapeOf } from './crash-shape.ts'
import { programPath } from './program-path.ts'

const WRITER = programPath('store-writer')
/** 200 by hand. */
const ROUNDS = Number(process.env.MASSA_STORAGE_CRASH_ROUNDS ?? 8)
/** All of an archive is read again after each kill: a new one is begun before that takes minutes. */
const KILLS_OF_ONE_ARCHIVE = 25
const ROUND_TIMEOUT_MS = 30_000
/** As many periods as the archiver has under way when it catches up. */
const IN_HAND = 4

describe('fault: the store is killed', () => {
  const folders = new TempFolders()
  afterEach(() => folders.clean())

  it(`keeps every acknowledged period, at each write step (${ROUNDS} rounds)`, async function () {
    this.timeout(ROUND_TIMEOUT_MS * ROUNDS)
    const dataDir = await folders.make()
    const told = new Told()
    for (let round = 0; round < ROUNDS; round++) {
      // Step 1 is the first batch of the process: rounds walk through all of them, before and after, one period at a
      // time and several.
      const step = 1 + (round >> 2)
      const inHand = (round & 2) === 0 ? 1 : IN_HAND
      await told.listen(start(dataDir, { step, when: round % 2 === 0 ? 'before' : 'after', inHand }))
      await check(dataDir, told, `step ${step}, ${inHand} in hand`)
    }
  })

  // The first of a process is a block for the spool, the second the bodies of a period, or the other way round.
  for (const step of [1, 2]) {
    for (const when of ['before', 'after'] as const) {
      it(`keeps every acknowledged period, killed ${when} batch ${step} of those above 1 MiB`, async function () {
        this.timeout(ROUND_TIMEOUT_MS)
        const dataDir = await folders.make()
        const told = new Told()
        await told.listen(start(dataDir, { step, when, kind: 'pieces' }))
        assert.ok(told.written.has(1))
        await check(dataDir, told, `step ${step}`)
      })
    }
  }

  it(`keeps every acknowledged period, at random moments (${ROUNDS} rounds)`, async function () {
    this.timeout(ROUND_TIMEOUT_MS * ROUNDS)
    const seed = process.env.MASSA_STORAGE_TEST_SEED ?? '1'
    let dataDir = ''
    let told = new Told()
    let written = 0
    for (let round = 0; round < ROUNDS; round++) {
      if (round % KILLS_OF_ONE_ARCHIVE === 0) {
        await folders.clean()
        dataDir = await folders.make()
        written += told.written.size
        told = new Told()
      }
      const inHand = round % 2 === 0 ? 1 : IN_HAND
      const child = start(dataDir, { inHand })
      const lines = 1 + (noise(`${seed} ${round}`, 1)[0] ?? 0) / 4
      await told.listen(child, lines)
      await check(dataDir, told, `seed ${seed}, round ${round}, ${inHand} in hand`)
    }
    assert.ok(written + told.written.size > ROUNDS)
  })
})

/** What the writers said. */
class Told {
  readonly written = new Set<number>()
  readonly spooled = new Set<number>()
  deletedTo = -1

  /** Until the process is dead; kills it after so many lines. */
  async listen(child: ChildProcess, killAfterLines = Number.POSITIVE_INFINITY): Promise<void> {
    assert.ok(child.stdout)
    const exit = once(child, 'exit')
    let lines = 0
    for await (const line of createInterface({ input: child.stdout })) {
      const [kind, number] = line.split(' ')
      if (kind === 'W') this.written.add(Number(number))
      if (kind === 'S') this.spooled.add(Number(number))
      if (kind === 'D') this.deletedTo = Math.max(this.deletedTo, Number(number))
      if (++lines >= killAfterLines) child.kill('SIGKILL')
    }
    const [code, signal] = await exit
    assert.equal(signal, 'SIGKILL', `the writer ended by itself with ${code}`)
  }
}

interface WriterOptions {
  /** Batch at which it kills itself; 0: never. */
  readonly step?: number
  readonly when?: 'before' | 'after'
  readonly kind?: 'all' | 'pieces'
  readonly inHand?: number
}

function start(dataDir: string, { step = 0, when = 'before', kind = 'all', inHand = 1 }: WriterOptions): ChildProcess {
  const options = [dataDir, String(step), when, kind, String(inHand)]
  return spawn(process.execPath, [WRITER, ...options], { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** Each is looked for after every kill behind it: making a block takes longer than finding it. */
const blockIds = new Map<number, BlockIdText>()

function spooledBlockId(period: number): BlockIdText {
  const id = blockIds.get(period) ?? makeBlock({ period, thread: 0 }, crashShapeOf(period)).id
  blockIds.set(period, id)
  return id
}

async function check(dataDir: string, told: Told, when: string): Promise<void> {
  const store = await openTestStore(dataDir)
  try {
    const report = await verifyArchive(store.chunks, { deep: true, threads: 0 })
    assert.deepEqual(report.damages, [], when)
    for (const period of told.written) {
      if (period <= told.deletedTo) continue
      assert.ok(await store.chunks.readManifest(period), `period ${period} is lost, ${when}`)
      assert.ok(await store.chunks.readSummary(period), `period ${period} is not listed, ${when}`)
    }
    for (const period of told.spooled) {
      const found = await store.spool.readBlock({ period, thread: 0 }, spooledBlockId(period))
      assert.ok(found, `spooled block of ${period} is lost, ${when}`)
    }
  } finally {
    await store.close()
  }
}
