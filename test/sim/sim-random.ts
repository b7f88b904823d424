import { createHash } from 'node:crypto'
import { drawNumbers } from '../archiver/simulated-chain.ts'

/** Everything that is drawn in a simulation. Each purpose has a stream of its own, so that one more draw moves no other. */
export class SimRandom {
  private readonly name: string
  private readonly draw: () => number

  constructor(name: string) {
    this.name = name
    this.draw = drawNumbers(createHash('sha256').update(name).digest().readUInt32BE(0))
  }

  fork(purpose: string): SimRandom {
    return new SimRandom(`${this.name} ${purpose}`)
  }

  /** A whole number in [0, max). */
  below(max: number): number {
    return Math.floor(this.draw() * max)
  }

  /** A whole number in [min, max]. */
  between(min: number, max: number): number {
    return min + this.below(max - min + 1)
  }

  chance(share: number): boolean {
    return this.draw() < share
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)]
    if (item === undefined) throw new Error('nothing to pick from')
    return item
  }

  /** `count` of them at most, in random order. */
  pickSome<T>(items: readonly T[], count: number): T[] {
    const left = [...items]
    const picked: T[] = []
    while (picked.length < count && left.length > 0) picked.push(...left.splice(this.below(left.length), 1))
    return picked
  }
}
