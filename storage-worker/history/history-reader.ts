import { type AttestedExecutions, parseAttestedExecutions } from '../../archiver/attestation.ts'
import { parsePeriodExecution, type SlotExecution } from '../../archiver/execution-results.ts'
import {
  ArchiveError,
  type BlockRecord,
  ByteReader,
  type ChunkStore,
  computeAddress,
  computeEndorsementHash,
  distinctIds,
  equalBytes,
  FLAG_VOID,
  findTarget,
  type HeaderEndorsement,
  isArchiveError,
  MAX_BLOCK_OPERATIONS,
  type Period,
  parseOperationContent,
  passOperations,
  type RecordedOperation,
  readBlockHead,
  readBlockRecord,
  readRecordedOperation,
  SEAL_BYTES,
  type Slot,
  THREAD_COUNT,
} from '../../core/index.ts'
import { AddressSlots, type HistoryHead } from './address-slots.ts'
import { type DirectoryEntry, findFlag } from './block-directory.ts'
import { BodyReader, type BodyReaderModules } from './body-reader.ts'
import type { HistoryIndex, IdPlace } from './history-index.ts'
import type { HistoryPlace, OperationRole } from './history-keys.ts'
import { comparePlaces, type ListCursor } from './list-cursor.ts'

/** Some full chunks: who reads the operations of one block asks for them one by one. */
const CACHE_BYTES = 16 * 1024 * 1024

/** After which an index that is being made is asked again. */
const RETRY_S = 10

/** A final block, read from the archive and checked against its id. */
export interface HistoryBlock {
  readonly slot: Slot
  readonly record: BlockRecord
  /** 64 bytes each: of the header, then of the distinct operations. Absent where SEALS are not held. */
  readonly seals?: Uint8Array
}

/** What stands at a slot of an archived period; `void`: a restart of the chain undid it. */
export type HistorySlot = { readonly kind: 'miss' | 'void' } | { readonly kind: 'block'; readonly block: HistoryBlock }

/** Where an operation is included. */
export interface Inclusion {
  readonly slot: Slot
  /** 33 bytes */
  readonly blockId: Uint8Array
  /** Among the distinct operations of the block. */
  readonly index: number
}

export interface HistoryOperation {
  readonly operation: RecordedOperation
  /** 64 bytes; absent where SEALS are not held. */
  readonly signature?: Uint8Array
  /** By slot, at least one. */
  readonly inclusions: readonly Inclusion[]
}

/** What stands at a slot, in short. */
export interface SlotSummary {
  readonly slot: Slot
  readonly kind: HistorySlot['kind']
  /** 33 bytes; absent where there is no block. */
  readonly blockId?: Uint8Array
  /** Distinct ones. */
  readonly operations: number
}

export interface HistoryEndorsement {
  readonly endorsement: HeaderEndorsement
  /** 33 bytes */
  readonly id: Uint8Array
  readonly slot: Slot
  /** 33 bytes */
  readonly endorsedBlock: Uint8Array
  /** Blocks that carry it, by slot. */
  readonly inclusions: readonly { readonly slot: Slot; readonly blockId: Uint8Array }[]
}

export interface AddressOperation extends HistoryOperation {
  readonly roles: readonly OperationRole[]
}

type ReaderStore = BodyReaderModules['store'] & Pick<ChunkStore, 'deletions' | 'readExecutionResults' | 'readRange'>

interface ReadBlock extends HistoryHead {
  /** Behind the head: operation count, operations. */
  readonly rest: ByteReader
}

/**
 * Answers by id, slot and address from the archive. What the index says is a hint: each answer was read at its place and
 * has the id, or the address, that was asked for.
 */
export class HistoryReader {
  private readonly index: HistoryIndex
  private readonly store: ReaderStore
  private readonly bodies: BodyReader
  /** What addresses did in slots. */
  readonly slots: AddressSlots

  constructor(
    modules: Omit<BodyReaderModules, 'store'> & {
      readonly index: HistoryIndex
      readonly store: ReaderStore
    },
  ) {
    this.index = modules.index
    this.store = modules.store
    this.bodies = new BodyReader(modules, CACHE_BYTES)
    this.slots = new AddressSlots({ index: modules.index, reader: this })
  }

