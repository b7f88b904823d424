import { createHash } from 'node:crypto'
import { formatAddress, formatPublicKey } from '../../../core/index.ts'
import { drawNumber } from '../../made-key.ts'
import { ENDORSEMENT_COUNT, type Staker } from './chain-options.ts'
import { cycleOf, type RollCounts, RollHistory } from './roll-history.ts'

const NUMBER_BYTES = 6

/** A staker with the texts that blocks name him by. */
export interface DrawnStaker extends Staker {
  readonly address: string
  readonly publicKey: string
}

/** Who makes the block of a slot and who endorses it, by address. */
export interface SlotDraw {
  readonly producer: string
  /** By index, 16. */
  readonly endorsers: readonly string[]
}

/** Shares of the addresses, one after another, as they add up. */
interface DrawTable {
  readonly addresses: readonly string[]
  readonly limits: readonly number[]
  readonly total: number
}

/** The draw of every slot: by the seed, over the rolls that are active in its cycle. */
export class Draw {
  readonly stakers: readonly DrawnStaker[]
  readonly history: RollHistory
  private readonly seed: string
  private readonly byAddress: ReadonlyMap<string, DrawnStaker>
  private readonly tables = new WeakMap<RollCounts, DrawTable>()

  /** @param stored - rolls at the end of cycles, of a chain that goes on */
  constructor(seed: string, stakers: readonly Staker[], stored?: Iterable<readonly [cycle: number, RollCounts]>) {
    this.seed = seed
    this.stakers = stakers.map((staker) => ({
      ...staker,
      address: formatAddress(staker.key.address),
      publicKey: formatPublicKey(staker.key.publicKey),
    }))
    this.byAddress = new Map(this.stakers.map((staker) => [staker.address, staker]))
    this.history = new RollHistory(
      this.stakers.map(({ address, rolls }) => [address, rolls] as const),
      stored,
    )
  }

  /** One of the chain's own; nobody here can sign for anybody else. */
  stakerOf(address: string): DrawnStaker | undefined {
    return this.byAddress.get(address)
  }

  at(slotIndex: number): SlotDraw {
    const [producer = '', ...endorsers] = this.pick(slotIndex, 1 + ENDORSEMENT_COUNT)
    return { producer, endorsers }
  }

  /** Of `at`, for a twentieth of the work: every slot that is executed asks for him. */
  producerAt(slotIndex: number): string {
    const [producer = ''] = this.pick(slotIndex, 1)
    return producer
  }

  /** @param rate - 0 to 1 */
  isMissed(slotIndex: number, rate: number): boolean {
    return rate > 0 && drawNumber(`${this.seed} miss ${slotIndex}`) < rate
  }

  /** @param rate - 0 to 1 */
  hasRival(slotIndex: number, rate: number): boolean {
    return rate > 0 && drawNumber(`${this.seed} rival ${slotIndex}`) < rate
  }

  /** The first of the addresses that are drawn for a slot: those of a longer output begin like those of a shorter one. */
  private pick(slotIndex: number, count: number): string[] {
    const outputLength = count * NUMBER_BYTES
    const bytes = createHash('shake256', { outputLength }).update(`${this.seed} draw ${slotIndex}`).digest()
    const table = this.tableOf(this.history.activeIn(cycleOf(slotIndex)))
    const picked: string[] = []
    for (let at = 0; at < outputLength; at += NUMBER_BYTES) {
      picked.push(pickShare(table, bytes.readUIntBE(at, NUMBER_BYTES) / 2 ** (8 * NUMBER_BYTES)))
    }
    return picked
  }

  private tableOf(counts: RollCounts): DrawTable {
    const known = this.tables.get(counts)
    if (known) return known
    let total = 0
    const limits = counts.map(([, rolls]) => (total += Number(rolls)))
    const table = { addresses: counts.map(([address]) => address), limits, total }
    this.tables.set(counts, table)
    return table
  }
}

function pickShare({ addresses, limits, total }: DrawTable, share: number): string {
  const address = addresses[limits.findIndex((limit) => share * total < limit)]
  if (address === undefined) throw new Error('there is nobody to draw')
  return address
}
