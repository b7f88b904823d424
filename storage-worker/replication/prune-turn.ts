import { sha256 } from '#crypto'
import { ERA_PERIODS, type Period } from '../../core/index.ts'

/** Every node has a time of its own in a week to let go of a chunk, so that its copies do not all go at once. */
export const SPREAD_PERIODS = 37_800

/**
 * When a node may let go of chunks of an era: for 128 periods in every `spreadPeriods`.
 *
 * One turn for all chunks of an era, because the disk has their room back only when the era is compacted: a turn for each
 * chunk would have each era written anew hundreds of times a week.
 */
export class PruneTurns {
  private readonly address: string
  private readonly spreadPeriods: number
  /** By era: a number each, where a hash each would take a tenth of a second for all eras of an archive of years. */
  private readonly begins = new Map<number, number>()

  /** @param address - the node's */
  constructor(address: string, spreadPeriods: number) {
    this.address = address
    this.spreadPeriods = spreadPeriods
  }

  has(era: number, finalPeriod: Period): boolean {
    const begin = this.begins.get(era) ?? this.computeBegin(era)
    this.begins.set(era, begin)
    return (finalPeriod - begin + this.spreadPeriods) % this.spreadPeriods < ERA_PERIODS
  }

  private computeBegin(era: number): number {
    const hash = sha256(new TextEncoder().encode(`massa-storage/prune/1:${this.address}:${era}`))
    return new DataView(hash.buffer, hash.byteOffset).getUint32(0) % this.spreadPeriods
  }
}
