import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import {
  computeBodyBytes,
  computeEraRoot,
  computePeriodRoot,
  encodeManifest,
  isArchiveError,
  type Manifest,
  parseManifest,
  toHex,
} from '../../core/index.ts'
import { treeHead } from '../reference/merkle.ts'

const network = { chainId: 77n, genesisTimestampMs: 1_705_312_800_000n }
const manifests: fc.Arbitrary<Manifest> = fc
  .record({
    period: fc.maxSafeNat(),
    bitmap: fc.nat(0xffff_ffff),
    leaves: fc.integer({ min: 1, max: 1024 }),
    last: fc.nat(),
    ids: fc.array(fc.uint8Array({ minLength: 32, maxLength: 32 }), { minLength: 1, maxLength: 12 }),
  })
  .map(({ period, bitmap, leaves, last, ids }) => {
    const size = leaves * 1024
    const lengthOf = (i: number): number => (i === ids.length - 1 ? 1 + (last % size) : size)
    return { network, period, bitmap, chunks: ids.map((chunkId, i) => ({ byteLength: lengthOf(i), chunkId })) }
  })

describe('core/manifest', () => {
  it('reads what it wrote, of any size of chunks', () => {
    fc.assert(
      fc.property(manifests, (manifest) => {
        const parsed = parseManifest(encodeManifest(manifest))
        assert.equal(toHex(encodeManifest(parsed)), toHex(encodeManifest(manifest)))
        assert.equal(parsed.period, manifest.period)
        assert.equal(toHex(computePeriodRoot(parsed)), toHex(computePeriodRoot(manifest)))
        assert.equal(computeBodyBytes(parsed), computeBodyBytes(manifest))
      }),
    )
  })

  it('every flipped bit of a manifest is refused or changes the period root, unless it is the length of a chunk', () => {
    fc.assert(
      fc.property(manifests, fc.nat(), (manifest, n) => {
        const bytes = encodeManifest(manifest)
        const bit = n % (bytes.length * 8)
        const at = bit >> 3
        const isLength = at >= 34 && (at - 34) % 36 < 4
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7))
        try {
          const parsed = parseManifest(bytes)
          // A length is bound by the chunk id, not by the period root.
          if (!isLength) assert.notEqual(toHex(computePeriodRoot(parsed)), toHex(computePeriodRoot(manifest)))
        } catch (error) {
          assert(isArchiveError(error, 'CORE_MANIFEST_INVALID'), `${error}`)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('every truncation and a trailing byte are refused', () => {
    fc.assert(
      fc.property(manifests, (manifest) => {
        const bytes = encodeManifest(manifest)
        for (let length = 0; length < bytes.length; length++) assertRefused(bytes.subarray(0, length))
        assertRefused(new Uint8Array([...bytes, 0]))
      }),
      { numRuns: 20 },
    )
  })

  it('refuses chunks whose sizes are no cut of one BODY', () => {
    const chunkId = new Uint8Array(32)
    for (const lengths of [
      [],
      [0],
      [1_048_577],
      [1024, 1025],
      [1025, 1],
      [1024, 2048, 5],
      [2048, 1024, 5],
      [1024, 0],
    ]) {
      const chunks = lengths.map((byteLength) => ({ byteLength, chunkId }))
      assertRefused(encodeManifest({ network, period: 1, bitmap: 0, chunks }))
    }
  })
})

describe('core/manifest: eras', () => {
  const roots = Array.from({ length: 128 }, (_, i) => new Uint8Array(32).fill(i))
  const totals = { network, era: 5, totalBytes: 1000n, totalChunks: 128n }

  it('an era root binds network, era, totals and the tree over 128 period roots', () => {
    const head = Buffer.alloc(41)
    head[0] = 4
    for (const [i, value] of [77n, 1_705_312_800_000n, 5n, 1000n, 128n].entries())
      head.writeBigUInt64BE(value, 1 + 8 * i)
    const wanted = createHash('sha256').update(head).update(treeHead(roots)).digest('hex')
    assert.equal(toHex(computeEraRoot(totals, roots)), wanted)
  })

  it('limit: an era has 128 period roots, not 127 or 129', () => {
    for (const some of [roots.slice(1), [...roots, new Uint8Array(32)]]) {
      assert.throws(
        () => computeEraRoot(totals, some),
        (error) => isArchiveError(error, 'CORE_NUMBER_OUT_OF_RANGE'),
      )
    }
  })
})

function assertRefused(bytes: Uint8Array): void {
  assert.throws(
    () => parseManifest(bytes),
    (error) => isArchiveError(error, 'CORE_MANIFEST_INVALID'),
  )
}
