import { computeChallengeSeed, computeProofText, computeStorageProof, signText } from '../../../core/index.ts'
import type { Adversary } from '../adversary.ts'
import { readChunk } from '../history.ts'

const LEAF_BYTES = 1_024
const HEAD_BYTES = 36

const because =
  'a proof shows the bytes of leaves that nobody knows before, and hashes do not give them; a wrong proof under its own signature is a failed challenge'

/** Every hash of the trees, which takes a sixteenth of the room, and zeros in place of the leaf. */
export const keepsOnlyHashes: Adversary = {
  name: 'keeps only hashes',
  does: 'keeps the hashes of all leaves and nodes, throws the bytes away, says that it has everything, and signs proofs with zeros for the leaf',
  play: () => ({
    habits: {
      keeps: () => false,
      find: () => undefined,
      answer: ({ challenge, kind, samples, chunk }, { party }) => {
        if (!chunk) return undefined
        const seed = computeChallengeSeed(challenge, kind)
        // The hashes are those of the chunk; the bytes are not.
        const proof = computeStorageProof(readChunk(chunk), { seed, samples }).fill(
          0,
          HEAD_BYTES,
          HEAD_BYTES + LEAF_BYTES,
        )
        return { proof, signature: signText(party.seed, computeProofText(seed, proof, kind)) }
      },
    },
  }),
  expected: { shipped: { atMost: 0, because }, production: { atMost: 0, because } },
}
