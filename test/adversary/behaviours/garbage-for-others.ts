import { makeChallengeAnswer } from '../../../core/index.ts'
import type { Adversary } from '../adversary.ts'
import { readChunk } from '../history.ts'

const because =
  'what is not signed by the challenged node is refused before it is judged: it costs its sender a fee, and the node nothing'

export const garbageForOthers: Adversary = {
  name: 'sends garbage proofs for someone else',
  does: 'is honest itself, and answers each challenge of another node at once, with a broken proof',
  play: () => {
    const seen = new Set<string>()
    return {
      act: (arena) => {
        const [me] = arena.world.suspects
        for (const { asked, node } of arena.listOpen()) {
          const { challengeId } = asked.challenge
          if (!me || node === me || seen.has(challengeId) || !asked.chunk) continue
          seen.add(challengeId)
          const answer = makeChallengeAnswer(readChunk(asked.chunk), asked, me.party.seed)
          arena.submit(me.party, [
            { asked, answer: { ...answer, proof: Uint8Array.from(answer.proof).fill(0, 4, 36) } },
          ])
        }
      },
    }
  },
  expected: { shipped: { atMost: 1, because }, production: { atMost: 1, because } },
}
