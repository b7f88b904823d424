import { leave, onChallenge } from './challenge-events.ts'
import { loseChunks } from './lost-chunks.ts'
import { runTwisted } from './twist.ts'

let isLeaving = false

loseChunks(() => isLeaving)
onChallenge('CHALLENGE_PASSED', (_, isOwn, parts) => {
  if (!isOwn || isLeaving) return
  isLeaving = true
  leave(parts, 'having passed a challenge')
})
await runTwisted()
