import assert from 'node:assert/strict'
import { encodeManifest } from '../../core/index.ts'
import { encodeBodyKey, MANIFEST } from '../../storage-worker/keyspace.ts'
import { listValues, SealedPeriod, SealMemory } from '../../storage-worker/sealed-period.ts'
import { SEAL_BYTES, sealValue } from '../../storage-worker/sealed-value.ts'
import { makePeriod } from './synthetic-period.ts'

describe('storage-worker/sealed-period', () => {
  const period = makePeriod(3)
  const values = [...period.chunks, period.executionResults, period.seals, encodeManifest(period.manifest)]
  const wanted = values.map((value) => Buffer.from(sealValue(value)).toString('hex'))

  /** Copied one by one, as a batch does. */
  const copy = (sealed: SealedPeriod): string[] =>
    Array.from(sealed, (operation) =>
      operation.type === 'put' ? Buffer.from(operation.value).toString('hex') : 'deleted',
    )

  it('seals every value of a period: chunks, execution results, SEALS, manifest', () => {
    const sealed = new SealedPeriod({ period: 3 }, listValues(period))
    const operations = [...sealed]
    assert.deepEqual(copy(sealed), wanted)
    assert.deepEqual(operations.at(-1)?.key, encodeBodyKey(3, MANIFEST))
    const bytes = operations.map(({ key, ...rest }) => key.length + ('value' in rest ? rest.value.length : 0))
    assert.equal(
      sealed.sizeBytes,
      bytes.reduce((a, b) => a + b, 0),
    )
  })

  it('gives the same again, also when others were sealed in its memory meanwhile', () => {
    const memory = new SealMemory()
    const sealed = new SealedPeriod({ period: 3, memory }, listValues(period))
    const steps = sealed[Symbol.iterator]()
    steps.next()
    assert.notDeepEqual(copy(new SealedPeriod({ period: 4, memory }, listValues(makePeriod(4)))), wanted)
    assert.deepEqual(copy(sealed), wanted)
  })

  it('seals one value behind the other in memory that is given, and each in its own otherwise', () => {
    const buffersOf = (memory?: SealMemory) =>
      new Set(
        Array.from(new SealedPeriod({ period: 3, memory }, listValues(period)), (operation) =>
          operation.type === 'put' ? `${operation.value.byteOffset}` : '',
        ),
      ).size
    assert.equal(buffersOf(new SealMemory()), 1)
    assert.equal(new Set(Array.from(new SealedPeriod({ period: 3 }, listValues(period)))).size, values.length)
    const kept = [...new SealedPeriod({ period: 3 }, listValues(period))]
    assert.deepEqual(
      kept.map((operation) => operation.type === 'put' && Buffer.from(operation.value).toString('hex')),
      wanted,
    )
  })

  it('limit: memory grows for a value that is larger than a chunk', () => {
    const memory = new SealMemory()
    const seals = new Uint8Array(3 * 1024 * 1024).fill(7)
    const [operation] = new SealedPeriod({ period: 3, memory }, [{ n: 1, value: seals }])
    assert.ok(operation?.type === 'put')
    assert.equal(operation.value.length, SEAL_BYTES + seals.length)
    assert.deepEqual(operation.value.subarray(-2), sealValue(seals).subarray(-2))
  })
})
