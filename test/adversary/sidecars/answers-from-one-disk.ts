import { findFellow } from './fellow.ts'
import { readFromPeers } from './peers-chunks.ts'
import { runTwisted } from './twist.ts'

/** One more identity of the same operator: it has no bytes but those of the first. */
readFromPeers((address) => address === findFellow('answers-from-one-disk'), 'reads from the disk of another identity')
await runTwisted()
