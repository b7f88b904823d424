import { pathToFileURL } from 'node:url'
import type { BenchRow } from './bench-row.ts'

/*
 * One benchmark file in a process of its own, so that none warms up or fills the memory of another. Rows go to the
 * parent (bench/run.ts).
 */

const file = process.argv[2]
if (file === undefined) throw new Error('which file?')
const { run } = (await import(pathToFileURL(file).href)) as { run(): Promise<BenchRow[]> }
process.send?.(await run())
process.disconnect?.()
