import { randomBytes } from 'node:crypto'
import { computeChallengeSeed, computeProofText, signText } from '../../../core/index.ts'
import { DiskProofs } from '../../../storage-worker/challenge/disk-proofs.ts'
import { runTwisted, tellDeed, twist } from './twist.ts'

let turn = 0

twist<DiskProofs, DiskProofs['make']>(DiskProofs, 'make', (make) => async (terms, onRead) => {
  const answer = await make(terms, onRead)
  if (!answer) return undefined
  const { proof, signature } = answer
  // Its own key under another signature, or a key that is not its own.
  if (turn++ % 2 === 0) {
    const bytes = Uint8Array.from(signature.signature)
    bytes[64] = (bytes[64] ?? 0) ^ 1
    tellDeed('alters a signature')
    return { proof, signature: { ...signature, signature: bytes } }
  }
  tellDeed('signs with another key')
  const text = computeProofText(computeChallengeSeed(terms.challenge, terms.kind), proof, terms.kind)
  return { proof, signature: signText(randomBytes(32), text) }
})
await runTwisted()
