import {
  ArchiveError,
  type BlockIdText,
  type Period,
  type QuarantinedBlock,
  type Slot,
  type Spool,
  type SpooledBlock,
  type SpoolLevel,
  slotIndex,
  slotOfIndex,
} from '../../core/index.ts'
import type { Life } from './node-clock.ts'
import type { SimDisk } from './sim-disk.ts'

/** What a simulated node has not archived yet: what was not synced may be gone after a crash. */
export class MemorySpool implements Spool {
  private readonly disk: SimDisk
  private readonly life: Life

  constructor(modules: { readonly disk: SimDisk; readonly life: Life }) {
    this.disk = modules.disk
    this.life = modules.life
  }

  async checkRoom(_heldBytes: number, _level: SpoolLevel): Promise<void> {
    if (this.disk.isFull) throw new ArchiveError('STORE_SPOOL_FULL', 'the simulated disk is full')
  }

  async putBlock(block: SpooledBlock): Promise<void> {
    await this.put(blockKey(block), block)
  }

  async readBlock(slot: Slot, id: BlockIdText): Promise<SpooledBlock | undefined> {
    return this.disk.spool.get(blockKey({ slot, id })) as SpooledBlock | undefined
  }

  async *listBlocks(): AsyncGenerator<SpooledBlock> {
    for (const key of this.list('block')) yield this.disk.spool.get(key) as SpooledBlock
  }

  async deleteBlocks(blocks: readonly { readonly slot: Slot; readonly id: BlockIdText }[]): Promise<void> {
    for (const block of blocks) await this.put(blockKey(block), undefined)
  }

  async putFinal(slot: Slot, id: BlockIdText): Promise<void> {
    await this.put(slotKey('final', slot), id)
  }

  async *listFinals(): AsyncGenerator<{ readonly slot: Slot; readonly id: BlockIdText }> {
    for (const key of this.list('final')) yield { slot: readSlot(key), id: this.disk.spool.get(key) as BlockIdText }
  }

  async deleteFinals(slots: readonly Slot[]): Promise<void> {
    for (const slot of slots) await this.put(slotKey('final', slot), undefined)
  }

  async putQuarantined(block: QuarantinedBlock): Promise<void> {
    await this.put(`quarantine ${block.id}`, block)
  }

  async *listQuarantined(): AsyncGenerator<QuarantinedBlock> {
    for (const key of this.list('quarantine')) yield this.disk.spool.get(key) as QuarantinedBlock
  }

  async deleteQuarantined(ids: readonly BlockIdText[]): Promise<void> {
    for (const id of ids) await this.put(`quarantine ${id}`, undefined)
  }

  async putExecution(slot: Slot, bytes: Uint8Array): Promise<void> {
    await this.put(slotKey('execution', slot), bytes)
  }

  async readExecutions(period: Period): Promise<Map<number, Uint8Array>> {
    const keys = this.list('execution').filter((key) => readSlot(key).period === period)
    return new Map(keys.map((key) => [readSlot(key).thread, this.disk.spool.get(key) as Uint8Array]))
  }

  async deleteExecutions(from: Period, to: Period): Promise<void> {
    for (const key of this.list('execution')) {
      const { period } = readSlot(key)
      if (period >= from && period <= to) await this.put(key, undefined)
    }
  }

  async putMark(name: string, bytes: Uint8Array): Promise<void> {
    await this.put(`mark ${name}`, bytes)
  }

  async readMark(name: string): Promise<Uint8Array | undefined> {
    await this.disk.read(this.life)
    return this.disk.spool.get(`mark ${name}`) as Uint8Array | undefined
  }

  async deleteMark(name: string): Promise<void> {
    await this.put(`mark ${name}`, undefined)
  }

  async sync(): Promise<void> {
    const { spool } = this.disk
    const { end } = spool
    await this.disk.write(this.life, false, () => spool.syncUntil(end))
  }

  private async put(key: string, value: unknown): Promise<void> {
    await this.disk.read(this.life)
    if (value !== undefined && this.disk.isFull) {
      throw new ArchiveError('STORE_DISK_FULL', 'the simulated disk is full')
    }
    this.disk.spool.put(key, value)
  }

  /** Keys of one kind, ascending. */
  private list(kind: string): string[] {
    return [...this.disk.spool.keys()].filter((key) => key.startsWith(`${kind} `)).sort()
  }
}

/** Slot indexes of equal length, so that texts sort as they do. */
function slotKey(kind: string, slot: Slot): string {
  return `${kind} ${String(slotIndex(slot)).padStart(12, '0')}`
}

function blockKey({ slot, id }: { readonly slot: Slot; readonly id: BlockIdText }): string {
  return `${slotKey('block', slot)} ${id}`
}

function readSlot(key: string): Slot {
  return slotOfIndex(Number(key.split(' ')[1]))
}
