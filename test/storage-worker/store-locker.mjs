import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ClassicLevel } from 'classic-level'

/* A process that has LevelDB's lock of a store until it is killed, and notes that when it is told to. Argument: data directory. */

const dataDir = process.argv[2] ?? ''
await new ClassicLevel(join(dataDir, 'bodies')).open()
process.stdout.write('locked\n')
for await (const _line of createInterface({ input: process.stdin })) {
  await writeFile(join(dataDir, 'daemon.json'), JSON.stringify({ pid: process.pid }))
}
