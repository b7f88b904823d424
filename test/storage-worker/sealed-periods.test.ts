import assert from 'node:assert/strict'
import { sha256 } from '#crypto'
import { encodeManifest } from '../../core/index.ts'
import { encodeBodyKey, MANIFEST } from '../../storage-worker/keyspace.ts'
import { type SealedPeriod, SealedPeriods } from '../../storage-worker/sealed-periods.ts'
import { sealValue } from '../../storage-worker/sealed-value.ts'
import { makePeriod } from './synthetic-period.ts'

describe('storage-worker/sealed-periods', () => {
  it('seals every value of a period: chunks, execution results, SEALS, manifest', async () => {
    const period = makePeriod(3)
    const { values } = await new SealedPeriods({ maxSpareBytes: 0 }).seal(period)
    const wanted = [...period.chunks, period.executionResults, period.seals, encodeManifest(period.manifest)]
    assert.deepEqual(
      values.map((operation) => operation.type === 'put' && Buffer.from(operation.value).toString('hex')),
      wanted.map((value) => Buffer.from(sealValue(value)).toString('hex')),
    )
    assert.deepEqual(values.at(-1)?.key, encodeBodyKey(3, MANIFEST))
  })

  it('limit: between values of a large period the event loop turns once per MiB', async () => {
    const period = makePeriod(1)
    const half = new Uint8Array(512 * 1024)
    const turnsOf = async (chunks: Uint8Array[]): Promise<number> => {
      let turns = 0
      let done = false
      const count = () => {
        if (done) return
        turns++
        setImmediate(count)
      }
      setImmediate(count)
      await new SealedPeriods({ maxSpareBytes: 0 }).seal({ ...period, chunks })
      done = true
      return turns
    }
    assert.equal(await turnsOf([half]), 0)
    assert.ok((await turnsOf(Array.from({ length: 20 }, () => half))) >= 9)
  })

  it('seals one period after the other, in the order they came', async () => {
    const sealed = new SealedPeriods({ maxSpareBytes: 0 })
    const large = { ...makePeriod(1), chunks: Array.from({ length: 4 }, () => new Uint8Array(1024 * 1024)) }
    const ended: number[] = []
    await Promise.all([
      sealed.seal(large).then(() => ended.push(1)),
      sealed.seal(makePeriod(2)).then(() => ended.push(2)),
    ])
    assert.deepEqual(ended, [1, 2])
  })

  it('goes on behind a period that cannot be sealed', async () => {
    const sealed = new SealedPeriods({ maxSpareBytes: 0 })
    const broken = makePeriod(1)
    const failed = sealed.seal({ ...broken, manifest: { ...broken.manifest, period: -1 } })
    const next = sealed.seal(makePeriod(2))
    await assert.rejects(failed)
    assert.ok((await next).values.length > 0)
  })

  it('uses memory again that was released, and not before', async () => {
    const sealed = new SealedPeriods({ maxSpareBytes: 1024 * 1024 })
    const first = await sealed.seal(makePeriod(1))
    const second = await sealed.seal(makePeriod(2))
    assert.notEqual(first.memory.buffer, second.memory.buffer)
    sealed.release(first.memory)
    const third: SealedPeriod = await sealed.seal(makePeriod(3))
    assert.equal(third.memory.buffer, first.memory.buffer)
    const last = third.values.at(-1)
    assert.ok(last?.type === 'put')
    assert.deepEqual(Uint8Array.from(last.value.subarray(0, 32)), sha256(encodeManifest(makePeriod(3).manifest)))
  })

  it('limit: keeps spare memory up to its bound, small ones before large ones', async () => {
    const sealed = new SealedPeriods({ maxSpareBytes: 4 * 256 * 1024 })
    const seals = (count: number) =>
      Promise.all(Array.from({ length: count }, (_, i) => sealed.seal(makePeriod(i + 1))))
    const large = { ...makePeriod(9), chunks: [new Uint8Array(512 * 1024)] }
    const first = await seals(4)
    const one = await sealed.seal(large)
    sealed.release(one.memory)
    for (const { memory } of first) sealed.release(memory)
    const again = await seals(5)
    const known = new Set(first.map(({ memory }) => memory))
    assert.deepEqual(
      again.map(({ memory }) => known.has(memory)),
      [true, true, true, true, false],
    )
    assert.notEqual(again[4]?.memory, one.memory)
  })
})
