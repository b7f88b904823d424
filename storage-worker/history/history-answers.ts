import type { AttestedExecutions } from '../../archiver/attestation.ts'
import type { SlotExecution } from '../../archiver/execution-results.ts'
import {
  type AnswerProofJson,
  type AttestationJson,
  attestationToJson,
  buildBlockProof,
  buildEndorsementProof,
  buildMissProof,
  buildOperationProof,
  buildPeriodProof,
  type ChunkStore,
  computePeriodRoot,
  describeBlock,
  describeEndorsement,
  describeOperation,
  type EraRoots,
  formatBlockId,
  formatOperationId,
  isArchiveError,
  MAX_ATTESTED_BYTES,
  type Period,
  type ProofSource,
  parseAddress,
  parseBlockId,
  parseEndorsementId,
  parseOperationId,
  type Slot,
  toHex,
} from '../../core/index.ts'
import { computeLocalEra } from '../eras/local-era.ts'
import { type AddressEvent, isShown, type SlotListOptions } from './address-slots.ts'
import type { OperationRole } from './history-keys.ts'
import type { HistoryOperation, HistoryReader } from './history-reader.ts'
import { formatCursor, type ListCursor } from './list-cursor.ts'
import { answerRange, type RangeAnswer, type RangeRequest } from './range-answer.ts'

/** That the answer about the archive shows. */
const LATEST_PERIODS = 20

type AnswersStore = Pick<
  ChunkStore,
  'identity' | 'readManifest' | 'readChunk' | 'readSeals' | 'readSummary' | 'readRange' | 'listSummaries' | 'findChunks'
>

export interface HistoryAnswersModules {
  readonly reader: HistoryReader
  readonly store: AnswersStore
  /** As of `HolderFetcher`. Absent: chunks are those of this disk. */
  readonly fetchById?: ((chunkId: Uint8Array) => Promise<Uint8Array>) | undefined
  readonly fetching?: HistoryAnswers | undefined
}

/** Plain JSON about something that is archived; `proof` when it was asked for. */
export type HistoryAnswer = Readonly<Record<string, unknown>> & { readonly proof?: AnswerProofJson }

export interface ListRequest {
  readonly roles: readonly OperationRole[]
  readonly from: Period
  readonly to: Period
  /** At least 1. */
  readonly limit: number
  readonly before?: ListCursor | undefined
}

/** What executing slots did, by `period/thread`: operations of a page share slots. */
type KnownExecutions = Map<string, SlotExecution | undefined>

/** What applications ask of history, as plain JSON: u64 and amounts as decimal text, bytes as hex, ids as Massa writes them. */
export class HistoryAnswers {
  private readonly reader: HistoryReader
  private readonly store: AnswersStore
  private readonly source: ProofSource
  private readonly fetchById: HistoryAnswersModules['fetchById']
  /** The same answers, with what only others hold. Absent: these are they, or nobody can be asked. */
  readonly fetching: HistoryAnswers | undefined

  constructor(modules: HistoryAnswersModules) {
    const { reader, store } = modules
    this.reader = reader
    this.store = store
    this.fetchById = modules.fetchById
    this.fetching = modules.fetching
    this.source = {
      readManifest: (period) => store.readManifest(period),
      readChunk: (period, index) => reader.readChunk(period, index),
      readSeals: (period) => reader.readSeals(period),
      readEra: (era) => readEra(store, era),
    }
  }

  /** Another number whenever a period came or went. */
  version(): number {
    return this.reader.version()
  }

  /** `undefined` before the first period. */
  async archive(): Promise<HistoryAnswer | undefined> {
    const { store } = this
    const range = await store.readRange()
    if (!range) return undefined
    const latest: object[] = []
    for await (const summary of store.listSummaries({ from: range.first, to: range.last, reverse: true })) {
      const { period, root, blocks, operations, bodyBytes } = summary
      latest.push({ period, root: toHex(root), blocks, operations, bytes: bodyBytes })
      if (latest.length === LATEST_PERIODS) break
    }
    const { chainId, genesisTimestampMs } = store.identity.network
    return { chainId: String(chainId), genesisTimestampMs: String(genesisTimestampMs), ...range, latest }
  }

