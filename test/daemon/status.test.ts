import assert from 'node:assert/strict'
import type { Archiver } from '../../archiver/index.ts'
import { ERROR_CODES } from '../../core/index.ts'
import { reportStatus } from '../../daemon/status.ts'
import type { Store } from '../../storage-worker/index.ts'

const NOTHING = { gaps: [], spooledBlocks: 0, quarantinedBlocks: 0, unkeptBlocks: 0, unreportedSlots: 0 }
const STORE = {
  dataDir: 'data',
  chunks: { identity: { network: { chainId: 77n, genesisTimestampMs: 0n } }, readRange: async () => undefined },
  disk: { readUsedBytes: async () => 0, readFreeBytes: async () => 96_000_000 },
}

describe('daemon/status', () => {
  it('names what keeps it from archiving before what follows from that', async () => {
    const archiver = {
      status: () => ({ ...NOTHING, stalled: { code: 'STORE_DISK_FULL', message: 'the disk is full' } }),
    }
    const { problems } = await reportStatus({
      ...{ version: '1', pid: 1, startedAtMs: 0, quotaGb: 1, nodes: [], retention: { failing: undefined } },
      store: STORE as unknown as Store,
      archiver: archiver as unknown as Archiver,
    })
    assert.deepEqual(problems, [
      'no massa-node answers',
      `the store cannot be written: the disk is full (STORE_DISK_FULL). ${ERROR_CODES.STORE_DISK_FULL.action}`,
      'nothing is archived yet',
    ])
  })
})
