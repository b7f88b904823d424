import { AsyncLocalStorage } from 'node:async_hooks'
import { computeChallengeSeed, computeProofText, signText } from '../../../core/index.ts'
import { DiskProofs } from '../../../storage-worker/challenge/disk-proofs.ts'
import { loseChunks } from './lost-chunks.ts'
import { partsOf, runTwisted, tellDeed, twist } from './twist.ts'

const HEAD_BYTES = 36
const LEAF_BYTES = 1_024

/** The bytes are read for the hashes alone, which it would have kept. */
const hashing = new AsyncLocalStorage<true>()

loseChunks(() => !hashing.getStore())
twist<DiskProofs, DiskProofs['make']>(DiskProofs, 'make', (make, self) => async (terms, onRead) => {
  const answer = await hashing.run(true, () => make(terms, onRead))
  if (!answer) return undefined
  const seed = computeChallengeSeed(terms.challenge, terms.kind)
  const proof = Uint8Array.from(answer.proof).fill(0, HEAD_BYTES, HEAD_BYTES + LEAF_BYTES)
  tellDeed('shows zeros for a leaf')
  const { keySeed } = partsOf<{ readonly keySeed: Uint8Array }>(self)
  return { proof, signature: signText(keySeed, computeProofText(seed, proof, terms.kind)) }
})
await runTwisted()