  /** @throws ArchiveError CORE_BASE58_INVALID, STORE_CHUNK_AWAY */
  async block(id: string, hasProof: boolean): Promise<HistoryAnswer | undefined> {
    const found = await this.reader.findBlock(parseBlockId(id))
    if (!found) return undefined
    const block = describeBlock(found.record, found.seals)
    return hasProof ? { block, proof: await buildBlockProof(this.source, found.slot) } : { block }
  }

  /** @throws ArchiveError CORE_BASE58_INVALID, STORE_CHUNK_AWAY */
  async operation(id: string, hasProof: boolean): Promise<HistoryAnswer | undefined> {
    const found = await this.reader.findOperation(parseOperationId(id))
    const [inclusion] = found?.inclusions ?? []
    if (!found || !inclusion) return undefined
    const operation = await this.describe(found)
    if (!hasProof) return { operation }
    const proof = await buildOperationProof(this.source, inclusion.slot, id)
    return { operation, proof, attestations: await this.listAttestations(found) }
  }

  /** @throws ArchiveError CORE_BASE58_INVALID, STORE_CHUNK_AWAY */
  async endorsement(id: string, hasProof: boolean): Promise<HistoryAnswer | undefined> {
    const found = await this.reader.findEndorsement(parseEndorsementId(id))
    const [inclusion] = found?.inclusions ?? []
    if (!found || !inclusion) return undefined
    const inclusions = found.inclusions.map(({ slot, blockId }) => ({ slot, blockId: formatBlockId(blockId) }))
    const endorsement = { ...describeEndorsement(found), inclusions }
    return hasProof
      ? { endorsement, proof: await buildEndorsementProof(this.source, inclusion.slot, id) }
      : { endorsement }
  }

  /** `undefined`: its period is not archived. @throws ArchiveError STORE_CHUNK_AWAY */
  async slot(slot: Slot, hasProof: boolean): Promise<HistoryAnswer | undefined> {
    const found = await this.reader.findSlot(slot)
    if (!found) return undefined
    if (found.kind === 'block') {
      const block = describeBlock(found.block.record, found.block.seals)
      const answer = { slot, kind: found.kind, block }
      return hasProof ? { ...answer, proof: await buildBlockProof(this.source, slot) } : answer
    }
    const answer = { slot, kind: found.kind }
    return hasProof ? { ...answer, proof: await buildMissProof(this.source, slot) } : answer
  }

  /** `undefined`: it is not archived. */
  async period(period: Period, hasProof: boolean): Promise<HistoryAnswer | undefined> {
    const manifest = await this.store.readManifest(period)
    const summary = manifest && (await this.store.readSummary(period))
    if (!manifest || !summary) return undefined
    const shown = {
      period,
      root: toHex(computePeriodRoot(manifest)),
      bitmap: manifest.bitmap,
      blocks: summary.blocks,
      operations: summary.operations,
      chunks: manifest.chunks.map(({ chunkId, byteLength }) => ({ chunkId: toHex(chunkId), bytes: byteLength })),
    }
    return hasProof ? { period: shown, proof: await buildPeriodProof(this.source, period) } : { period: shown }
  }

  /** By its id, of this disk, else of who holds it. @throws ArchiveError STORE_CHUNK_AWAY, STORE_VALUE_CORRUPT */
  async chunk(chunkId: Uint8Array): Promise<Uint8Array | undefined> {
    const { store, reader, fetchById } = this
    const [place] = await store.findChunks(toHex(chunkId), 1)
    if (place && fetchById) return reader.readChunk(place.period, place.index)
    return place ? store.readChunk(place.period, place.index) : fetchById?.(chunkId)
  }

  /** Newest first; `cursor` goes on behind a page. @throws ArchiveError CORE_BASE58_INVALID, STORE_CHUNK_AWAY */
  async operationsOf(address: string, request: ListRequest): Promise<HistoryAnswer> {
    const { before, ...others } = request
    const page = await this.reader.listOperations(parseAddress(address), { ...others, ...(before ? { before } : {}) })
    const operations = []
    const executions: KnownExecutions = new Map()
    for (const found of page.operations) {
      operations.push({ ...(await this.describe(found, executions)), roles: found.roles })
    }
    return { address, operations, cursor: page.cursor ? formatCursor(page.cursor) : null }
  }

