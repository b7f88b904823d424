import { isStoreFailure } from '../../archiver/store-watch.ts'
import { type Clock, ERA_PERIODS, Loop, type Period, type Spool } from '../../core/index.ts'
import { type AssignmentOwner, AssignmentRecord } from './assignment-record.ts'
import { SlotBitmap } from './slot-bitmap.ts'

/** A table of the 8th period of an era is wanted soon, and a look costs nothing while there is no new one. */
const LOOK_MS = 2_000
const NO_SLOTS: ReadonlySet<number> = new Set()

/** What duties follow from of a `PlacementTable`. */
export interface DutyTable {
  readonly era: number
  listDutySlotsOf(address: string): readonly number[]
}

/** Of a `PlacementWatch`. */
export interface DutyPlacement {
  readonly inForce: DutyTable | undefined
  /** Of the coming era, once it was read. */
  readonly next: DutyTable | undefined
  readonly isCurrent: boolean
}

export type DutyKind = 'assigned' | 'standIn'

export interface DutyModules {
  readonly placement: DutyPlacement
  /** Another set whenever it changes. Absent: we stand in for nobody. */
  readonly standIns?: () => ReadonlySet<number>
  /** Of the newest final slot that is known. */
  readonly finalPeriod: () => Period | undefined
  readonly spool: Pick<Spool, 'putMark' | 'readMark'>
  readonly clock: Clock
}

/** Which hash slots this node must hold, and which it never had to. */
export class Duty {
  private readonly address: string
  private readonly modules: DutyModules
  private readonly record: AssignmentRecord
  private readonly loop: Loop
  private readonly noted = new WeakSet<DutyTable>()
  private tables: readonly DutyTable[] = []
  private assigned = new SlotBitmap()
  private standIns: ReadonlySet<number> = NO_SLOTS
  private slots: readonly number[] = []
  private isOpen = false

  /** @param owner - the own address, and the registry whose tables are meant */
  constructor(owner: AssignmentOwner, modules: DutyModules) {
    this.address = owner.address
    this.modules = modules
    this.record = new AssignmentRecord(owner, modules.spool)
    this.loop = new Loop({ everyMs: LOOK_MS }, { clock: modules.clock, look: () => this.look() })
  }

  /** Notes every table that comes, until `stop`. @throws a bug */
  start(): Promise<void> {
    return this.loop.start()
  }

  stop(): Promise<void> {
    return this.loop.stop()
  }

  /** What `start` does again and again: what cannot be written is tried again. */
  async look(): Promise<void> {
    if (!this.isOpen) await this.record.open()
    this.isOpen = true
    for (const table of this.listTables()) {
      if (this.noted.has(table)) continue
      try {
        await this.record.note(table.era, table.listDutySlotsOf(this.address))
        this.noted.add(table)
      } catch (error) {
        if (!isStoreFailure(error)) throw error
      }
    }
  }

  /** 'assigned' by the table in force, or by the next one when it was read: what is to be held then is fetched before. */
  of(hashSlot: number): DutyKind | undefined {
    this.update()
    if (this.assigned.has(hashSlot)) return 'assigned'
    return this.standIns.has(hashSlot) ? 'standIn' : undefined
  }

  /** Ascending; the same array while nothing changes. */
  listSlots(): readonly number[] {
    this.update()
    return this.slots
  }

  /**
   * True when it is certain that we were assigned this hash slot in no era from `fromEra` to the present one, and are
   * not in the next. Eras whose table we never saw count as assigned, and so does everything while the chain stands
   * still or the table that has to be in force is unknown.
   */
  wasNeverAssigned(hashSlot: number, fromEra: number): boolean {
    const period = this.modules.finalPeriod()
    if (!this.isOpen || period === undefined || !this.modules.placement.isCurrent) return false
    const presentEra = Math.floor(period / ERA_PERIODS)
    for (const table of this.listTables()) if (!this.noted.has(table)) return false
    const lastEra = this.listTables().reduce((last, { era }) => Math.max(last, era), presentEra)
    for (let era = lastEra; era >= Math.min(fromEra, lastEra); era--) {
      const slots = this.record.slotsOf(era)
      if (slots === undefined || slots.has(hashSlot)) return false
    }
    return true
  }

  private listTables(): DutyTable[] {
    const { inForce, next } = this.modules.placement
    return [inForce, next].filter((table) => table !== undefined)
  }

  private update(): void {
    const tables = this.listTables()
    const standIns = this.modules.standIns?.() ?? NO_SLOTS
    const isSame = tables.length === this.tables.length && tables.every((table, i) => table === this.tables[i])
    if (isSame && standIns === this.standIns) return
    if (!isSame) this.assigned = SlotBitmap.of(tables.flatMap((table) => table.listDutySlotsOf(this.address)))
    this.tables = tables
    this.standIns = standIns
    const all = SlotBitmap.of(standIns)
    all.addAll(this.assigned)
    const slots = all.list()
    const isEqual = slots.length === this.slots.length && slots.every((hashSlot, i) => hashSlot === this.slots[i])
    if (!isEqual) this.slots = slots
  }
}
