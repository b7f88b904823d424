import assert from 'node:assert/strict'
import { prune } from '../../cli/commands/prune.ts'
import { isArchiveError } from '../../core/index.ts'
import { REGISTRY } from '../storage-worker/placement/made-registry.ts'
import { makePeriod } from '../storage-worker/synthetic-period.ts'
import { openTestStore, TempFolders } from '../storage-worker/temp-store.ts'
import { makeCommand } from './command-place.ts'

const PERIODS = 40

describe('cli/prune: an archive whose sidecar does not run', () => {
  const folders = new TempFolders()
  const { signal } = new AbortController()
  let dataDir: string

  beforeEach(async () => {
    dataDir = await folders.make()
    const store = await openTestStore(dataDir)
    for (let period = 0; period < PERIODS; period++) await store.chunks.writePeriod(makePeriod(period, { blocks: 0 }))
    await store.close()
  })
  after(() => folders.clean())

  const firstPeriod = async (): Promise<number | undefined> => {
    const store = await openTestStore(dataDir)
    const range = await store.chunks.readRange()
    await store.close()
    return range?.first
  }

  it('with a registry nothing is deleted while no massa-node tells whether its era is anchored', async () => {
    const { context, printed } = makeCommand(dataDir, { storage_registry_address: REGISTRY })
    for (const dryRun of [true, false]) {
      await assert.rejects(prune(context, { dryRun }, signal), (error) => isArchiveError(error, 'CLI_NO_NODE'))
    }
    assert.deepEqual([await firstPeriod(), printed.stdout], [0, ''])
  })

  it('with a registry nobody is asked while nothing is due', async () => {
    const flags = { storage_registry_address: REGISTRY, retention_periods: PERIODS }
    const { context, printed } = makeCommand(dataDir, flags, { json: false })
    assert.equal(await prune(context, {}, signal), 0)
    assert.match(printed.stdout, /^Nothing to delete\.\n/)
  })

  it('without a registry there is nothing to wait for', async () => {
    const { context } = makeCommand(dataDir)
    assert.equal(await prune(context, {}, signal), 0)
    assert.equal(await firstPeriod(), 16)
  })
})
