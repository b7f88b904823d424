import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { isArchiveError } from '../../core/index.ts'
import { runProtocol } from '../protocol-handler/protocol-vector-area.ts'
import {
  runBody,
  runChallenge,
  runChunk,
  runEraRoot,
  runManifest,
  runMerkle,
  runPeriodRoot,
  runPlacement,
  runSeals,
} from './archive-vector-areas.ts'
import {
  runBase58check,
  runBlake3,
  runBlockHeader,
  runDenunciation,
  runEd25519,
  runEndorsement,
  runLeb128,
  runOperation,
  runRestore,
  runSha256,
} from './massa-vector-areas.ts'
import { type Json, VectorCase } from './vector-case.ts'

const VECTORS = new URL('../vectors/', import.meta.url)

/** What each folder of test/vectors is run through. */
const AREAS: Readonly<Record<string, (vector: VectorCase) => Json>> = {
  base58check: runBase58check,
  blake3: runBlake3,
  'block-header': runBlockHeader,
  body: runBody,
  challenge: runChallenge,
  chunk: runChunk,
  denunciation: runDenunciation,
  ed25519: runEd25519,
  endorsement: runEndorsement,
  'era-root': runEraRoot,
  leb128: runLeb128,
  manifest: runManifest,
  merkle: runMerkle,
  operation: runOperation,
  'period-root': runPeriodRoot,
  placement: runPlacement,
  protocol: runProtocol,
  restore: runRestore,
  seals: runSeals,
  sha256: runSha256,
}

/**
 * Where this implementation takes less than the format allows, on purpose: periods and eras are numbers below 2^53
 * (core/units.ts), which Massa reaches in 4.5 * 10^15 years. Such input must be refused, never be read as another number.
 */
const BEYOND_OUR_RANGE: ReadonlySet<string> = new Set([
  'block-header/period-u64-max.json',
  'body/period-u64-max.json',
  'endorsement/period-u64-max.json',
  'era-root/numbers-highest.json',
  'manifest/numbers-highest.json',
  'period-root/numbers-highest.json',
])

describe('test/vectors, made by an independent implementation', () => {
  const folders = readdirSync(VECTORS, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  )

  it('has every case that is beyond our range', () => {
    for (const name of BEYOND_OUR_RANGE) assert(existsSync(new URL(name, VECTORS)), name)
  })

  it('has exactly the areas that are run', () => {
    assert.deepEqual(folders.sort(), Object.keys(AREAS).sort())
  })

  for (const area of folders) {
    describe(area, () => {
      const run = AREAS[area]
      const files = readdirSync(new URL(`${area}/`, VECTORS))
      it('has cases', () => assert(files.length > 0))
      for (const file of files) {
        const isBeyond = BEYOND_OUR_RANGE.has(`${area}/${file}`)
        it(`${file.replace(/\.json$/, '')}${isBeyond ? ': beyond our range, refused' : ''}`, () => {
          assert(run, `no runner for ${area}`)
          const vector = new VectorCase(JSON.parse(readFileSync(new URL(`${area}/${file}`, VECTORS), 'utf8')))
          if (isBeyond) assert.throws(() => run(vector), isArchiveError)
          else checkCase(run, vector)
        })
      }
    })
  }
})

function checkCase(run: (vector: VectorCase) => Json, vector: VectorCase): void {
  assert(vector.has('want') !== vector.has('wantErr'), 'a case has either want or wantErr')
  if (vector.has('want')) {
    assert.deepEqual(run(vector), vector.json('want'))
  } else {
    assert.throws(
      () => run(vector),
      (error: unknown) => {
        assert(isArchiveError(error), `not an ArchiveError: ${error}`)
        assert.equal(error.code, vector.text('wantErr'))
        return true
      },
    )
  }
}
