/** Random inputs of one property: a slice in `npm test`, all of them in `npm run fuzz:proofs`. */
export const FUZZ_RUNS = Number(process.env.FUZZ_RUNS ?? 1500)
/** Printed with what was counted; FUZZ_SEED takes another one. */
export const FUZZ_SEED = Number(process.env.FUZZ_SEED ?? 20_261_121)

/** How often each thing happened, for the line that a run prints. */
export class Counts {
  readonly byName = new Map<string, number>()

  add(name: string): void {
    this.byName.set(name, (this.byName.get(name) ?? 0) + 1)
  }

  toString(): string {
    const entries = [...this.byName].sort(([a], [b]) => (a < b ? -1 : 1))
    return entries.map(([name, count]) => `${name} ${count}`).join(', ')
  }
}
