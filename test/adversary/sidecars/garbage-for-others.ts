import { encodeSignatureArgument, signText } from '../../../core/index.ts'
import { onChallenge } from './challenge-events.ts'
import { partsOf, runTwisted, tellDeed } from './twist.ts'

const PROOF_BYTES = 2_000

onChallenge('CHALLENGE_ISSUED', ({ challengeId }, isOwn, { modules }) => {
  if (isOwn) return
  const { keySeed } = partsOf<{ readonly keySeed: Uint8Array }>(modules.proofs)
  const args = {
    challengeIds: [challengeId],
    merkleProofs: [new Uint8Array(PROOF_BYTES)],
    signatures: [encodeSignatureArgument(signText(keySeed, challengeId))],
  }
  tellDeed('has garbage for a challenge of another node')
  modules.sender.client.call('submitProofs', args).then(
    () => console.log('garbage was taken'),
    (error: unknown) => console.log('garbage was refused', error),
  )
})
await runTwisted()