  /** Another number whenever a period came or went. */
  version(): number {
    // Periods are gone before the index forgets them.
    return this.index.version + this.store.deletions
  }

  /** First and last archived period. */
  readRange(): Promise<{ readonly first: Period; readonly last: Period } | undefined> {
    return this.store.readRange()
  }

  /** @param id - 33 bytes. @throws ArchiveError STORE_CHUNK_AWAY, STORE_HISTORY_INCOMPLETE */
  async findBlock(id: Uint8Array): Promise<HistoryBlock | undefined> {
    for (const place of await this.index.findPlaces('blocks', id)) {
      const block = await this.readBlock(place)
      if (block && equalBytes(block.head.id, id)) return this.parseWhole(block)
    }
    this.checkCompared()
    return undefined
  }

  /** Needs no index. `undefined`: the period is not archived. @throws ArchiveError STORE_CHUNK_AWAY */
  async findSlot(slot: Slot): Promise<HistorySlot | undefined> {
    const manifest = await this.store.readManifest(slot.period)
    if (!manifest) return undefined
    const entries = (await this.index.readDirectory(slot.period)) ?? (await this.bodies.findBlocks(manifest))
    const entry = entries.get(slot.thread)
    if (entry) return { kind: 'block', block: this.parseWhole(await this.readEntry(slot, entry)) }
    return { kind: await this.readFlag(slot, entries) }
  }

  /** The 32 slots of a period; needs no index. `undefined`: it is not archived. @throws ArchiveError STORE_CHUNK_AWAY */
  async readSlots(period: Period): Promise<readonly SlotSummary[] | undefined> {
    const manifest = await this.store.readManifest(period)
    if (!manifest) return undefined
    const entries = (await this.index.readDirectory(period)) ?? (await this.bodies.findBlocks(manifest))
    const slots: SlotSummary[] = []
    for (let thread = 0; thread < THREAD_COUNT; thread++) {
      const slot = { period, thread }
      const entry = entries.get(thread)
      if (entry) {
        const bytes = await this.bodies.readBytes(period, entry.start, entry.end)
        const head = readBlockHead(new ByteReader(bytes, 'CORE_BODY_INVALID'))
        slots.push({ slot, kind: 'block', blockId: head.id, operations: distinctIds(head.operationIds).length })
      } else slots.push({ slot, kind: await this.readFlag(slot, entries), operations: 0 })
    }
    return slots
  }

  /** @param id - 33 bytes. @throws ArchiveError STORE_CHUNK_AWAY, STORE_HISTORY_INCOMPLETE */
  async findOperation(id: Uint8Array): Promise<HistoryOperation | undefined> {
    const inclusions: Inclusion[] = []
    let found: Omit<HistoryOperation, 'inclusions'> | undefined
    for (const place of await this.index.findPlaces('operations', id)) {
      const block = await this.readBlock(place)
      if (!block || !hasId(block, place.index, id)) continue
      found ??= this.parseOperation(block, place.index)
      inclusions.push({ slot: block.slot, blockId: block.head.id, index: place.index })
    }
    if (!found) this.checkCompared()
    return found && { ...found, inclusions }
  }

  /** @param id - 33 bytes. @throws ArchiveError STORE_CHUNK_AWAY, STORE_HISTORY_INCOMPLETE */
  async findEndorsement(id: Uint8Array): Promise<HistoryEndorsement | undefined> {
    const inclusions: { slot: Slot; blockId: Uint8Array }[] = []
    let found: Omit<HistoryEndorsement, 'inclusions'> | undefined
    for (const place of await this.index.findPlaces('endorsements', id)) {
      const block = await this.readBlock(place)
      const endorsedBlock = block?.head.header.parents[place.thread]
      const endorsement = block?.head.header.endorsements.find(({ index }) => index === place.index)
      if (!block || !endorsement || !endorsedBlock) continue
      const { slot } = block
      const hash = computeEndorsementHash(endorsement.publicKey, { slot, index: place.index, endorsedBlock })
      if (!equalBytes(hash, id.subarray(1))) continue
      found ??= { endorsement, id, slot, endorsedBlock }
      inclusions.push({ slot, blockId: block.head.id })
    }
    if (!found) this.checkCompared()
    return found && { ...found, inclusions }
  }