  /** Blocks that it produced; the rest as of `operationsOf`. */
  async blocksOf(address: string, request: SlotListOptions): Promise<HistoryAnswer> {
    const { deeds, cursor } = await this.reader.slots.listBlocks(parseAddress(address), request)
    const blocks = deeds.map(({ head, seals }) => describeBlock(head, seals))
    return { address, blocks, cursor: cursor ? formatCursor(cursor) : null }
  }

  /** Endorsements that it signed; the rest as of `operationsOf`. */
  async endorsementsOf(address: string, request: SlotListOptions): Promise<HistoryAnswer> {
    const { deeds, cursor } = await this.reader.slots.listEndorsements(parseAddress(address), request)
    const endorsements = deeds.map((found) => {
      const { slot, blockId } = found
      return { ...describeEndorsement(found), inclusions: [{ slot, blockId: formatBlockId(blockId) }] }
    })
    return { address, endorsements, cursor: cursor ? formatCursor(cursor) : null }
  }

  /** Events in whose call stack it is, with `hasProof` as who archived them signed them; the rest as of `operationsOf`. */
  async eventsOf(address: string, request: SlotListOptions, hasProof: boolean): Promise<HistoryAnswer> {
    const { slots } = this.reader
    const { deeds, cursor } = await slots.listEvents(parseAddress(address), { ...request, isAttested: hasProof })
    const answer = { address, events: deeds.map(describeEvent), cursor: cursor ? formatCursor(cursor) : null }
    return hasProof ? { ...answer, attestations: listAttestations(deeds) } : answer
  }

  /** `undefined`: nothing is archived. @throws ArchiveError API_QUERY_INVALID, CORE_READING_NOT_HELD */
  async range(request: RangeRequest): Promise<RangeAnswer | undefined> {
    return answerRange(this.source, await this.reader.readRange(), request)
  }

  /** Who signed what became of an operation: nobody, or who archived the period in which it was executed. */
  private async listAttestations({ operation, inclusions }: HistoryOperation): Promise<AttestationJson[]> {
    const id = formatOperationId(operation.id)
    for (const { slot } of inclusions) {
      const attested = await this.reader.readAttested(slot.period)
      const { attestation, executions, results } = attested ?? {}
      const told = executions?.[slot.thread]?.outcomes.find(({ operationId }) => operationId === id)
      if (!attestation || !results || !told || told.outcome === 'unknown') continue
      return results.length > MAX_ATTESTED_BYTES ? [] : [attestationToJson(slot.period, results, attestation)]
    }
    return []
  }

  private async describe(found: HistoryOperation, executions: KnownExecutions = new Map()): Promise<object> {
    const { operation, signature, inclusions } = found
    const id = formatOperationId(operation.id)
    let outcome = 'unknown'
    for (const { slot } of inclusions) {
      const name = `${slot.period}/${slot.thread}`
      const execution = executions.has(name) ? executions.get(name) : await this.reader.readExecution(slot)
      executions.set(name, execution)
      const told = execution?.outcomes.find(({ operationId }) => operationId === id)
      if (told && told.outcome !== 'unknown') outcome = told.outcome
    }
    return {
      ...describeOperation(operation, signature),
      inclusions: inclusions.map(({ slot, blockId }) => ({ slot, blockId: formatBlockId(blockId) })),
      // Attested by whoever archived it, under no root.
      execution: { outcome, isProven: false },
    }
  }
}

/** Of an era with a damaged manifest as of one that lacks it: proofs of its other periods end at their roots. */
async function readEra(store: AnswersStore, era: number): Promise<EraRoots | undefined> {
  try {
    return (await computeLocalEra(store, era)).totals
  } catch (error) {
    if (isArchiveError(error, 'STORE_VALUE_CORRUPT')) return undefined
    throw error
  }
}

/** Under no root: who archived it says so. */
function describeEvent({ slot, event }: AddressEvent): object {
  const { indexInSlot, callStack, operationId, failed, data } = event
  return {
    slot,
    indexInSlot,
    operationId: operationId === '' ? null : operationId,
    callStack,
    failed,
    data: toHex(data),
  }
}

/** Of the periods of some events, each once. */
function listAttestations(events: readonly AddressEvent[]): AttestationJson[] {
  const results = new Map<Period, AttestedExecutions>(events.map(({ slot, attested }) => [slot.period, attested]))
  return [...results].flatMap(([period, attested]) => {
    const { attestation, results } = attested
    return attestation && isShown(attested) ? [attestationToJson(period, results, attestation)] : []
  })
}
