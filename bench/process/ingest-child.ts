import { availableParallelism } from 'node:os'
import { readBlocks } from '../archiver/bench-blocks.ts'
import { ingest } from '../archiver/ingest.ts'
import { CpuPool } from '../built.ts'

/*
 * The process whose memory is measured: archives the blocks that come in on stdin until there are no more. Argument: a
 * new data directory. That it is ready, and every archived period, is told to the parent.
 */

const [dataDir] = process.argv.slice(2)
if (dataDir === undefined) throw new Error('where to?')
const cpu = new CpuPool({ threads: availableParallelism() })
process.send?.(0)
await ingest(readBlocks(process.stdin), { cpu, dataDir, onArchived: (period) => process.send?.(period) })
await cpu.close()
process.disconnect?.()
