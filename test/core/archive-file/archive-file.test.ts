import assert from 'node:assert/strict'
import * as browser from '../../../core/crc32-browser.ts'
import * as node from '../../../core/crc32-node.ts'
import {
  ArchiveFileBuilder,
  computeFileRoot,
  computePeriodRoot,
  concatBytes,
  FILE_HEAD_BYTES,
  formatFileName,
  isArchiveError,
  parseFileHead,
  parseFileIndex,
  parseTrailer,
  TRAILER_BYTES,
  toHex,
} from '../../../core/index.ts'
import { makePeriod, noise, TEST_IDENTITY } from '../../storage-worker/synthetic-period.ts'
import { buildFile, readFile } from './whole-file.ts'

const SMALL = { blocks: 1, operations: 1, operationBytes: 50 }
const PERIODS = [makePeriod(0, SMALL), makePeriod(1, { blocks: 0 }), makePeriod(2, { blocks: 0 })]
const FILE = buildFile(TEST_IDENTITY, PERIODS)

/** What is said of a file in which a bit is flipped. */
function describeFlip(at: number): string {
  const flipped = FILE.slice()
  flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8))
  try {
    readFile(flipped)
    return 'nothing'
  } catch (error) {
    if (!isArchiveError(error, 'CORE_ARCHIVE_FILE_INVALID')) throw error
    const { record, period } = error.context
    return period === undefined ? String(record) : `${record} of ${period}`
  }
}

describe('core/archive-file', () => {
  it('gives back what was written: every period, and root and name of the file', () => {
    const { periods, trailer } = readFile(FILE)
    for (const [i, { manifest, chunks, seals, executionResults }] of PERIODS.entries()) {
      const found = periods[i]
      assert.deepEqual(found?.manifest, manifest)
      assert.deepEqual(found?.chunks.map(toHex), chunks.map(toHex))
      assert.equal(toHex(found?.seals ?? new Uint8Array()), toHex(seals))
      assert.equal(toHex(found?.executionResults ?? new Uint8Array()), toHex(executionResults))
    }
    const root = computeFileRoot(PERIODS.map(({ manifest }) => computePeriodRoot(manifest)))
    assert.equal(toHex(trailer.root), toHex(root))
    const name = formatFileName('mainnet', { first: 0, last: 2 }, root)
    assert.equal(name, `massa-mainnet-0-2-${toHex(root).slice(0, 8)}.mhs`)
    assert.deepEqual(parseFileHead(FILE.subarray(0, FILE_HEAD_BYTES)), { ...TEST_IDENTITY, first: 0, last: 2 })
  })

  it('shows a period to whoever reads the end, the index and its place: three ranges', () => {
    const trailer = parseTrailer(FILE.subarray(-TRAILER_BYTES), FILE.length)
    const { offset, length } = trailer.index
    const { periods } = parseFileIndex(FILE.subarray(offset, offset + length), trailer)
    assert.deepEqual(
      periods.map(({ period, root }) => [period, toHex(root)]),
      PERIODS.map(({ summary }) => [summary.period, toHex(summary.root)]),
    )
  })

  it('error: finds every flipped bit, and names the record and the period', () => {
    // Where each record begins, in the order of the file.
    const places: (readonly [number, string])[] = [[0, 'identity']]
    let at = FILE_HEAD_BYTES
    const put = (name: string, payloadBytes: number): void => {
      places.push([at, name])
      at += 9 + payloadBytes
    }
    for (const { manifest, chunks, seals, executionResults } of PERIODS) {
      put(`manifest of ${manifest.period}`, 34 + 36 * chunks.length)
      for (const [i, chunk] of chunks.entries()) put(`chunk ${i} of ${manifest.period}`, chunk.length)
      put(`seals of ${manifest.period}`, seals.length)
      put(`execution results of ${manifest.period}`, executionResults.length)
    }
    put('index', 16 + 44 * PERIODS.length)
    put('trailer', TRAILER_BYTES - 9)
    assert.equal(at, FILE.length)
    const wrong: string[] = []
    for (const [i, [from, name]] of places.entries()) {
      const to = places[i + 1]?.[0] ?? FILE.length
      for (let byte = from; byte < to; byte++)
        if (describeFlip(byte) !== name) wrong.push(`${byte} ${describeFlip(byte)}`)
    }
    assert.deepEqual(wrong, [])
  })

  it('error: refuses a file that is cut off, longer, or no archive file', () => {
    const bad = [FILE.subarray(0, -1), FILE.subarray(0, 40), new Uint8Array(), concatBytes(FILE, Uint8Array.of(0))]
    bad.push(concatBytes(FILE.subarray(0, 300), FILE.subarray(301)), noise('file', 2_000))
    for (const bytes of bad) {
      assert.throws(
        () => readFile(bytes),
        (error) => isArchiveError(error, 'CORE_ARCHIVE_FILE_INVALID'),
      )
    }
  })

  it('has root and totals of every era that it holds all of, and what was read of its anchor', () => {
    const empty = Array.from({ length: 258 }, (_, i) => makePeriod(i + 127, { blocks: 0 }))
    const anchor = { registry: 'AS1', placementRoot: noise('placement', 32), anchoredPeriod: 300n }
    const { eras, periods } = readFile(
      buildFile(TEST_IDENTITY, empty, (era) => (era.era === 2 ? { ...era, anchor } : era)),
    )
    assert.equal(periods.length, 258)
    assert.deepEqual(
      eras.map(({ era, totalBytes, totalChunks, anchor }) => [era, totalBytes, totalChunks, anchor]),
      [
        [1, 128n * 58n, 128n, undefined],
        [2, 128n * 58n, 128n, anchor],
      ],
    )
  })

  it('error: takes no other period than the next one, and ends with the last', () => {
    const builder = new ArchiveFileBuilder({ ...TEST_IDENTITY, first: 7, last: 9 })
    builder.begin()
    assert.throws(() => builder.addPeriod(makePeriod(8, SMALL)))
    assert.throws(() => builder.end())
    for (const last of [6, 7 + 1_048_576]) {
      assert.throws(
        () => new ArchiveFileBuilder({ ...TEST_IDENTITY, first: 7, last }),
        (error) => isArchiveError(error, 'CORE_NUMBER_OUT_OF_RANGE'),
      )
    }
  })

  it('has the same CRC in Node and in a browser', () => {
    for (const { crc32 } of [node, browser]) {
      assert.equal(crc32(new TextEncoder().encode('123456789')), 0xcbf43926)
      assert.equal(crc32(new Uint8Array()), 0)
      const bytes = noise('crc', 999)
      assert.equal(crc32(bytes.subarray(500), crc32(bytes.subarray(0, 500))), node.crc32(bytes))
    }
  })
})
