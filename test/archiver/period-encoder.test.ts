import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { type DecidedSlot, encodePeriod } from '../../archiver/index.ts'
import { verifyFilledBlock } from '../../archiver/verify-block.ts'
import {
  CHUNK_SIZE_BYTES,
  type ChunkStore,
  computeBitmap,
  computePeriodRoot,
  concatBytes,
  encodeBlockRecord,
  parseBody,
  parseSeals,
  THREAD_COUNT,
  toHex,
} from '../../core/index.ts'
import { encodeFilledBlock, makeChain, readRecording } from '../../devnet/index.ts'
import { flipBit, hasPython, judge, judgeElsewhere } from '../core/reading/second-implementation.ts'
import { fixturePath, RECORDINGS } from '../devnet/fixture.ts'
import { settle } from '../turns.ts'
import { giveFinal, holdArchiver, offerRecording, readBody } from './archiver-holder.ts'
import { makeRecordedCases } from './recorded-proofs.ts'

/** One period as `massa_archive.py roots --json` prints it. */
interface ReferencePeriod {
  readonly period: number
  readonly blocks: number
  readonly operations: number
  readonly notReproducible: number
  readonly bytes: number
  readonly bitmap: string
  readonly chunks: readonly string[]
  readonly root: string
  readonly bodySha256: string
  readonly sealsSha256: string | null
}

const PYTHON_TIMEOUT_MS = 240_000
/** `npm run proofs` takes more of them. */
const PROOF_RUNS = Number(process.env.PROOF_RUNS ?? 30)

async function computeReference(path: string): Promise<ReferencePeriod[]> {
  const { stdout } = await promisify(execFile)(
    'python3',
    [fixturePath('test/reference/massa_archive.py'), 'roots', path, '--json'],
    { maxBuffer: 64 * 1024 * 1024, timeout: PYTHON_TIMEOUT_MS },
  )
  return (JSON.parse(stdout) as { periods: ReferencePeriod[] }).periods
}

/** A recording, archived. */
interface ArchivedRecording {
  readonly store: ChunkStore
  readonly periods: ReferencePeriod[]
}

const archives = new Map<string, Promise<ArchivedRecording>>()

/** Once per recording: three tests look at it. */
function archiveOnce(path: string): Promise<ArchivedRecording> {
  const archive = archives.get(path) ?? archiveRecording(path)
  archives.set(path, archive)
  return archive
}

/** Archives a recording in memory and describes each period in the words of the reference. */
async function archiveRecording(path: string): Promise<ArchivedRecording> {
  const recording = await readRecording(path)
  const { chainId, genesisTimestampMs } = recording
  const holder = await holdArchiver({ network: { chainId, genesisTimestampMs } })
  await giveFinal(
    holder,
    offerRecording(recording).filter(({ isFinal }) => isFinal),
  )
  for (let before = -1; before !== holder.archivedPeriods.length; ) {
    before = holder.archivedPeriods.length
    await settle()
  }
  await holder.archiver.stop()
  const { store } = holder
  const periods = await Promise.all(
    holder.archivedPeriods.toSorted((a, b) => a - b).map((period) => describePeriod(store, period)),
  )
  return { store, periods }
}

async function describePeriod(store: ChunkStore, period: number): Promise<ReferencePeriod> {
  const [manifest, body, seals] = await Promise.all([
    store.readManifest(period),
    readBody(store, period),
    store.readSeals(period),
  ])
  const summary = await store.readSummary(period)
  assert.ok(manifest && body && seals && summary)
  const { slots } = parseBody(body)
  const operations = slots.flatMap((slot) => (slot.kind === 'block' ? slot.record.operations : []))
  assert.equal(toHex(summary.root), toHex(computePeriodRoot(manifest)))
  return {
    period,
    blocks: summary.blocks,
    operations: summary.operations,
    notReproducible: operations.filter(({ reproducible }) => !reproducible).length,
    bytes: body.length,
    bitmap: manifest.bitmap.toString(16).padStart(8, '0'),
    chunks: manifest.chunks.map(({ chunkId }) => toHex(chunkId)),
    root: toHex(summary.root),
    bodySha256: createHash('sha256').update(body).digest('hex'),
    sealsSha256: createHash('sha256').update(seals).digest('hex'),
  }
}

