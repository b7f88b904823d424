import { Archiver, type ArchiverEvents, type CpuWork } from '../../archiver/index.ts'
import { joinFilledBlock } from '../../archiver/verify-block.ts'
import {
  type BlockIdText,
  CHUNK_SIZE_BYTES,
  type ChunkStore,
  concatBytes,
  type Network,
  PERIOD_MS,
  type Period,
  type Slot,
  type Spool,
  type SpooledBlock,
  slotIndex,
  slotOfIndex,
  THREAD_COUNT,
  toHex,
} from '../../core/index.ts'
import { encodeFilledBlock, type MadeBlock, type MadeChain, type Recording } from '../../devnet/index.ts'
import { LevelChunkStore, LevelSpool } from '../../storage-worker/index.ts'
import { createLogger, type Logger } from '../../telemetry/index.ts'
import { ManualClock } from '../clocks.ts'
import { openMemoryLevel } from '../storage-worker/temp-store.ts'
import { inlineCpu } from './inline-cpu.ts'

export interface ArchiverHolder {
  readonly archiver: Archiver
  readonly store: ChunkStore
  readonly spool: Spool
  readonly clock: ManualClock
  readonly archivedPeriods: Period[]
  readonly refused: string[]
  readonly fatal: unknown[]
  readonly logged: Record<string, unknown>[]
  /** Stops the archiver and starts another one on the same store and spool. */
  restart(nodeUrls?: readonly string[]): Promise<void>
}

export interface HolderOptions {
  readonly network: Network
  readonly nodeCount?: number
  /** In place of as many made up addresses as `nodeCount` says. */
  readonly nodeUrls?: readonly string[]
  readonly maxSpooledBlocks?: number
  /** Default 0: most tests give no execution results, and periods do not wait for them. */
  readonly executionPatienceMs?: number
  readonly cpu?: CpuWork
  /** Where the chain is by the clock; default far past every made chain. */
  readonly nowPeriod?: Period
  readonly onArchived?: () => void
  readonly onNoRoom?: () => void
  /** Puts something between the archiver and what it writes to. */
  readonly wrap?: (modules: { store: ChunkStore; spool: Spool }) => { store: ChunkStore; spool: Spool }
}

/** An archiver in memory: no threads, no disk, no time of its own. */
export async function holdArchiver({
  network,
  nodeCount = 1,
  nodeUrls = Array.from({ length: nodeCount }, (_, node) => `node-${node}:33037`),
  maxSpooledBlocks,
  executionPatienceMs = 0,
  cpu = inlineCpu,
  nowPeriod = 1_000_000,
  onArchived,
  onNoRoom,
  wrap,
}: HolderOptions): Promise<ArchiverHolder> {
  const bodies = await openMemoryLevel('bodies')
  const index = await openMemoryLevel('index')
  const plainStore = new LevelChunkStore({ network, chunkSizeBytes: CHUNK_SIZE_BYTES }, { bodies, index })
  await plainStore.recover()
  const plain = { store: plainStore, spool: new LevelSpool(index) }
  const { store, spool } = wrap ? wrap(plain) : plain
  const clock = new ManualClock(Number(network.genesisTimestampMs) + nowPeriod * PERIOD_MS)
  const archivedPeriods: Period[] = []
  const refused: string[] = []
  const fatal: unknown[] = []
  const logged: Record<string, unknown>[] = []
  const log: Logger = createLogger({
    level: 'debug',
    format: 'json',
    destination: { write: (line) => logged.push(JSON.parse(line) as Record<string, unknown>) },
  }).child({ module: 'archiver' })
  const events: ArchiverEvents = {
    onArchived: ({ period }) => {
      archivedPeriods.push(period)
      onArchived?.()
    },
    onRefused: (code) => void refused.push(code),
    onFatal: (error) => void fatal.push(error),
    ...(onNoRoom ? { onNoRoom } : {}),
  }
  const open = async (urls: readonly string[]): Promise<Archiver> => {
    const limits = maxSpooledBlocks === undefined ? {} : { maxSpooledBlocks }
    const archiver = new Archiver(
      { nodeUrls: urls, restarts: [], executionPatienceMs, ...limits },
      { store, spool, cpu, clock, log, events },
    )
    await archiver.start()
    return archiver
  }
  let archiver = await open(nodeUrls)
  return {
    get archiver() {
      return archiver
    },
    store,
    spool,
    clock,
    archivedPeriods,
    refused,
    fatal,
    logged,
    async restart(urls = nodeUrls) {
      await archiver.stop()
      archiver = await open(urls)
    },
  }
}