  /**
   * Operations that an address made, or that pay or call it, newest first; `before` goes on behind a cursor. Of a period that
   * is deleted meanwhile there are none.
   *
   * @param address - 34 bytes
   * @returns up to `limit`, and a cursor when there may be more
   * @throws ArchiveError STORE_HISTORY_INCOMPLETE, STORE_CHUNK_AWAY
   */
  async listOperations(
    address: Uint8Array,
    options: {
      readonly roles: readonly OperationRole[]
      readonly from: Period
      readonly to: Period
      readonly before?: ListCursor
      readonly limit: number
    },
  ): Promise<{ readonly operations: AddressOperation[]; readonly cursor?: ListCursor }> {
    this.checkCompared()
    const { before, limit } = options
    const to = before ? Math.min(options.to, before.period) : options.to
    const operations: AddressOperation[] = []
    const gone = new Set<Period>()
    const listKept = () => operations.filter(({ inclusions: [at] }) => !at || !gone.has(at.slot.period))
    let cursor: ListCursor | undefined
    for await (const { place, roles } of this.mergeRoles(address, { ...options, to })) {
      if (before && comparePlaces(place, before) >= 0) continue
      if (operations.length === limit) return cursor ? { operations: listKept(), cursor } : { operations: listKept() }
      cursor = { period: place.period, thread: place.thread, index: place.index }
      const block = await this.readBlock(place)
      if (!block) gone.add(place.period)
      const found = block && this.parseOperation(block, place.index)
      const own = found ? roles.filter((role) => isIn(role, found.operation, address)) : []
      if (!block || !found || own.length === 0) continue
      const inclusion = { slot: block.slot, blockId: block.head.id, index: place.index }
      operations.push({ ...found, inclusions: [inclusion], roles: own })
    }
    // It may have been begun anew meanwhile.
    this.checkCompared()
    return { operations: listKept() }
  }

  /** A block that the index knows, without its operations; `undefined`: it is not archived. @throws ArchiveError STORE_CHUNK_AWAY */
  readHead(slot: Slot): Promise<HistoryHead | undefined> {
    return this.readBlock({ ...slot, index: 0 })
  }

  /** From this disk, else from who holds it. @throws ArchiveError STORE_CHUNK_AWAY */
  readChunk(period: Period, index: number): Promise<Uint8Array> {
    return this.bodies.readChunk(period, index)
  }

  /** The same of SEALS; `undefined` where nobody has them. */
  readSeals(period: Period): Promise<Uint8Array | undefined> {
    return this.bodies.readAllSeals(period)
  }

  /** What is known of executing a slot. Its attestation was checked when it was archived, and the disk keeps its word or says so. */
  async readExecution({ period, thread }: Slot): Promise<SlotExecution | undefined> {
    const bytes = await this.store.readExecutionResults(period)
    return bytes && parsePeriodExecution(bytes, thread)
  }

  /** The same of all slots of a period, by thread, with a look at the attestation; empty where nothing is known. */
  async readExecutions(period: Period): Promise<readonly (SlotExecution | undefined)[]> {
    return (await this.readAttested(period))?.executions ?? []
  }

  /** The same with who signed it; `undefined`: nothing is known. */
  async readAttested(period: Period): Promise<AttestedExecutions | undefined> {
    const bytes = await this.store.readExecutionResults(period)
    return bytes && parseAttestedExecutions(bytes, { network: this.store.identity.network, period })
  }

  /**
   * Before it is said that something is not archived, or that a list is all there is.
   *
   * @throws ArchiveError STORE_HISTORY_INCOMPLETE
   */
  checkCompared(): void {
    if (this.index.isCompared) return
    const message = 'the index of ids is being made: what it does not have yet may be archived'
    throw new ArchiveError('STORE_HISTORY_INCOMPLETE', message, { retryAfterS: RETRY_S })
  }

