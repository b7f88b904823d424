import {
  ArchiveError,
  type BlockIdText,
  ByteReader,
  ByteWriter,
  formatBlockId,
  type Period,
  PUBLIC_KEY_BYTES,
  parseBlockId,
  type QuarantinedBlock,
  readHeaderContent,
  type Slot,
  type Spool,
  type SpooledBlock,
  type SpoolLevel,
} from '../core/index.ts'
import type { DiskSpace } from './disk-space.ts'
import type { GuardedLevel, LevelOperation } from './guarded-level.ts'
import {
  decodeSlotKey,
  encodeIndexKey,
  encodePeriod,
  encodeSlotKey,
  type KeyspaceName,
  keyspaceRange,
  periodRange,
} from './keyspace.ts'
import { openValue, sealValue } from './sealed-value.ts'

interface AskedValue {
  readonly key: Uint8Array
  readonly resolve: (sealed: Uint8Array | undefined) => void
  readonly reject: (error: unknown) => void
}

/** A node sends at most 64 MiB per message. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024
const MAX_HEAD_BYTES = 1024 * 1024
const SYNC_KEY = encodeIndexKey('journal', new TextEncoder().encode('sync'))

/**
 * What waits for its period, in the index database.
 *
 * A damaged value counts as absent: a node is asked for it again. Damaged marks throw (STORE_VALUE_CORRUPT), since no
 * node can replace them. Puts are not synced until `sync`.
 */
export class LevelSpool implements Spool {
  private readonly index: GuardedLevel
  private readonly disk: DiskSpace | undefined
  private readonly asked: AskedValue[] = []

  /** @param disk - absent: room is not asked for (databases in memory) */
  constructor(index: GuardedLevel, disk?: DiskSpace) {
    this.index = index
    this.disk = disk
  }

  async checkRoom(heldBytes: number, level: SpoolLevel): Promise<void> {
    await this.disk?.checkSpoolRoom(heldBytes, level)
  }

  async putBlock(block: SpooledBlock): Promise<void> {
    await this.put(blockKey(block.slot, block.id), encodeSpooledBlock(block))
  }

  async readBlock(slot: Slot, id: BlockIdText): Promise<SpooledBlock | undefined> {
    const value = await this.read(blockKey(slot, id))
    return value && decodeSpooledBlock(slot, id, value)
  }

  async *listBlocks(): AsyncGenerator<SpooledBlock> {
    for await (const [key, value] of this.entries('spoolBlocks')) {
      yield decodeSpooledBlock(decodeSlotKey(key, 1), formatBlockId(key.subarray(10)), value)
    }
  }

  async deleteBlocks(blocks: readonly { readonly slot: Slot; readonly id: BlockIdText }[]): Promise<void> {
    await this.delete(blocks.map(({ slot, id }) => blockKey(slot, id)))
  }

  async putFinal(slot: Slot, id: BlockIdText): Promise<void> {
    await this.put(encodeIndexKey('finals', encodeSlotKey(slot)), parseId(id))
  }

  async *listFinals(): AsyncGenerator<{ readonly slot: Slot; readonly id: BlockIdText }> {
    for await (const [key, value] of this.entries('finals')) {
      yield { slot: decodeSlotKey(key, 1), id: formatBlockId(value) }
    }
  }

  async deleteFinals(slots: readonly Slot[]): Promise<void> {
    await this.delete(slots.map((slot) => encodeIndexKey('finals', encodeSlotKey(slot))))
  }

  async putQuarantined(block: QuarantinedBlock): Promise<void> {
    const value = new ByteWriter(block.raw.length + 64).string(block.code).raw(block.raw).finish()
    await this.put(encodeIndexKey('quarantine', parseId(block.id)), value)
  }

  async *listQuarantined(): AsyncGenerator<QuarantinedBlock> {
    for await (const [key, value] of this.entries('quarantine')) {
      const reader = new ByteReader(value)
      const code = reader.string(256)
      yield { id: formatBlockId(key.subarray(1)), code, raw: reader.raw(reader.remaining) }
    }
  }

  async deleteQuarantined(ids: readonly BlockIdText[]): Promise<void> {
    await this.delete(ids.map((id) => encodeIndexKey('quarantine', parseId(id))))
  }

  async putExecution(slot: Slot, bytes: Uint8Array): Promise<void> {
    await this.put(encodeIndexKey('executions', encodeSlotKey(slot)), bytes)
  }

  async readExecutions(period: Period): Promise<Map<number, Uint8Array>> {
    const executions = new Map<number, Uint8Array>()
    for await (const [key, sealed] of this.index.entries(periodRange('executions', period, period))) {
      const value = openValue(sealed)
      if (value) executions.set(decodeSlotKey(key, 1).thread, value)
    }
    return executions
  }

