import assert from 'node:assert/strict'
import { type Daemon, startDaemon } from '../../daemon/index.ts'
import type { PeersReport } from '../../daemon/peers-report.ts'
import type { BootstrapStatus } from '../../storage-worker/bootstrap/bootstrap.ts'
import { createLogger } from '../../telemetry/index.ts'
import { chainOf } from '../archiver/made-chain.ts'
import { archivedOf, describeBriefly, IDENTITY } from '../storage-worker/bootstrap/made-archive.ts'
import { openTestStore, TempFolders } from '../storage-worker/temp-store.ts'
import { daemonConfigOf, MET_FLAGS } from './daemon-config.ts'

const DEADLINE_MS = 100_000
const LAST = 8

describe('daemon: bootstrap over libp2p', () => {
  const folders = new TempFolders()
  const daemons: Daemon[] = []
  const lines: string[] = []
  const log = createLogger({ level: 'debug', format: 'json', destination: { write: (text) => lines.push(text) } })
  const chain = chainOf('daemon bootstrap', LAST, { missRate: 0.1, operationsPerBlock: 1 })

  after(async () => {
    for (const daemon of daemons.reverse()) await daemon.stop()
    await folders.clean()
  })

  async function start(from: number, flags: Record<string, string> = {}) {
    const dataDir = await folders.make()
    const store = await openTestStore(dataDir, { identity: IDENTITY })
    for (let period = from; period <= LAST; period++) await store.chunks.writePeriod(archivedOf(chain, period))
    const described = await describeBriefly(store.chunks)
    await store.close()
    const daemon = await startDaemon(daemonConfigOf(dataDir, IDENTITY.network, { ...MET_FLAGS, ...flags }), log)
    daemons.push(daemon)
    return { daemon, dataDir, described }
  }

  async function get<T>(daemon: Daemon, path: string): Promise<T> {
    return (await (await fetch(`${daemon.apiUrl}${path}`)).json()) as T
  }

  it('a sidecar that was started later holds in the end what the first one holds', async function () {
    this.timeout(150_000)
    const first = await start(0)
    const { own } = await get<PeersReport>(first.daemon, '/v1/peers')
    const later = await start(LAST - 2, { 'p2p.bootstrap': own.listen[0] ?? '' })
    const deadline = Date.now() + DEADLINE_MS
    for (;;) {
      const { bootstrap } = await get<{ bootstrap: BootstrapStatus | null }>(later.daemon, '/v1/status')
      if (bootstrap?.state === 'done') {
        assert.deepEqual([bootstrap.donePeriods, bootstrap.wantedPeriods], [LAST + 1, LAST + 1])
        break
      }
      if (Date.now() > deadline) assert.fail(`${JSON.stringify(bootstrap)}\n${lines.slice(-20).join('')}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    await daemons.pop()?.stop()
    const store = await openTestStore(later.dataDir, { identity: IDENTITY })
    try {
      assert.deepEqual(await describeBriefly(store.chunks), first.described)
    } finally {
      await store.close()
    }
    assert.deepEqual((await get<PeersReport>(first.daemon, '/v1/peers')).bans, [])
  })
})
