import { createHash } from 'node:crypto'
import { formatAddress, formatPublicKey } from '../../../core/index.ts'
import { drawNumber } from '../../made-key.ts'
import { ENDORSEMENT_COUNT, type Staker } from './chain-options.ts'

const NUMBER_BYTES = 6

/** A staker with the texts that blocks name him by. */
export interface DrawnStaker extends Staker {
  readonly address: string
  readonly publicKey: string
}

/** Who makes the block of a slot and who endorses it. */
export interface SlotDraw {
  readonly producer: DrawnStaker
  /** By index, 16. */
  readonly endorsers: readonly DrawnStaker[]
}

/**
 * The draw of every slot, past and future: by the seed, over the rolls that the stakers began with. Rolls bought and sold
 * later change nothing, so whoever runs the chain never loses it.
 */
export class Draw {
  private readonly seed: string
  readonly stakers: readonly DrawnStaker[]
  private readonly limits: readonly number[]
  private readonly total: number

  constructor(seed: string, stakers: readonly Staker[]) {
    this.seed = seed
    this.stakers = stakers.map((staker) => ({
      ...staker,
      address: formatAddress(staker.key.address),
      publicKey: formatPublicKey(staker.key.publicKey),
    }))
    let sum = 0
    this.limits = stakers.map(({ rolls }) => (sum += Number(rolls)))
    this.total = sum
  }

  at(slotIndex: number): SlotDraw {
    const outputLength = (1 + ENDORSEMENT_COUNT) * NUMBER_BYTES
    const bytes = createHash('shake256', { outputLength }).update(`${this.seed} draw ${slotIndex}`).digest()
    const pick = (i: number) => this.pick(bytes.readUIntBE(i * NUMBER_BYTES, NUMBER_BYTES) / 2 ** (8 * NUMBER_BYTES))
    return { producer: pick(0), endorsers: Array.from({ length: ENDORSEMENT_COUNT }, (_, i) => pick(1 + i)) }
  }

  /** @param rate - 0 to 1 */
  isMissed(slotIndex: number, rate: number): boolean {
    return rate > 0 && drawNumber(`${this.seed} miss ${slotIndex}`) < rate
  }

  /** @param rate - 0 to 1 */
  hasRival(slotIndex: number, rate: number): boolean {
    return rate > 0 && drawNumber(`${this.seed} rival ${slotIndex}`) < rate
  }

  private pick(share: number): DrawnStaker {
    const place = this.limits.findIndex((limit) => share * this.total < limit)
    const staker = this.stakers[place]
    if (!staker) throw new Error('there is nobody to draw')
    return staker
  }
}
