import { setImmediate as nextTurn } from 'node:timers/promises'
import type { CpuWork } from '../../archiver/index.ts'
import type { Period, StoreIdentity } from '../../core/index.ts'
import { Archiver, createLogger, HistorySync, MessagesInHand, openHistory, openStore, systemClock } from '../built.ts'
import type { BenchBlock } from './bench-blocks.ts'

export const INGEST_IDENTITY: StoreIdentity = {
  network: { chainId: 77n, genesisTimestampMs: 1_795_246_964_000n },
  chunkSizeBytes: 1_048_576,
}

/** Without operations and endorsements, which each benchmark adds. */
const CHAIN = { seed: 'ingest', ...INGEST_IDENTITY.network }

/** 16 endorsements, and an operation in every block: 18 signatures. */
export const SPARSE_CHAIN = { ...CHAIN, endorsements: 16, operationsPerBlock: 1 } as const
/** As many of the smallest operations as fit into a block of 300 kB. */
export const FULL_CHAIN = { ...CHAIN, endorsements: 2, operationsPerBlock: 2170, operationMix: 'transfers' } as const

/** As NodeFollower. */
const LARGE_MESSAGE_BYTES = 65_536
/** What a node remembers of final blocks by default: no catching up is further behind than this. */
const MAX_LAG_PERIODS = 8

export interface IngestReport {
  readonly seconds: number
  /** Of all threads of this process. */
  readonly processorSeconds: number
  readonly blocks: number
  readonly periods: number
  readonly bodyBytes: number
}

/**
 * Archives blocks in the order of slots, as fast as it goes, into a new data directory: the real archiver and the real
 * store, fed as a follower of a node feeds them. Every slot needs a block.
 *
 * @param modules.onArchived - after each period
 * @param modules.isIndexed - the history index follows
 */
export async function ingest(
  blocks: Iterable<BenchBlock> | AsyncIterable<BenchBlock>,
  modules: {
    readonly cpu: CpuWork
    readonly dataDir: string
    readonly onArchived?: (period: Period) => void
    readonly isIndexed?: boolean
  },
): Promise<IngestReport> {
  const store = await openStore({ dataDir: modules.dataDir, identity: INGEST_IDENTITY, ballastBytes: 0 })
  const history = modules.isIndexed ? await openHistory(modules.dataDir, INGEST_IDENTITY) : undefined
  const sync = history && new HistorySync({ store: store.chunks, index: history.index })
  let indexed = Promise.resolve()
  const waiting = new Set<() => void>()
  let archived = 0
  let bodyBytes = 0
  const archiver = new Archiver(
    // Blocks come without execution results here.
    { nodeUrls: ['bench'], restarts: [], executionPatienceMs: 0 },
    {
      store: store.chunks,
      spool: store.spool,
      cpu: modules.cpu,
      clock: systemClock,
      log: createLogger({ level: 'info', format: 'json', destination: { write: () => true } }),
      events: {
        onArchived: (summary) => {
          archived = summary.period
          bodyBytes += summary.bodyBytes
          modules.onArchived?.(summary.period)
          if (sync) indexed = indexed.then(() => sync.follow(summary.period))
          for (const wake of waiting) wake()
        },
        onRefused: (code) => {
          throw new Error(`a block was refused: ${code}`)
        },
      },
    },
  )
  await archiver.start()
  const untilArchived = async (period: Period): Promise<void> => {
    while (archived < period) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          waiting.delete(wake)
          resolve()
        }
        waiting.add(wake)
      })
    }
  }
  const started = performance.now()
  const processor = process.cpuUsage()
  const blocksInHand = new MessagesInHand()
  const finalsInHand = new MessagesInHand()
  let claims: Promise<void> = Promise.resolve()
  let count = 0
  let last = 0
  for await (const { slot, id, message } of blocks) {
    if (slot.period > archived + MAX_LAG_PERIODS) await untilArchived(slot.period - MAX_LAG_PERIODS)
    const taken = archiver.takeBlock(0, message).then((result) => {
      if (result !== 'spooled') throw new Error(`block ${id} was ${result}`)
    })
    blocksInHand.add(taken, message.length)
    // One claim per slot and in their order, as they come from the stream of executed slots.
    claims = Promise.all([claims, taken]).then(() => {
      finalsInHand.add(archiver.onClaims(0, [{ slot, id }]), 0)
      return finalsInHand.untilRoom()
    })
    if (blocksInHand.isFull) await blocksInHand.untilRoom()
    else if (message.length >= LARGE_MESSAGE_BYTES) await nextTurn()
    count++
    last = slot.period
  }
  await claims
  await finalsInHand.untilEmpty()
  await untilArchived(last)
  await indexed
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(processor)
  await archiver.stop()
  await history?.index.close()
  await store.close()
  return { seconds, processorSeconds: (user + system) / 1e6, blocks: count, periods: last, bodyBytes }
}