/** A final block as any source gives it. */
export interface FinalOffer {
  readonly id: BlockIdText
  readonly slot: Slot
  readonly filledBlock: Uint8Array
}

export function offerMadeBlock(block: MadeBlock): FinalOffer {
  return { id: block.id, slot: block.slot, filledBlock: encodeFilledBlock(block) }
}

/** The same block as the pull path puts it together. */
export function pullMadeBlock(block: MadeBlock): FinalOffer {
  const operations = block.operations.map(({ idText, message }) => ({ operationId: idText, operation: message }))
  return { id: block.id, slot: block.slot, filledBlock: joinFilledBlock(block.headerMessage, operations) }
}

export function offerChain(chain: MadeChain): FinalOffer[] {
  return [...chain.blocks.values()].map(offerMadeBlock)
}

/** Blocks of a recording whose operations it holds; `isFinal` as the node said it. */
export function offerRecording(recording: Recording): (FinalOffer & { readonly isFinal: boolean })[] {
  return [...recording.blocks.values()].flatMap(({ id, slotIndex: index, headerMessage, operationIds, isFinal }) => {
    const operations = operationIds.map((operationId) => ({
      operationId,
      operation: recording.operations.get(operationId),
    }))
    if (operations.some(({ operation }) => operation === undefined)) return []
    return [{ id, slot: slotOfIndex(index), filledBlock: joinFilledBlock(headerMessage, operations), isFinal }]
  })
}

/** What a node says when asked: how far its finality is. */
export function reportFinal({ archiver, store }: ArchiverHolder, node: number, lastFinalSlot: Slot): void {
  const { network } = store.identity
  archiver.onStatus(node, { network, threadCount: THREAD_COUNT, version: 'TEST', currentTimeMs: 0, lastFinalSlot })
}

/** Offers blocks and then says that they are final. */
export async function giveFinal(holder: ArchiverHolder, offers: readonly FinalOffer[], node = 0): Promise<void> {
  const { archiver } = holder
  const last = Math.max(...offers.map(({ slot }) => slotIndex(slot)))
  reportFinal(
    holder,
    node,
    slotOfIndex(Math.max(last, slotIndex(archiver.status().nodeFinalSlot ?? { period: 0, thread: 0 }))),
  )
  for (const { filledBlock, id } of offers) await archiver.takeBlock(node, filledBlock, id)
  await archiver.onClaims(
    node,
    offers.map(({ slot, id }) => ({ slot, id })),
  )
}

export async function readBody(store: ChunkStore, period: Period): Promise<Uint8Array | undefined> {
  const manifest = await store.readManifest(period)
  if (!manifest) return undefined
  const chunks: Uint8Array[] = []
  for (const index of manifest.chunks.keys()) chunks.push((await store.readChunk(period, index)) ?? new Uint8Array(0))
  return concatBytes(...chunks)
}

/** Everything that is archived, as text: root, BODY and SEALS of each period. */
export async function describeArchive(store: ChunkStore): Promise<Map<Period, string>> {
  const described = new Map<Period, string>()
  const range = await store.readRange()
  if (!range) return described
  for await (const { period, root } of store.listSummaries({ from: range.first, to: range.last })) {
    const body = Buffer.from((await readBody(store, period)) ?? new Uint8Array(0)).toString('base64')
    const seals = Buffer.from((await store.readSeals(period)) ?? new Uint8Array(0)).toString('base64')
    described.set(period, `${toHex(root)} ${body} ${seals}`)
  }
  return described
}

export async function listSpooled(spool: Spool): Promise<SpooledBlock[]> {
  const blocks: SpooledBlock[] = []
  for await (const block of spool.listBlocks()) blocks.push(block)
  return blocks
}

/** All that is held and not archived is gone. Not while the archiver runs. */
export async function loseSpool(spool: Spool): Promise<void> {
  await spool.deleteBlocks(await listSpooled(spool))
  const finals: Slot[] = []
  for await (const { slot } of spool.listFinals()) finals.push(slot)
  await spool.deleteFinals(finals)
}
