import type * as limits from '../../../protocol-handler/limits.ts'

export type BoundName = keyof typeof limits

/** Tries an amount: at the bound it is taken, a step past it it is not. */
export interface TriedBound {
  readonly takes: (amount: number) => boolean | Promise<boolean>
  readonly step: number
}

/** A test that tries both sides, where that takes streams, sockets or a room of its own. */
export interface TestedBound {
  readonly file: string
  readonly title: string
}

export function tried(takes: TriedBound['takes'], step = 1): TriedBound {
  return { takes, step }
}

export function tested(file: string, title: string): TestedBound {
  return { file, title }
}

/** Whether all of so many are like this. */
export function all(count: number, isTaken: (i: number) => boolean): boolean {
  return Array.from({ length: count }, (_, i) => isTaken(i)).every(Boolean)
}
