import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

/*
 * A process to be killed: repairs the store in a data directory and kills itself at a change that it makes to the files
 * of `bodies`. Says on stdout how many changes it made when it lives to the end.
 *
 * Arguments: data directory, change at which it kills itself (0: never), before or after.
 */

const [dataDir = '', killAt = '0', when = 'before'] = process.argv.slice(2)
const CHANGES = ['open', 'rename', 'link', 'rm'] as const
let changes = 0

for (const name of CHANGES) {
  const original = fs[name] as (...args: unknown[]) => Promise<unknown>
  Object.assign(fs, {
    [name]: async (...args: unknown[]) => {
      const counts = args.some((arg) => /bodies.*\.ldb/.test(String(arg))) && ++changes === Number(killAt)
      if (counts && when === 'before') process.kill(process.pid, 'SIGKILL')
      const result = await original(...args)
      if (counts) process.kill(process.pid, 'SIGKILL')
      return result
    },
  })
}
syncBuiltinESMExports()

const { openStore } = await import('../../storage-worker/index.ts')
const store = await openStore({ dataDir, rebuild: true, repair: true, freeFloorBytes: 0, ballastBytes: 0 })
await store.close()
process.stdout.write(`${changes}\n`)
