import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  CHUNK_SIZE_BYTES,
  computeChunkId,
  computeChunkLeafHashes,
  computePathLength,
  computeProofText,
  computeSampleIndex,
  computeStorageProof,
  computeTreeLevels,
  concatBytes,
  equalBytes,
  isArchiveError,
  LEAF_SIZE_BYTES,
  MAX_SAMPLES,
  pickPath,
  verifyStorageProof,
} from '../../core/index.ts'

const SEED = new Uint8Array(32).fill(4)
const ORDER = { seed: SEED, samples: 2 }
const CHUNK = Uint8Array.from({ length: 10 * LEAF_SIZE_BYTES + 77 }, (_, i) => (i * 31) % 251)
const CHUNK_ID = computeChunkId(CHUNK)
const PROOF = computeStorageProof(CHUNK, ORDER)
const HEAD = 36

/** Byte offsets of the first sample: where its leaf begins and ends, and its path ends. */
function firstSample() {
  const leafCount = Math.ceil(CHUNK.length / LEAF_SIZE_BYTES)
  const index = computeSampleIndex(SEED, 0, leafCount)
  const leafEnd = HEAD + Math.min(LEAF_SIZE_BYTES, CHUNK.length - index * LEAF_SIZE_BYTES)
  return { index, leafEnd, end: leafEnd + 32 * computePathLength(index, leafCount), leafCount }
}

