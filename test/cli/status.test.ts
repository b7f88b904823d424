import assert from 'node:assert/strict'
import { createApi, listen } from '../../api/index.ts'
import { status } from '../../cli/commands/status.ts'
import { listDataDirNames } from '../../storage-worker/index.ts'
import { openTestStore, TempFolders } from '../storage-worker/temp-store.ts'
import { makeCommand } from './command-place.ts'

/** Of a sidecar that archives, in a registry that is paused. */
const ANSWER = {
  version: '1',
  pid: 1,
  upMs: 0,
  dataDir: 'data',
  network: { chainId: '77', genesisTimestampMs: 0 },
  nodes: [],
  archived: { first: 0, last: 9 },
  holes: [],
  gaps: [],
  spooledBlocks: 0,
  quarantinedBlocks: 0,
  unreportedSlots: 0,
  placement: null,
  registry: { address: 'AS1', obstacles: [{ code: 'REGISTRY_PAUSED', message: 'it is paused', action: 'Wait.' }] },
  prune: null,
  storedBytes: 0,
  freeBytes: 0,
  quotaBytes: 0,
  problems: [] as string[],
}

describe('cli/commands/status', () => {
  const folders = new TempFolders()
  after(() => folders.clean())

  it('says what keeps the node from earning and what to do; the archive has no problem by that', async () => {
    const store = await openTestStore(await folders.make())
    const api = createApi({
      dataDirNames: await listDataDirNames(store.dataDir),
      status: async () => ANSWER,
      query: { store, threads: 1 },
    })
    try {
      await store.announce(await listen(api, { host: '127.0.0.1', port: 0 }))
      const { context, printed } = makeCommand(store.dataDir, {}, { json: false })
      assert.equal(await status(context, {}, new AbortController().signal), 0)
      assert.match(printed.stdout, /^registry +AS1, where something keeps this node from earning: see below$/m)
      assert.match(printed.stdout, /^! it is paused \(REGISTRY_PAUSED\)\. Wait\.$/m)
    } finally {
      await api.close()
      await store.close()
    }
  })
})
