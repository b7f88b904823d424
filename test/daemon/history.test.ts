import assert from 'node:assert/strict'
import { isArchiveError } from '../../core/index.ts'
import { openReading } from '../../daemon/history.ts'
import { HistoryIndex } from '../../storage-worker/history/history-index.ts'
import type { HolderFetcher } from '../../storage-worker/index.ts'
import { StillClock } from '../clocks.ts'
import { openMemoryStore } from '../storage-worker/replication/made-peers.ts'
import { makePeriod } from '../storage-worker/synthetic-period.ts'
import { openMemoryLevel } from '../storage-worker/temp-store.ts'

const PERIOD = makePeriod(5)
const SLOT = { period: 5, thread: 1 }

describe('daemon/history, who is answered from chunks of others', () => {
  /** Of a disk that holds nothing but the manifest of a period. */
  async function open(options: { readonly fetch: boolean; readonly hasHolders: boolean }) {
    const chunks = await openMemoryStore([PERIOD])
    await chunks.dropChunks(5, [...PERIOD.chunks.keys()])
    const holders = {
      fetchChunk: async (_: unknown, index: number) => PERIOD.chunks[index],
      fetchSeals: async () => PERIOD.seals,
    } as unknown as HolderFetcher
    const index = new HistoryIndex(await openMemoryLevel('history'))
    return openReading(
      { index, indexer: undefined as never },
      { store: { chunks } as never, clock: new StillClock() },
      { holders: options.hasHolders ? holders : undefined, fetch: options.fetch },
    )
  }
  const isAway = (error: unknown) => isArchiveError(error, 'STORE_CHUNK_AWAY')

  it('with api.fetch everybody', async () => {
    const { reader, answers } = await open({ fetch: true, hasHolders: true })
    assert.equal((await reader.findSlot(SLOT))?.kind, 'block')
    assert.equal((await answers.slot(SLOT, true))?.kind, 'block')
  })

  it('else nobody but who runs the sidecar', async () => {
    const { reader, answers } = await open({ fetch: false, hasHolders: true })
    await assert.rejects(reader.findSlot(SLOT), isAway)
    await assert.rejects(answers.slot(SLOT, false), isAway)
    assert.equal((await answers.fetching?.slot(SLOT, true))?.kind, 'block')
  })

  it('error: where no others are met nobody', async () => {
    const { answers } = await open({ fetch: true, hasHolders: false })
    assert.equal(answers.fetching, undefined)
    await assert.rejects(answers.slot(SLOT, false), isAway)
  })
})
