import { makePeriod } from './synthetic-period.ts'
import { openTestStore } from './temp-store.ts'

/* A process that has a store open until it is killed. Argument: data directory. */

const store = await openTestStore(process.argv[2] ?? '')
await store.chunks.writePeriod(makePeriod(1))
await store.announce('http://127.0.0.1:1')
process.stdout.write('open\n')
process.stdin.resume()
