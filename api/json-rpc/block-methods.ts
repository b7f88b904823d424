import {
  blockInfoToJson,
  parseBlockId,
  parseEndorsementId,
  SLOT_MS,
  slotIndex,
  THREAD_COUNT,
} from '../../core/index.ts'
import {
  badRequest,
  blockId,
  checkCount,
  endorsementId,
  JsonList,
  listMethod,
  method,
  slot,
  timeInterval,
} from '../../telemetry/json-rpc/index.ts'
import { type ArchiveMethod, listPeriods, readBlocks } from './archive-context.ts'
import { archivedBlockToJson, archivedEndorsementToJson, archivedGraphBlockToJson, FINAL } from './archived-json.ts'

/** A node takes any number, of what it has in memory: here each may be a read of the disk. */
export const MAX_BLOCK_IDS = 1000
/** Some 75 kB each, in quiet ones; the BODY of a full one has 10 MB. */
export const MAX_GRAPH_PERIODS = 64

export const BLOCK_METHODS: readonly ArchiveMethod[] = [
  listMethod('get_blocks', ['arg', blockId], async ({ history, signal }, ids) => {
    if (ids.length > MAX_BLOCK_IDS) throw badRequest('too many arguments')
    const list = new JsonList()
    for (const id of ids) {
      signal.throwIfAborted()
      const block = await history.findBlock(parseBlockId(id))
      if (block) list.push(JSON.stringify(blockInfoToJson(id, FINAL, archivedBlockToJson(block))))
    }
    return list.finish()
  }),
  method('get_blockclique_block_by_slot', ['arg', slot], async ({ history }, at) => {
    const found = at.thread < THREAD_COUNT ? await history.findSlot(at) : undefined
    return found?.kind === 'block' ? archivedBlockToJson(found.block) : null
  }),
  listMethod('get_endorsements', ['arg', endorsementId], async ({ history, signal }, ids) => {
    checkCount(ids)
    const list = new JsonList()
    for (const id of ids) {
      signal.throwIfAborted()
      const found = await history.findEndorsement(parseEndorsementId(id))
      if (found) list.push(JSON.stringify(archivedEndorsementToJson(found)))
    }
    return list.finish()
  }),
  method('get_graph_interval', ['arg', timeInterval], async (context, interval) => {
    const genesisMs = Number(context.identity.network.genesisTimestampMs)
    const indexOf = (timeMs: number) => Math.ceil(Math.max(0, timeMs - genesisMs) / SLOT_MS)
    const from = interval.start === undefined ? 0 : indexOf(interval.start)
    const to = interval.end === undefined ? Number.POSITIVE_INFINITY : indexOf(interval.end)
    const list = new JsonList()
    for (const period of await listPeriods(context, { from, to }, MAX_GRAPH_PERIODS)) {
      context.signal.throwIfAborted()
      for await (const block of readBlocks(context.history, period)) {
        const index = slotIndex(block.record.header.slot)
        if (index >= from && index < to) list.push(JSON.stringify(archivedGraphBlockToJson(block)))
      }
    }
    return list.finish()
  }),
]
