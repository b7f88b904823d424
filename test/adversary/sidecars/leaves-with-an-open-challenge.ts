import { leave, onChallenge } from './challenge-events.ts'
import { loseChunks } from './lost-chunks.ts'
import { runTwisted } from './twist.ts'

let isLeaving = false

loseChunks(() => true)
onChallenge('CHALLENGE_ISSUED', (_, isOwn, parts) => {
  if (!isOwn || isLeaving) return
  isLeaving = true
  leave(parts, 'challenged')
})
await runTwisted()