describe('archiver/period-encoder', () => {
  it('gives the golden roots of periods 13 and 40 (docs/FORMAT.md)', async function () {
    this.timeout(120_000)
    const { periods } = await archiveOnce(RECORDINGS.replayed)
    const golden = [13, 40].map((wanted) => {
      const found = periods.find(({ period }) => period === wanted)
      return found && [found.blocks, found.operations, found.bytes, found.chunks, found.root]
    })
    assert.deepEqual(golden, [
      [
        27,
        1,
        68_416,
        ['d6076bcbd3cc05d355b48c7c2a6cf90d4d01207bd7f78510e871c5c57ab623ef'],
        'c948c9535ffed7b0acbebd249a1c90e5c0d9f3cb8aa853a3d37c236ac0d434f4',
      ],
      [
        29,
        20,
        86_519,
        ['dee732d4a5d759fc7ee8f4b50ee060fdce476879ce8f49bf67ae421808f30c4b'],
        'd5000bf34ab9e81d0efb32ed324363bd66bde28100ac5258b2770e8776edd556',
      ],
    ])
  })

  for (const [name, path] of Object.entries(RECORDINGS)) {
    const title = `gives the roots, bitmaps, chunk ids, BODY and SEALS of the second implementation: ${name}`
    it(hasPython ? title : `${title} (skipped: there is no python3)`, async function () {
      if (!hasPython) return this.skip()
      this.timeout(PYTHON_TIMEOUT_MS + 120_000)
      const reference = await computeReference(path)
      const { periods: archived } = await archiveOnce(path)
      const first = archived[0]?.period ?? 0
      // In the middle of a chain our archive begins where every thread links to a held block, a period or so later.
      assert.deepEqual(
        archived,
        reference.filter(({ period }) => period >= first),
      )
      assert.ok(archived.length >= 3)
      assert.ok(first === 0 || first <= (reference[0]?.period ?? 0) + 1)
    })
  }

  const title = `the second implementation verifies what proves ${PROOF_RUNS} of its blocks, operations, endorsements and misses, and no flipped byte`
  it(hasPython ? title : `${title} (skipped: there is no python3)`, async function () {
    if (!hasPython) return this.skip()
    this.timeout(PROOF_RUNS > 100 ? 0 : PYTHON_TIMEOUT_MS + 120_000)
    const { store, periods } = await archiveOnce(RECORDINGS.replayed)
    const right = await makeRecordedCases(
      store,
      periods.map(({ period }) => period),
      PROOF_RUNS,
    )
    const kinds = new Set(right.map(({ question }) => question.kind))
    assert.deepEqual([...kinds].sort(), ['block', 'endorsement', 'operation', 'slot-empty'])
    const wrong = right.map((one, i) => ({ ...one, proof: flipBit(one.proof, (7919 * i) % one.proof.length, i) }))
    const results = [...right, ...wrong].map(judge)
    assert.deepEqual(await judgeElsewhere([...right, ...wrong]), results)
    assert.equal(results.filter((result) => 'refused' in result).length, wrong.length)
    assert.ok(results.slice(0, right.length).every((result) => 'trust' in result && result.trust === 'period-root'))
  })

  it('cuts BODY into chunks, sets a bit for each block, and puts the seals in thread order', () => {
    const chain = makeChain({
      seed: 'encoder',
      chainId: 77n,
      genesisTimestampMs: 5n,
      periods: 1,
      missRate: 0.3,
      operationsPerBlock: 3,
    })
    const network = { chainId: 77n, genesisTimestampMs: 5n }
    const verified = Array.from({ length: THREAD_COUNT }, (_, thread) => {
      const block = chain.blockAt(1, thread)
      return block && verifyFilledBlock(encodeFilledBlock(block), 77n)
    })
    const slots = verified.map((block): DecidedSlot => (block ? { kind: 'block', ...block } : { kind: 'miss' }))
    const blocks = verified.filter((block) => block !== undefined)
    const archived = encodePeriod({ network, period: 1, slots, executionResults: Uint8Array.of(1) }, 1024)
    const body = parseBody(concatBytes(...archived.chunks))
    assert.ok(archived.chunks.slice(0, -1).every(({ length }) => length === 1024))
    assert.deepEqual(
      body.slots.map(({ kind }) => kind),
      slots.map(({ kind }) => kind),
    )
    assert.deepEqual(
      body.slots.flatMap((slot) => (slot.kind === 'block' ? [toHex(encodeBlockRecord(slot.record))] : [])),
      blocks.map(({ record }) => toHex(record)),
    )
    assert.equal(archived.manifest.bitmap, computeBitmap(slots))
    assert.deepEqual(
      parseSeals(archived.seals, body).map(toHex),
      blocks.map(({ seals }) => toHex(seals)),
    )
    assert.equal(archived.summary.operations, 3 * blocks.length)
    assert.equal(archived.summary.chunks, archived.chunks.length)
    assert.equal(archived.manifest.chunks.length, archived.chunks.length)
  })

  it('writes slots that a restart of the chain undid as void, apart from misses', () => {
    const network = { chainId: 77n, genesisTimestampMs: 5n }
    const roots = (['miss', 'void'] as const).map((kind) => {
      const slots = Array.from({ length: THREAD_COUNT }, (): DecidedSlot => ({ kind }))
      const archived = encodePeriod({ network, period: 9, slots, executionResults: Uint8Array.of(1) }, CHUNK_SIZE_BYTES)
      const body = parseBody(concatBytes(...archived.chunks))
      assert.ok(body.slots.every((slot) => slot.kind === kind))
      assert.equal(archived.manifest.bitmap, 0)
      assert.equal(archived.summary.blocks, 0)
      return toHex(archived.summary.root)
    })
    assert.notEqual(roots[0], roots[1])
  })
})
