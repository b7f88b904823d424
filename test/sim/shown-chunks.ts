import type { Period } from '../../core/index.ts'

/** A chunk, or the SEALS of its period. */
export type Shown = number | 'seals'

/** Who showed what to whom: a leaf of a chunk, or SEALS. */
export class ShownChunks {
  private readonly keys = new Set<string>()

  /** @param asker PeerId text @param name of the node that showed it */
  note(asker: string, name: string, { period, shown }: { readonly period: Period; readonly shown: Shown }): void {
    this.keys.add(`${asker} ${name} ${period} ${shown}`)
  }

  has(asker: string, name: string, { period, shown }: { readonly period: Period; readonly shown: Shown }): boolean {
    return this.keys.has(`${asker} ${name} ${period} ${shown}`)
  }
}
