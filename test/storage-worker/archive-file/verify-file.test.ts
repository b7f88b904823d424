import assert from 'node:assert/strict'
import { attestExecutions } from '../../../archiver/attestation.ts'
import type { ArchivedPeriod } from '../../../core/index.ts'
import { type FileReport, verifyArchiveFile } from '../../../storage-worker/archive-file/verify-file.ts'
import { makeEmptyPeriod } from '../../../storage-worker/bootstrap/made-period.ts'
import { chainOf, NETWORK } from '../../archiver/made-chain.ts'
import { buildFile } from '../../core/archive-file/whole-file.ts'
import { IDENTITY } from '../bootstrap/made-archive.ts'
import { CHAIN, fileOf, periodsOf, quickCpu, sourceOf, wholePeriod } from './made-file.ts'

function verify(bytes: Uint8Array): Promise<FileReport> {
  return verifyArchiveFile(sourceOf(bytes), quickCpu, () => undefined, new AbortController().signal)
}

/** Of a file in which one period is another. */
async function verifyChanged(period: number, change: (archived: ArchivedPeriod) => Partial<ArchivedPeriod>) {
  const periods = periodsOf(3, 6).map((each) => (each.summary.period === period ? { ...each, ...change(each) } : each))
  const { damages, periods: checked } = await verify(fileOf(periods))
  assert.equal(checked, 4)
  return damages.map((damage) => [damage.period, damage.code, damage.message.replace(/ \(record at .*$/, '')])
}

describe('storage-worker/verify-file', () => {
  it('finds nothing wrong with what was archived, from genesis on', async () => {
    const periods = periodsOf(0, 6)
    const file = fileOf(periods)
    const report = await verify(file)
    assert.deepEqual(report.damages, [])
    const { bytes, first, last, chainId, genesisTimestampMs, unboundPeriods } = report
    assert.deepEqual([bytes, first, last, unboundPeriods], [file.length, 0, 6, 0])
    assert.deepEqual([chainId, genesisTimestampMs], [String(NETWORK.chainId), Number(NETWORK.genesisTimestampMs)])
    const sum = (of: (period: ArchivedPeriod) => number) => periods.reduce((total, period) => total + of(period), 0)
    assert.deepEqual(
      [report.periods, report.blocks, report.operations],
      [7, sum(({ summary }) => summary.blocks), sum(({ summary }) => summary.operations)],
    )
  })

  it('reads end, index, identity, and each period once, from the newest down', async () => {
    const source = sourceOf(fileOf(periodsOf(3, 6)))
    await verifyArchiveFile(source, quickCpu, () => undefined, new AbortController().signal)
    const offsets = source.reads.map(([offset]) => offset)
    assert.equal(offsets.length, 3 + 4)
    const ofPeriods = offsets.slice(3)
    assert.deepEqual(
      ofPeriods,
      ofPeriods.toSorted((a, b) => b - a),
    )
  })

  it('error: names the period and the record of a flipped bit, and goes on with the others', async () => {
    const periods = periodsOf(3, 6)
    const file = fileOf(periods)
    const source = Buffer.from(file)
    const chunk = periods[2]?.chunks[0] ?? new Uint8Array()
    const at = source.indexOf(Buffer.from(chunk)) + 100
    file[at] = (file[at] ?? 0) ^ 4
    const { damages, periods: checked } = await verify(file)
    assert.equal(checked, 4)
    assert.deepEqual(
      damages.map(({ period, code }) => [period, code]),
      [[5, 'CORE_ARCHIVE_FILE_INVALID']],
    )
    assert.match(damages[0]?.message ?? '', /^chunk 0 of period 5 /)
  })

  it('error: says what is wrong with a file without an end, and looks no further', async () => {
    const { damages, periods, root } = await verify(fileOf(periodsOf(3, 4)).subarray(0, -1))
    assert.deepEqual([periods, root], [0, null])
    assert.deepEqual(
      damages.map(({ code }) => code),
      ['CORE_ARCHIVE_FILE_INVALID'],
    )
    assert.match(damages[0]?.message ?? '', /^trailer /)
  })

  it('forger: a chunk, a signature, execution results of another period: each named, by whatever CRC', async () => {
    const flip = (bytes: Uint8Array) => bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte))
    const other = periodsOf(4, 4)[0]
    assert.ok(other)
    assert.deepEqual(await verifyChanged(5, ({ chunks }) => ({ chunks: chunks.map(flip) })), [
      [5, 'CORE_ARCHIVE_FILE_INVALID', 'chunk 0 of period 5 has not the id that the manifest says'],
    ])
    const thread = CHAIN.blockAt(5, 31) ? 31 : 30
    assert.deepEqual(await verifyChanged(5, ({ seals }) => ({ seals: flip(seals) })), [
      [5, 'CORE_ARCHIVE_FILE_INVALID', `seals of period 5 have a signature in thread ${thread} that does not verify`],
    ])
    assert.deepEqual(await verifyChanged(5, () => ({ seals: other.seals })), [
      [5, 'CORE_ARCHIVE_FILE_INVALID', 'seals of period 5 are not those of BODY'],
    ])
    const [damage] = await verifyChanged(5, () => ({ executionResults: other.executionResults }))
    assert.match(String(damage?.[2]), /^execution results of period 5 cannot be read/)
  })

  it('forger: periods of another chain, well signed, are not what the blocks above them name', async () => {
    const other = chainOf('another', 4)
    const periods = [...[3, 4].map((period) => wholePeriod(other, period)), ...periodsOf(5, 6)]
    const { damages } = await verify(fileOf(periods))
    assert.deepEqual(
      damages.map(({ period, code }) => [period, code]),
      [[4, 'STORE_FILE_UNLINKED']],
    )
  })

  it('forger: a block that was left out is missed, though its root and the file fit', async () => {
    const thread = CHAIN.blockAt(4, 7) ? 7 : 8
    const without = wholePeriod(CHAIN, 4, (slot, at) => (at === thread ? { kind: 'miss' } : slot))
    const [three, , ...above] = periodsOf(3, 6)
    assert.ok(three)
    const { damages } = await verify(fileOf([three, without, ...above]))
    assert.deepEqual(
      damages.map(({ code }) => code),
      ['STORE_FILE_UNLINKED'],
    )
  })

  it('forger: what is said of an era is held against its periods', async () => {
    const results = (period: number) => attestExecutions(new Map(), { network: NETWORK, period })
    const periods = Array.from({ length: 128 }, (_, period) => {
      const archived = period === 0 ? periodsOf(0, 0)[0] : makeEmptyPeriod(IDENTITY, period)
      assert.ok(archived)
      return { ...archived, executionResults: results(period) }
    })
    const sound = await verify(fileOf(periods))
    assert.deepEqual(sound.damages, [])
    assert.equal(sound.eras.length, 1)
    const file = buildFile(IDENTITY, periods, (era) => ({ ...era, totalBytes: era.totalBytes + 1n }))
    const { damages, eras } = await verify(file)
    assert.deepEqual(eras, [])
    assert.match(damages[0]?.message ?? '', /^era 0 is not that of the periods/)
  })
})
