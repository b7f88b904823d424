import { computeHashSlot } from '../../../core/index.ts'
import { HaveMap } from '../../../storage-worker/replication/have-map.ts'
import { loseChunks } from './lost-chunks.ts'
import { runTwisted, tellDeed, twist } from './twist.ts'

const isKept = (hashSlot: number): boolean => hashSlot % 2 === 0

loseChunks((chunkId) => !isKept(computeHashSlot(chunkId)))
twist<HaveMap, (slots: readonly number[], range: unknown) => unknown>(HaveMap, 'draw', (draw) => (slots, range) => {
  const kept = slots.filter(isKept)
  if (slots.length > 0) tellDeed(`says that it has ${kept.length} of ${slots.length} hash slots`)
  return draw(kept, range)
})
await runTwisted()
