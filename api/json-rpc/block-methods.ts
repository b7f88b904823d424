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
import { answerByIds } from './answer-by-ids.ts'
import { type ArchiveMethod, findNextPeriod, listPeriods, readBlocks } from './archive-context.ts'
import { archivedBlockToJson, archivedEndorsementToJson, archivedGraphBlockToJson, FINAL } from './archived-json.ts'

/** A node takes any number, of what it has in memory: here each may be a read of the disk. */
export const MAX_BLOCK_IDS = 1000
/** Some 75 kB each, in quiet ones; the BODY of a full one has 10 MB. */
export const MAX_GRAPH_PERIODS = 64

export const BLOCK_METHODS: readonly ArchiveMethod[] = [
  listMethod('get_blocks', ['arg', blockId], (context, ids) => {
    if (ids.length > MAX_BLOCK_IDS) throw badRequest('too many arguments')
    return answerByIds(context, { method: 'get_blocks', ids }, async (id) => {
      const block = await context.history.findBlock(parseBlockId(id))
      return block && blockInfoToJson(id, FINAL, archivedBlockToJson(block))
    })
  }),
  method('get_blockclique_block_by_slot', ['arg', slot], async ({ history, node, signal }, at) => {
    // A period that no number has would be another one's key.
    if (at.thread >= THREAD_COUNT || !Number.isSafeInteger(at.period)) return null
    const found = await history.findSlot(at)
    if (!found && node) return node.call('get_blockclique_block_by_slot', [at], signal)
    return found?.kind === 'block' ? archivedBlockToJson(found.block) : null
  }),
  listMethod('get_endorsements', ['arg', endorsementId], (context, ids) => {
    checkCount(ids)
    return answerByIds(context, { method: 'get_endorsements', ids }, async (id) => {
      const found = await context.history.findEndorsement(parseEndorsementId(id))
      return found && archivedEndorsementToJson(found)
    })
  }),
  method('get_graph_interval', ['arg', timeInterval], async (context, interval) => {
    const genesisMs = Number(context.identity.network.genesisTimestampMs)
    const indexOf = (timeMs: number) => Math.ceil(Math.max(0, timeMs - genesisMs) / SLOT_MS)
    const from = interval.start === undefined ? 0 : indexOf(interval.start)
    const end = interval.end === undefined ? Number.POSITIVE_INFINITY : indexOf(interval.end)
    // A node has some minutes, and who asks it leaves out both ends.
    const open = interval.start === undefined ? 'from' : interval.end === undefined ? 'to' : undefined
    const periods = await listPeriods(context, { from, to: end }, { most: MAX_GRAPH_PERIODS, open })
    const isCut = open === 'to' && periods.length === MAX_GRAPH_PERIODS
    const to = isCut ? ((periods.at(-1) ?? 0) + 1) * THREAD_COUNT : end
    const list = new JsonList()
    for (const period of periods) {
      context.signal.throwIfAborted()
      for await (const block of readBlocks(context.history, period)) {
        const index = slotIndex(block.record.header.slot)
        if (index >= from && index < to) list.push(JSON.stringify(archivedGraphBlockToJson(block)))
      }
    }
    const { node, signal } = context
    const next = (await findNextPeriod(context)) * THREAD_COUNT
    if (node && to > next) {
      const start = Math.max(interval.start ?? 0, genesisMs + next * SLOT_MS)
      const newer = await node.list('get_graph_interval', [{ start, end: interval.end ?? null }], signal)
      for (const item of newer) list.push(item)
    }
    return list.finish()
  }),
]
