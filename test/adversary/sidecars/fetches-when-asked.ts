import { readFromPeers } from './peers-chunks.ts'
import { runTwisted } from './twist.ts'

readFromPeers(() => true, 'fetches a chunk that it is asked for')
await runTwisted()
