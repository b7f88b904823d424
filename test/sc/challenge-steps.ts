import { computeChallengeSeed, computeChunkId, computeProofText, computeStorageProof, toHex } from '../../core/index.ts'
import { ArgsWriter, stringArg, u64Arg } from '../reference/args-writer.ts'
import {
  ADMIN,
  ANYONE,
  type CallResult,
  CHAIN_ID,
  CHALLENGER,
  call,
  goTo,
  MAS,
  NODE,
  signAs,
  type User,
  type World,
} from './registry-world.ts'

/** A full chunk, different in every leaf. */
export const CHUNK = Uint8Array.from({ length: 1_048_576 }, (_, i) => (i * 31 + (i >> 8)) & 255)
export const CHUNK_ID = computeChunkId(CHUNK)
export const NONCE = 7n

/** A challenge as somebody who answers it sees it. */
export interface Asked {
  readonly challengeId: string
  readonly node: User
  readonly chunkId: Uint8Array
  readonly nonce: bigint
  readonly issuedPeriod: number
}

export interface ProofArguments {
  readonly proof: Uint8Array
  readonly signature: Uint8Array
}

export function registerNode(world: World, node: User, gb = 5n, coins = 11n * MAS): CallResult {
  return call(world, node, 'registerStorageNode', u64Arg(gb), coins)
}

export function addChallenger(world: World, challenger: User): void {
  call(world, ADMIN, 'addChallenger', stringArg(challenger.address), MAS)
}

/** NODE with 5 GB, CHALLENGER, 100 MAS in the pool, at period 30. */
export function prepare(world: World): void {
  call(world, ANYONE, 'fundRewards', undefined, 100n * MAS)
  registerNode(world, NODE)
  addChallenger(world, CHALLENGER)
  goTo(world, 30)
}

export function issueArgs(asked: Omit<Asked, 'issuedPeriod'>, evidence?: Uint8Array): Uint8Array {
  const writer = new ArgsWriter().string(asked.challengeId).string(asked.node.address).string(toHex(asked.chunkId))
  writer.u64(asked.nonce)
  return (evidence ? writer.bytes(evidence) : writer).finish()
}

/** Challenges `node`, for CHUNK unless said, in the current period. */
export function issue(
  world: World,
  challengeId: string,
  options: { node?: User; by?: User; chunkId?: Uint8Array; nonce?: bigint; evidence?: Uint8Array } = {},
): Asked {
  const { node = NODE, by = CHALLENGER, chunkId = CHUNK_ID, nonce = NONCE, evidence } = options
  const asked = { challengeId, node, chunkId, nonce, issuedPeriod: world.engine.slot.period }
  call(world, by, 'issueChallenge', issueArgs(asked, evidence), MAS)
  return asked
}

export function seedOf(world: World, asked: Asked): Uint8Array {
  const { challengeId, node, chunkId, nonce, issuedPeriod } = asked
  return computeChallengeSeed({
    chainId: CHAIN_ID,
    contract: world.contract,
    challengeId,
    nodeAddress: node.address,
    chunkId,
    nonce,
    issuedPeriod,
  })
}

/** The proof bytes given, signed over the seed of the challenge. */
export function signProof(world: World, asked: Asked, proof: Uint8Array, by: User = asked.node): ProofArguments {
  return { proof, signature: signAs(by, computeProofText(seedOf(world, asked), proof)) }
}

/** What an honest node sends. */
export function prove(world: World, asked: Asked, chunk: Uint8Array = CHUNK, samples = 2): ProofArguments {
  return signProof(world, asked, computeStorageProof(chunk, { seed: seedOf(world, asked), samples }))
}

export function submitArgs(challengeId: string, { proof, signature }: ProofArguments): Uint8Array {
  return new ArgsWriter().string(challengeId).bytes(proof).bytes(signature).finish()
}

export function submit(world: World, asked: Asked, given: ProofArguments, by: User = asked.node): CallResult {
  return call(world, by, 'submitProof', submitArgs(asked.challengeId, given))
}

/** One audit of one challenge, passed at once. */
export function passAudit(world: World, challengeId: string, node: User = NODE): void {
  const asked = issue(world, challengeId, { node })
  submit(world, asked, prove(world, asked))
}
