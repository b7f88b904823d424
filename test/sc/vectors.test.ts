import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { sha256 } from '#crypto'
import { ERA_PERIODS, fromHex, isArchiveError, toHex, verifyStorageProof } from '../../core/index.ts'
import { type Json, VectorCase } from '../core/vector-case.ts'
import { ArgsWriter } from '../reference/args-writer.ts'
import { BareRegistry } from './bare-registry.ts'
import { issue, issueArgs, NONCE, prepare, registerNode } from './challenge-steps.ts'
import { readState } from './registry-records.ts'
import { CHALLENGER, deployRegistry, goTo, NODE, refuse, type World } from './registry-world.ts'

/*
 * The vectors that `core` is tested with, on the shipped wasm. A vector says which seed decides the leaves; on the chain
 * a challenge does. So here the host answers the vector's seed when the contract asks for the hash of a challenge.
 */

const FOLDER = new URL('../vectors/challenge/', import.meta.url)
const SEED_PREFIX = 'massa-storage/challenge/1'
const SIGNATURE = new TextEncoder().encode('P1:1')

function readCases(kind: string): [name: string, vector: VectorCase][] {
  return readdirSync(FOLDER)
    .map((file): [string, VectorCase] => {
      const json = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Json
      return [file.replace('.json', ''), new VectorCase(json)]
    })
    .filter(([, vector]) => vector.text('kind') === kind)
}

/** A registry in which NODE is challenged for a chunk. */
function challenged(chunkId: Uint8Array, samples: number): World {
  const world = deployRegistry({ samplesPerChallenge: BigInt(samples) })
  prepare(world)
  issue(world, 'c', { chunkId })
  return world
}

/** PASSED, FAILED or the code of the refusal, for a proof under this seed. */
function submitUnder(seed: Uint8Array, world: World, proof: Uint8Array): string {
  const bare = BareRegistry.copyOf(world, NODE.address)
  bare.around = {
    ...bare.around,
    sha256: (input) =>
      Buffer.from(input.subarray(0, SEED_PREFIX.length)).toString() === SEED_PREFIX ? seed : sha256(input),
    isSigned: () => true,
    addressOf: () => NODE.address,
  }
  try {
    bare.call('submitProof', new ArgsWriter().string('c').bytes(proof).bytes(SIGNATURE).finish())
  } catch (error) {
    return /REGISTRY_[A-Z_]+/.exec(String(error))?.[0] ?? String(error)
  }
  return /^CHALLENGE_(PASSED|FAILED)/.exec(bare.events[0] ?? '')?.[1] ?? 'nothing'
}

describe('sc: the vectors of proofs', () => {
  const verdicts = new Map<string, number>()
  for (const [name, vector] of readCases('verify')) {
    it(`${name}: ${vector.has('wantErr') ? 'refused' : 'accepted'}, as by core`, () => {
      const order = { seed: vector.bytes('seed'), samples: vector.number('samples') }
      const proof = vector.bytes('proof')
      const verdict = submitUnder(order.seed, challenged(vector.bytes('chunkId'), order.samples), proof)
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1)
      let isAccepted = true
      try {
        verifyStorageProof(proof, vector.bytes('chunkId'), order)
      } catch (error) {
        assert.ok(isArchiveError(error, 'CORE_PROOF_INVALID'))
        isAccepted = false
      }
      assert.equal(isAccepted, !vector.has('wantErr'))
      assert.equal(verdict === 'PASSED', isAccepted, verdict)
      if (!isAccepted) assert.match(verdict, /^(FAILED|REGISTRY_PROOF_SHAPE)$/)
    })
  }

  it('give all three answers', () => {
    assert.deepEqual([...verdicts.keys()].sort(), ['FAILED', 'PASSED', 'REGISTRY_PROOF_SHAPE'])
  })
})

