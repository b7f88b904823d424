import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  CHUNK_SIZE_BYTES,
  computeChunkId,
  concatBytes,
  isArchiveError,
  type SampleOrder,
  verifyStorageProof,
} from '../../core/index.ts'
import { CHUNK, issue, prepare, prove, registerNode, seedOf, signProof, submit, submitArgs } from './challenge-steps.ts'
import { Counts, FUZZ_RUNS, FUZZ_SEED } from './fuzz-runs.ts'
import { judgeProof } from './proof-judge.ts'
import { makeTarget, mutate, mutations } from './proof-mutations.ts'
import { checkInvariants } from './registry-records.ts'
import {
  ANYONE,
  type CallResult,
  deployRegistry,
  fund,
  NODE,
  refuse,
  tryCall,
  userOf,
  type World,
} from './registry-world.ts'

const SIZES = [1, 1023, 1024, 1025, 1_048_575, 1_048_576] as const
const MORE_SIZES = [2, 2048, 2049, 5000, 500_001] as const
/** One past the most that a chunk has: its proof is right in all but that. */
const OVER_SIZE = CHUNK_SIZE_BYTES + 1
const LONG_CHUNK = concatBytes(CHUNK, Uint8Array.of(7))
const SAMPLES = [1, 2, 8] as const
const FIRST_NODE = 50

interface OpenChallenge {
  readonly world: World
  readonly challengeId: string
  readonly chunkId: Uint8Array
  readonly snapshot: ReturnType<World['engine']['snapshot']>
  readonly target: ReturnType<typeof makeTarget>
}

/** One open challenge for each size of chunk and number of samples. */
function openChallenges(): OpenChallenge[] {
  return SAMPLES.flatMap((samples) => {
    const world = deployRegistry({ samplesPerChallenge: BigInt(samples) })
    prepare(world)
    const opened = [...SIZES, ...MORE_SIZES, OVER_SIZE].map((size, i) => {
      const node = userOf(FIRST_NODE + i)
      fund(world, node)
      registerNode(world, node)
      const chunk = LONG_CHUNK.slice(0, size)
      const chunkId = computeChunkId(chunk)
      const asked = issue(world, `c${i}`, { node, chunkId })
      const target = makeTarget({ node, stranger: NODE, chunk, seed: seedOf(world, asked), samples })
      return { world, challengeId: `c${i}`, chunkId, target }
    })
    const snapshot = world.engine.snapshot()
    return opened.map((one) => ({ ...one, snapshot }))
  })
}

function verdictOf({ ok, code, error, events }: CallResult): string {
  if (!ok) return code ?? `no code: ${error}`
  return /^CHALLENGE_PASSED/.test(events[0] ?? '') ? 'passed' : 'failed'
}

function isAcceptedByCore(proof: Uint8Array, chunkId: Uint8Array, order: SampleOrder): boolean {
  try {
    verifyStorageProof(proof, chunkId, order)
    return true
  } catch (error) {
    if (isArchiveError(error, 'CORE_PROOF_INVALID')) return false
    throw error
  }
}

describe('sc: proofs on chain and in core', () => {
  for (const size of SIZES) {
    it(`an honest proof of ${size} bytes passes`, () => {
      const world = deployRegistry()
      prepare(world)
      const chunk = CHUNK.slice(0, size)
      const asked = issue(world, 'c', { chunkId: computeChunkId(chunk) })
      const { events } = submit(world, asked, prove(world, asked, chunk), ANYONE)
      assert.deepEqual(events[0], `CHALLENGE_PASSED:c,${NODE.address}`)
      checkInvariants(world)
    })
  }

  it(`limit: a proof of ${OVER_SIZE} bytes that leads to its chunk id is refused`, () => {
    const world = deployRegistry()
    prepare(world)
    const chunkId = computeChunkId(LONG_CHUNK)
    const asked = issue(world, 'c', { chunkId })
    const order = { seed: seedOf(world, asked), samples: 2 }
    const { honest } = makeTarget({ node: NODE, stranger: ANYONE, chunk: LONG_CHUNK, ...order })
    const parameter = submitArgs('c', signProof(world, asked, honest))
    refuse(world, NODE, 'submitProof', 'REGISTRY_PROOF_SHAPE', parameter)
    assert.equal(isAcceptedByCore(honest, chunkId, order), false)
  })

  it(`${FUZZ_RUNS} mutated proofs get the same answer`, function () {
    this.timeout(FUZZ_RUNS > 10_000 ? 0 : 60_000)
    const challenges = openChallenges()
    const verdicts = new Counts()
    fc.assert(
      fc.property(mutations(challenges.length), (mutation) => {
        const challenge = challenges[mutation.target]
        assert.ok(challenge)
        const { world, challengeId, chunkId, target } = challenge
        const given = mutate(mutation, target)
        const wanted = judgeProof(given, { ...target, chunkId, nodeAddress: target.node.address })
        const verdict = verdictOf(tryCall(world, target.node, 'submitProof', submitArgs(challengeId, given)))
        world.engine.restore(challenge.snapshot)
        assert.equal(verdict, wanted)
        if (verdict === 'passed' || verdict === 'failed') {
          assert.equal(verdict === 'passed', isAcceptedByCore(given.proof, chunkId, target))
        }
        verdicts.add(verdict)
        verdicts.add(`(${mutation.kind})`)
      }),
      { numRuns: FUZZ_RUNS, seed: FUZZ_SEED },
    )
    console.log(`      seed ${FUZZ_SEED}: ${verdicts}`)
    for (const verdict of ['passed', 'failed', 'SIGNATURE_INVALID', 'KEY_MISMATCH', 'PROOF_SHAPE']) {
      assert.ok(
        [...verdicts.byName.keys()].some((name) => name.endsWith(verdict)),
        `none was ${verdict}`,
      )
    }
  })
})
