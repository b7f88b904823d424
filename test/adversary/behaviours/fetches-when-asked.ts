import type { Adversary } from '../adversary.ts'
import { readChunk } from '../history.ts'

const because =
  'a proof shows that somebody could read the leaf in time, and history is public: another node has answered in a fraction of the minute or more that there is, with the leaf and its path, which is next to no traffic. Only whoever is the last to hold a chunk has nobody to ask. What would resist it, leaves that follow from each other under a deadline of 0.2 s, or a copy that is encoded for its node, is not built'

export const fetchesWhenAsked: Adversary = {
  name: 'fetches when asked',
  does: 'keeps nothing, and fetches each chunk that it is asked for, on chain or off, from a peer that has it',
  play: () => ({ habits: { keeps: () => false, find: readChunk } }),
  expected: { shipped: { atMost: 1, atLeast: 0.99, because }, production: { atMost: 1, atLeast: 0.99, because } },
}