  async deleteExecutions(from: Period, to: Period): Promise<void> {
    const keys: Uint8Array[] = []
    for await (const key of this.index.keys(periodRange('executions', from, to))) keys.push(key)
    await this.delete(keys)
  }

  async putMark(name: string, bytes: Uint8Array): Promise<void> {
    await this.put(markKey(name), bytes)
  }

  /** @throws ArchiveError STORE_VALUE_CORRUPT */
  async readMark(name: string): Promise<Uint8Array | undefined> {
    const sealed = await this.index.get(markKey(name))
    if (sealed === undefined) return undefined
    const value = openValue(sealed)
    if (value) return value
    throw new ArchiveError('STORE_VALUE_CORRUPT', `the mark '${name}' is damaged on disk`, { name })
  }

  async deleteMark(name: string): Promise<void> {
    await this.delete([markKey(name)])
  }

  async sync(): Promise<void> {
    // LevelDB's log is one file: syncing its end syncs what stands before.
    await this.index.write([{ type: 'put', key: SYNC_KEY, value: encodePeriod(0) }], { sync: true })
  }

  private async put(key: Uint8Array, value: Uint8Array): Promise<void> {
    await this.index.write([{ type: 'put', key, value: sealValue(value) }], { sync: false })
  }

  private async read(key: Uint8Array): Promise<Uint8Array | undefined> {
    const sealed = await new Promise<Uint8Array | undefined>((resolve, reject) => {
      // What is asked for in one go is read in one go: a thread that is woken takes as long as what it reads.
      if (this.asked.push({ key, resolve, reject }) === 1) queueMicrotask(() => void this.readAsked())
    })
    return sealed && openValue(sealed)
  }

  private async readAsked(): Promise<void> {
    const asked = this.asked.splice(0)
    try {
      const values = await this.index.getMany(asked.map(({ key }) => key))
      for (const [i, { resolve }] of asked.entries()) resolve(values[i])
    } catch {
      // One that cannot be read says nothing of the others.
      for (const { key, resolve, reject } of asked) this.index.get(key).then(resolve, reject)
    }
  }

  private async delete(keys: readonly Uint8Array[]): Promise<void> {
    if (keys.length === 0) return
    const operations = keys.map((key): LevelOperation => ({ type: 'del', key }))
    await this.index.write(operations, { sync: false })
  }

  private async *entries(keyspace: KeyspaceName): AsyncGenerator<[Uint8Array, Uint8Array]> {
    for await (const [key, sealed] of this.index.entries(keyspaceRange(keyspace))) {
      const value = openValue(sealed)
      if (value) yield [key, value]
    }
  }
}

// A block is put, called final, read and deleted within some periods: its text is decoded once.
const MAX_PARSED_IDS = 4096
const parsedIds = new Map<BlockIdText, Uint8Array>()

function parseId(text: BlockIdText): Uint8Array {
  const known = parsedIds.get(text)
  if (known) return known
  const id = parseBlockId(text)
  if (parsedIds.size >= MAX_PARSED_IDS) parsedIds.clear()
  parsedIds.set(text, id)
  return id
}

function blockKey(slot: Slot, id: BlockIdText): Uint8Array {
  return encodeIndexKey('spoolBlocks', encodeSlotKey(slot), parseId(id))
}

function markKey(name: string): Uint8Array {
  return encodeIndexKey('marks', new TextEncoder().encode(name))
}

function encodeSpooledBlock(block: SpooledBlock): Uint8Array {
  const writer = new ByteWriter(block.record.length + block.seals.length + 16)
  return writer.varint(block.operationCount).bytes(block.record).raw(block.seals).finish()
}

function decodeSpooledBlock(slot: Slot, id: BlockIdText, value: Uint8Array): SpooledBlock {
  const reader = new ByteReader(value)
  const operationCount = reader.varintNumber(0xffff_ffff)
  const record = reader.sized(MAX_RECORD_BYTES)
  const seals = reader.raw(reader.remaining)
  return {
    id,
    slot,
    // Writing 32 ids as text takes as long as verifying a signature, and who archives the block asks for none.
    get parents() {
      return readParents(record)
    },
    operationCount,
    record,
    seals,
  }
}

/** From the header that a block record begins with: bytes(public key || header content || ...). */
function readParents(record: Uint8Array): BlockIdText[] {
  const outer = new ByteReader(record)
  const reader = outer.nested(outer.sized(MAX_HEAD_BYTES))
  reader.raw(PUBLIC_KEY_BYTES)
  return readHeaderContent(reader).parents.map((parent) => formatBlockId(parent))
}
