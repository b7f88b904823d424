import { makeChallengeAnswer } from '../../../core/index.ts'
import type { Adversary } from '../adversary.ts'
import { readChunk } from '../history.ts'
import { makeParty } from '../party.ts'

const because =
  'the key must be that of the node, and the signature that of this proof for this challenge: all else is refused'

export const forgesSignatures: Adversary = {
  name: 'forges signatures',
  does: 'keeps nothing, has an accomplice with the bytes sign its proofs, and every second time alters the signature',
  play: () => {
    let turn = 0
    return {
      habits: {
        keeps: () => false,
        answer: ({ challenge, kind, samples, chunk }, { party }) => {
          if (!chunk) return undefined
          const terms = { challenge, kind, samples }
          // Its own key over a proof that is somebody else's, or a key that is not its own.
          const isAltered = turn++ % 2 === 0
          const signer = isAltered ? party : makeParty('accomplice')
          const { proof, signature } = makeChallengeAnswer(readChunk(chunk), terms, signer.seed)
          const bytes = Uint8Array.from(signature.signature)
          if (isAltered) bytes[64] = (bytes[64] ?? 0) ^ 1
          return { proof, signature: { ...signature, signature: bytes } }
        },
      },
    }
  },
  expected: { shipped: { atMost: 0, because }, production: { atMost: 0, because } },
}
