import { strict as assert } from 'node:assert'
import { concatBytes } from '../../core/index.ts'
import { SealsCheck } from '../../storage-worker/seals-check.ts'
import { makePeriod } from './synthetic-period.ts'

const IDENTITY = { network: { chainId: 77n, genesisTimestampMs: 1_795_246_964_000n }, chunkSizeBytes: 1024 }

describe('storage-worker/seals-check', () => {
  const period = makePeriod(5, { identity: IDENTITY, blocks: 2, operations: 3, operationBytes: 130 })
  const body = concatBytes(...period.chunks)

  function fits(bytes: Uint8Array, chunkBytes: number, seals = period.seals): boolean | undefined {
    const check = new SealsCheck()
    for (let n = 0; n * chunkBytes < bytes.length; n++) {
      check.takeChunk(n, bytes.subarray(n * chunkBytes, (n + 1) * chunkBytes))
    }
    return check.fits(seals)
  }

  it('takes the SEALS of a BODY, wherever it is cut', () => {
    for (let chunkBytes = 1; chunkBytes <= 600; chunkBytes++)
      assert.equal(fits(body, chunkBytes), true, `${chunkBytes}`)
    assert.equal(fits(body, body.length), true)
  })

  it('counts the operations of a BODY that is the one of the manifest, wherever it is cut', () => {
    const { manifest } = period
    for (const chunkBytes of [1, 100, body.length]) {
      const check = new SealsCheck()
      for (let n = 0; n * chunkBytes < body.length; n++) {
        assert.equal(check.countOperations(manifest), undefined)
        check.takeChunk(n, body.subarray(n * chunkBytes, (n + 1) * chunkBytes))
      }
      assert.equal(check.countOperations(manifest), 6)
      const others = [
        { bitmap: 0b101 },
        { bitmap: 0b1 },
        { period: 6 },
        { network: { ...IDENTITY.network, chainId: 78n } },
      ]
      for (const other of others) assert.equal(check.countOperations({ ...manifest, ...other }), undefined)
    }
  })

  it('knows the block of the last thread', () => {
    const full = makePeriod(5, { identity: IDENTITY, blocks: 32, operations: 1 })
    const check = new SealsCheck()
    for (const [n, chunk] of full.chunks.entries()) check.takeChunk(n, chunk)
    assert.equal(check.countOperations(full.manifest), 32)
  })

  it('refuses SEALS with a signature more or less', () => {
    assert.equal(fits(body, body.length, period.seals.subarray(0, -64)), false)
    assert.equal(fits(body, body.length, concatBytes(period.seals, new Uint8Array(64))), false)
  })

  it('says nothing of a BODY that was cut off', () => {
    for (let end = 0; end < body.length; end++) assert.equal(fits(body.subarray(0, end), body.length), undefined)
  })

  it('says the same of a changed BODY in one piece as byte by byte', () => {
    const verdicts = new Set<boolean | undefined>()
    for (let at = 0; at < body.length; at++) {
      const changed = body.slice()
      changed[at] = (changed[at] ?? 0) ^ (at % 2 === 0 ? 0x80 : 0x01)
      const verdict = fits(changed, changed.length)
      assert.equal(verdict, fits(changed, 1), `byte ${at}`)
      verdicts.add(verdict)
    }
    // All three occur: the bytes that are passed over, the head or a count, and lengths that lead nowhere.
    assert.deepEqual(verdicts, new Set([true, false, undefined]))
  })
})
