import { openStore, verifyArchive } from '../../storage-worker/index.ts'

/* Says `K <period>` for every period that can be read whole, and `X <n> damages`. Argument: data directory. */

const store = await openStore({ dataDir: process.argv[2] ?? '', freeFloorBytes: 0, ballastBytes: 0 })
const report = await verifyArchive(store.chunks, { deep: true, threads: 0 })
for await (const { period } of store.chunks.listSummaries({ from: 0, to: 1e9 })) console.log(`K ${period}`)
console.log(`X ${report.damages.length} damages`)
for (const damage of report.damages) console.error(JSON.stringify(damage))
await store.close()