describe('sc: the vectors of seeds and texts', () => {
  for (const [name, vector] of readCases('seed')) {
    if (vector.text('label') !== 'challenge') continue
    it(`${name}: the same seed`, () => {
      const world = challenged(vector.bytes('chunkId'), 1)
      const bare = BareRegistry.copyOf(world, NODE.address)
      const key = `chal_${vector.text('challengeId')}`
      bare.entries.set(key, rewriteChallenge(bare.entries.get('chal_c'), vector))
      const seeds: string[] = []
      bare.around = {
        ...bare.around,
        chainId: vector.bigint('chainId'),
        contract: vector.text('contract'),
        timestampMs: 0n,
        sha256: (input) => {
          const hash = sha256(input)
          if (Buffer.from(input.subarray(0, SEED_PREFIX.length)).toString() === SEED_PREFIX) seeds.push(toHex(hash))
          return hash
        },
      }
      const args = new ArgsWriter().string(vector.text('challengeId')).bytes(new Uint8Array(36)).bytes(SIGNATURE)
      assert.throws(() => bare.call('submitProof', args.finish()))
      assert.deepEqual(seeds, [vector.text('want')])
    })
  }

  for (const [name, vector] of readCases('proofText')) {
    if (vector.text('label') !== 'proof') continue
    it(`${name}: the same text is signed`, () => {
      const bare = BareRegistry.copyOf(challenged(new Uint8Array(32), 2), NODE.address)
      const texts: string[] = []
      bare.around = {
        ...bare.around,
        sha256: (input) =>
          Buffer.from(input.subarray(0, SEED_PREFIX.length)).toString() === SEED_PREFIX
            ? vector.bytes('seed')
            : sha256(input),
        isSigned: (text) => {
          texts.push(text)
          return false
        },
      }
      const args = new ArgsWriter().string('c').bytes(vector.bytes('proof')).bytes(SIGNATURE).finish()
      assert.throws(() => bare.call('submitProof', args), /REGISTRY_SIGNATURE_INVALID/)
      assert.deepEqual(texts, [vector.text('want')])
    })
  }

  for (const [name, vector] of readCases('eraText')) {
    it(`${name}: the same text is signed`, () => {
      const world = deployRegistry()
      registerNode(world, NODE)
      goTo(world, (vector.number('era') + 2) * ERA_PERIODS)
      assert.equal(readState(world).get('weight'), 5n)
      const bare = BareRegistry.copyOf(world, NODE.address)
      const texts: string[] = []
      bare.around = {
        ...bare.around,
        chainId: vector.bigint('chainId'),
        contract: vector.text('contract'),
        isSigned: (text) => {
          texts.push(text)
          return false
        },
      }
      const args = new ArgsWriter().u64(vector.bigint('era')).bytes(vector.bytes('eraRoot'))
      args.u64(vector.bigint('totalBytes')).u64(vector.bigint('totalChunks')).bytes(vector.bytes('nextPlacementRoot'))
      assert.throws(() => bare.call('anchorEra', args.byteStrings([SIGNATURE]).finish()), /REGISTRY_SIGNATURE_INVALID/)
      assert.deepEqual(texts, [vector.text('want')])
    })
  }

  it('a chunk id is taken in lower case only', () => {
    const world = deployRegistry()
    prepare(world)
    const asked = { challengeId: 'c', node: NODE, chunkId: fromHex('ab'.repeat(32)), nonce: NONCE }
    const upper = Buffer.from(issueArgs(asked)).toString('latin1').replace('ab'.repeat(32), 'AB'.repeat(32))
    refuse(world, CHALLENGER, 'issueChallenge', 'REGISTRY_CHUNK_ID_INVALID', Buffer.from(upper, 'latin1'), 10n ** 9n)
  })
})

/** The stored challenge with node, chunk, nonce and period of a vector. */
function rewriteChallenge(record: Uint8Array | undefined, vector: VectorCase): Uint8Array {
  const bytes = Buffer.from(record ?? [])
  const node = vector.text('node')
  bytes[1] = node.length
  bytes.fill(0, 2, 55).write(node, 2, 'latin1')
  bytes.set(vector.bytes('chunkId'), 55)
  bytes.writeBigUInt64LE(vector.bigint('nonce'), 87)
  bytes.writeBigUInt64LE(vector.bigint('issuedPeriod'), 95)
  return bytes
}
