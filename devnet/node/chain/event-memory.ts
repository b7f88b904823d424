import { type BlockIdText, slotIndex } from '../../../core/index.ts'
import type { ContractEvent } from '../../engine/index.ts'

/** Beside its text: the event, its lists and the ids in it; measured, 400 to 430 bytes with a text of 20. */
const EVENT_BYTES = 400
/** Part of the limit by which it is passed before the oldest are thrown away: it is done for many at once. */
const SLACK = 1 / 16

export interface ChainEvent {
  readonly event: ContractEvent
  /** Absent in a missed slot: deferred calls run there too. */
  readonly block: BlockIdText | undefined
}

/** The events of a chain since it was opened, in their order, as many as there is room for. */
export class EventMemory {
  private readonly maxBytes: number
  private readonly events: ChainEvent[] = []
  private bytes = 0

  /** @param maxBytes - of memory, about */
  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  get all(): readonly ChainEvent[] {
    return this.events
  }

  add(event: ChainEvent): void {
    this.events.push(event)
    this.bytes += sizeOf(event)
  }

  /** Throws the oldest away when there are too many; never one after the last final slot. */
  trim(finalIndex: number): void {
    if (this.bytes <= this.maxBytes * (1 + SLACK)) return
    let count = 0
    for (let left = this.bytes; left > this.maxBytes; count++) {
      const oldest = this.events[count]
      if (!oldest || slotIndex(oldest.event.slot) > finalIndex) break
      left -= sizeOf(oldest)
    }
    this.drop(count)
  }

  /** Throws those of final slots away. */
  forgetFinal(finalIndex: number): void {
    const place = this.events.findIndex(({ event }) => slotIndex(event.slot) > finalIndex)
    this.drop(place < 0 ? this.events.length : place)
  }

  private drop(count: number): void {
    for (const event of this.events.splice(0, count)) this.bytes -= sizeOf(event)
  }
}

function sizeOf({ event }: ChainEvent): number {
  return EVENT_BYTES + event.data.length
}
