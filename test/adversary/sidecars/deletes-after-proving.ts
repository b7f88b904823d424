import { onChallenge } from './challenge-events.ts'
import { loseChunks } from './lost-chunks.ts'
import { runTwisted, tellDeed } from './twist.ts'

let hasProven = false

loseChunks(() => hasProven)
onChallenge('CHALLENGE_PASSED', (_, isOwn) => {
  if (!isOwn || hasProven) return
  hasProven = true
  tellDeed('has proven once, and has nothing any more')
})
await runTwisted()
