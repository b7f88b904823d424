import type { HolderPass } from './holder-table.ts'
import type { Ranked } from './slot-ranking.ts'

const PASSES: readonly HolderPass[] = [1, 2, 3]

/** A node that may be a holder. */
export interface Candidate {
  readonly operator: string
  readonly network: string
  /** Hash slots that it can be given. */
  readonly quota: number
}

/** Where the next in rank comes from. */
export interface Ranking {
  /** The candidate that ranks first among those that qualify. */
  first(qualifies: (index: number) => boolean): Ranked | undefined
  /** False when there are candidates behind its last one. */
  readonly isWhole: boolean
}

export interface Chosen extends Ranked {
  readonly pass: HolderPass
}

/** Chooses the holders of one hash slot after the other; candidates are numbers, in the order of their addresses. */
export class SlotFiller {
  private readonly replicas: number
  private readonly slotsLeft: Uint16Array
  private readonly operators: Uint32Array
  private readonly networks: Uint32Array
  // What was chosen in which round: nothing is to be cleared, nor made anew, for each of 16,384 hash slots.
  private round = 0
  private readonly takenIn: Uint32Array
  private readonly operatorTakenIn: Uint32Array
  private readonly networkTakenIn: Uint32Array
  private readonly qualifies: { readonly [P in HolderPass]: (index: number) => boolean } = {
    1: (index) => this.hasRoom(index) && this.isNewNetwork(index) && this.isNewOperator(index),
    2: (index) => this.hasRoom(index) && this.isNewNetwork(index),
    3: (index) => this.hasRoom(index) && this.takenIn[index] !== this.round,
  }

  constructor(replicas: number, candidates: readonly Candidate[]) {
    this.replicas = replicas
    this.slotsLeft = Uint16Array.from(candidates, ({ quota }) => quota)
    this.operators = numberTexts(candidates.map(({ operator }) => operator))
    this.networks = numberTexts(candidates.map(({ network }) => network))
    this.takenIn = new Uint32Array(candidates.length)
    this.operatorTakenIn = new Uint32Array(candidates.length)
    this.networkTakenIn = new Uint32Array(candidates.length)
  }

  /** In order of rank. Undefined when the ranking ends before it is known who comes next; then no room was taken. */
  fill(ranking: Ranking): readonly Chosen[] | undefined {
    this.round++
    const chosen: Chosen[] = []
    // A pass only ever shuts candidates out, so "next in rank" is "lowest score that still qualifies".
    for (const pass of PASSES) {
      while (chosen.length < this.replicas) {
        const next = ranking.first(this.qualifies[pass])
        if (next === undefined) break
        this.take(next.index)
        chosen.push({ ...next, pass })
      }
      if (chosen.length === this.replicas) break
      if (!ranking.isWhole) return undefined
    }
    for (const { index } of chosen) this.slotsLeft[index] = (this.slotsLeft[index] ?? 0) - 1
    return chosen.sort((a, b) => a.score - b.score || a.index - b.index)
  }

  private take(index: number): void {
    this.takenIn[index] = this.round
    this.operatorTakenIn[this.operators[index] ?? 0] = this.round
    this.networkTakenIn[this.networks[index] ?? 0] = this.round
  }

  private hasRoom(index: number): boolean {
    return (this.slotsLeft[index] ?? 0) > 0
  }

  private isNewOperator(index: number): boolean {
    return this.operatorTakenIn[this.operators[index] ?? 0] !== this.round
  }

  private isNewNetwork(index: number): boolean {
    return this.networkTakenIn[this.networks[index] ?? 0] !== this.round
  }
}

/** Equal texts get equal numbers, below the count of texts. */
function numberTexts(texts: readonly string[]): Uint32Array {
  const numbers = new Map<string, number>()
  return Uint32Array.from(texts, (text) => {
    const number = numbers.get(text) ?? numbers.size
    numbers.set(text, number)
    return number
  })
}