  private async *mergeRoles(
    address: Uint8Array,
    options: { readonly roles: readonly OperationRole[]; readonly from: Period; readonly to: Period },
  ): AsyncGenerator<{ place: HistoryPlace; roles: OperationRole[] }> {
    const { from, to } = options
    const lists = options.roles.map((role) => this.index.listOperations(address, role, { from, to, reverse: true }))
    const heads = await Promise.all(lists.map((list) => list.next()))
    for (;;) {
      const periods = heads.flatMap(({ value }) => (value?.[0] ? [value[0].period] : []))
      if (periods.length === 0) return
      const newest = Math.max(...periods)
      const merged = new Map<number, { place: HistoryPlace; roles: OperationRole[] }>()
      for (const [at, head] of heads.entries()) {
        if (head.done || head.value[0]?.period !== newest) continue
        for (const place of head.value) {
          const name = place.thread * 65_536 + place.index
          const known = merged.get(name)
          if (known) known.roles.push(place.role)
          else merged.set(name, { place, roles: [place.role] })
        }
        const list = lists[at]
        if (list) heads[at] = await list.next()
      }
      if ((await this.index.readDirectory(newest)) === undefined) continue
      yield* [...merged.values()].sort((a, b) => comparePlaces(b.place, a.place))
    }
  }

  private async readBlock(place: HistoryPlace & Partial<IdPlace>): Promise<ReadBlock | undefined> {
    const { period, thread } = place
    const entry = place.entry ?? (await this.index.readDirectory(period))?.get(thread)
    if (!entry) return undefined
    try {
      return await this.readEntry({ period, thread }, entry)
    } catch (error) {
      // Indexed, and deleted since.
      if (isArchiveError(error, 'STORE_CHUNK_AWAY') && !(await this.store.readManifest(period))) return undefined
      throw error
    }
  }

  private async readEntry(slot: Slot, entry: DirectoryEntry): Promise<ReadBlock> {
    const [bytes, seals] = await Promise.all([
      this.bodies.readBytes(slot.period, entry.start, entry.end),
      this.bodies.readSeals(slot.period, entry),
    ])
    const rest = new ByteReader(bytes, 'CORE_BODY_INVALID')
    return { slot, head: readBlockHead(rest), rest, seals }
  }

  /** Of a slot without a block. */
  private async readFlag(slot: Slot, entries: ReadonlyMap<number, DirectoryEntry>): Promise<'miss' | 'void'> {
    const at = findFlag(entries, slot.thread)
    const [flag] = await this.bodies.readBytes(slot.period, at, at + 1)
    return flag === FLAG_VOID ? 'void' : 'miss'
  }

  private parseWhole({ slot, rest, seals }: ReadBlock): HistoryBlock {
    const record = readBlockRecord(new ByteReader(rest.bytes, 'CORE_BODY_INVALID'), this.store.identity.network, slot)
    return { slot, record, ...(seals ? { seals } : {}) }
  }

  private parseOperation(
    { head, rest, seals }: ReadBlock,
    index: number,
  ): Omit<HistoryOperation, 'inclusions'> | undefined {
    const id = distinctIds(head.operationIds)[index]
    if (!id) return undefined
    const reader = new ByteReader(rest.bytes.subarray(rest.position), 'CORE_BODY_INVALID')
    reader.varintNumber(MAX_BLOCK_OPERATIONS)
    passOperations(reader, index)
    const operation = readRecordedOperation(reader, this.store.identity.network, id)
    const signature = seals?.slice(SEAL_BYTES * (1 + index), SEAL_BYTES * (2 + index))
    return { operation, ...(signature ? { signature } : {}) }
  }
}

function hasId({ head }: ReadBlock, index: number, id: Uint8Array): boolean {
  const own = distinctIds(head.operationIds)[index]
  return own !== undefined && equalBytes(own, id)
}

function isIn(role: OperationRole, operation: RecordedOperation, address: Uint8Array): boolean {
  if (role === 'creator') return equalBytes(computeAddress(operation.publicKey), address)
  const target = findTarget(parseOperationContent(operation.content))
  return target !== undefined && equalBytes(target, address)
}