describe('core/storage-proof', () => {
  it('a proof of a chunk of any size verifies', () => {
    const size = fc.oneof(
      fc.integer({ min: 1, max: 20_000 }),
      fc.constantFrom(1, 1023, 1024, 1025, 2048, 2049, 7 * 1024),
    )
    fc.assert(
      fc.property(
        size,
        fc.integer({ min: 1, max: 9 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (bytes, samples, seed) => {
          const chunk = Uint8Array.from({ length: bytes }, (_, i) => i * 7 + bytes)
          verifyStorageProof(computeStorageProof(chunk, { seed, samples }), computeChunkId(chunk), { seed, samples })
        },
      ),
    )
  })

  it('limit: the largest chunk has a proof of at most 2.8 kB, one byte more has none', () => {
    const chunk = new Uint8Array(CHUNK_SIZE_BYTES).fill(1)
    const proof = computeStorageProof(chunk, ORDER)
    assert.equal(proof.length, 36 + 2 * (1024 + 320))
    verifyStorageProof(proof, computeChunkId(chunk), ORDER)
    for (const length of [0, CHUNK_SIZE_BYTES + 1]) {
      assert.throws(() => computeStorageProof(new Uint8Array(length), ORDER), isArchiveError)
    }
  })

  it('limit: 1 to 1,024 samples', () => {
    const chunk = Uint8Array.of(1)
    const most = { seed: SEED, samples: MAX_SAMPLES }
    verifyStorageProof(computeStorageProof(chunk, most), computeChunkId(chunk), most)
    for (const samples of [0, -1, 1.5, MAX_SAMPLES + 1]) {
      assert.throws(
        () => computeStorageProof(chunk, { seed: SEED, samples }),
        (error) => isArchiveError(error, 'CORE_NUMBER_OUT_OF_RANGE'),
      )
      assert.throws(
        () => verifyStorageProof(PROOF, CHUNK_ID, { seed: SEED, samples }),
        (error) => isArchiveError(error, 'CORE_NUMBER_OUT_OF_RANGE'),
      )
    }
  })

  it('any flipped bit is refused', () => {
    fc.assert(
      fc.property(fc.nat(PROOF.length * 8 - 1), (bit) => {
        const bent = PROOF.slice()
        bent[bit >> 3] = (bent[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        assertRefused(bent)
      }),
      { numRuns: 500 },
    )
  })

  const { leafEnd, end } = firstSample()
  const mutations: Record<string, () => Uint8Array> = {
    'an empty proof': () => new Uint8Array(0),
    'one byte': () => Uint8Array.of(0),
    'the head alone': () => PROOF.subarray(0, HEAD),
    'a proof a byte short': () => PROOF.subarray(0, -1),
    'a trailing byte': () => concatBytes(PROOF, Uint8Array.of(0)),
    'a length of zero': () => withLength(0),
    'one byte fewer claimed': () => withLength(CHUNK.length - 1),
    'one leaf more claimed': () => withLength(CHUNK.length + LEAF_SIZE_BYTES),
    'a length past the largest chunk': () => withLength(CHUNK_SIZE_BYTES + 1),
    'one sample only': () => PROOF.subarray(0, end),
    'one sample too many': () => concatBytes(PROOF, PROOF.subarray(HEAD, end)),
    'the first sample twice': () => concatBytes(PROOF.subarray(0, end), PROOF.subarray(HEAD, end)),
    'samples in another order': () =>
      concatBytes(PROOF.subarray(0, HEAD), PROOF.subarray(end), PROOF.subarray(HEAD, end)),
    'a leaf a byte short': () => concatBytes(PROOF.subarray(0, leafEnd - 1), PROOF.subarray(leafEnd)),
    'a path one hash short': () => concatBytes(PROOF.subarray(0, leafEnd), PROOF.subarray(leafEnd + 32)),
    'a path one hash long': () =>
      concatBytes(PROOF.subarray(0, leafEnd), PROOF.subarray(4, 36), PROOF.subarray(leafEnd)),
    'two siblings swapped': () =>
      concatBytes(
        PROOF.subarray(0, leafEnd),
        PROOF.subarray(leafEnd + 32, leafEnd + 64),
        PROOF.subarray(leafEnd, leafEnd + 32),
        PROOF.subarray(leafEnd + 64),
      ),
    'the root of another chunk': () => computeStorageProof(CHUNK.subarray(1), ORDER),
    'the leaves of another challenge': () => computeStorageProof(CHUNK, { seed: new Uint8Array(32), samples: 2 }),
    'the neighbouring leaf with its own good path': otherLeaf,
    'a chunk with one byte lost': () =>
      computeStorageProof(
        CHUNK.map((byte, i) => (i === 5 ? byte ^ 1 : byte)),
        ORDER,
      ),
  }
  for (const [name, mutate] of Object.entries(mutations)) {
    it(`refuses ${name}`, () => assertRefused(mutate()))
  }

  it('refuses a good proof for another chunk, seed or number of samples', () => {
    const refused = (chunkId: Uint8Array, order: typeof ORDER): void => {
      assert.throws(
        () => verifyStorageProof(PROOF, chunkId, order),
        (error) => isArchiveError(error, 'CORE_PROOF_INVALID'),
      )
    }
    verifyStorageProof(PROOF, CHUNK_ID, ORDER)
    refused(computeChunkId(CHUNK.subarray(1)), ORDER)
    refused(CHUNK_ID, { seed: new Uint8Array(32), samples: 2 })
    refused(CHUNK_ID, { seed: SEED, samples: 1 })
    refused(CHUNK_ID, { seed: SEED, samples: 3 })
  })

  it('signs over seed and proof, and a rehearsal under another name', () => {
    assert.match(computeProofText(SEED, PROOF), /^massa-storage\/proof\/1:[0-9a-f]{64}$/)
    assert.match(computeProofText(SEED, PROOF, 'rehearsal'), /^massa-storage\/rehearsal\/1:[0-9a-f]{64}$/)
    assert.notEqual(computeProofText(SEED, PROOF), computeProofText(new Uint8Array(32), PROOF))
    assert.notEqual(computeProofText(SEED, PROOF), computeProofText(SEED, PROOF.subarray(1)))
  })
})

function withLength(length: number): Uint8Array {
  const bent = PROOF.slice()
  new DataView(bent.buffer).setUint32(0, length)
  return bent
}

/** A leaf the prover kept, in place of the one asked for. */
function otherLeaf(): Uint8Array {
  const { index, leafCount, end } = firstSample()
  const levels = computeTreeLevels(computeChunkLeafHashes(CHUNK))
  const wantedLength = computePathLength(index, leafCount)
  for (let other = 0; other < leafCount - 1; other++) {
    if (other === index || computePathLength(other, leafCount) !== wantedLength) continue
    const leaf = CHUNK.subarray(other * LEAF_SIZE_BYTES, (other + 1) * LEAF_SIZE_BYTES)
    return concatBytes(PROOF.subarray(0, HEAD), leaf, ...pickPath(levels, other), PROOF.subarray(end))
  }
  return assert.fail('no other leaf of that depth')
}

function assertRefused(proof: Uint8Array): void {
  assert(!equalBytes(proof, PROOF), 'the mutation changed nothing')
  assert.throws(
    () => verifyStorageProof(proof, CHUNK_ID, ORDER),
    (error) => isArchiveError(error, 'CORE_PROOF_INVALID'),
  )
}
