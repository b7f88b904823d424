/** A call that the contract refuses: everything but the fee is as before. */
export class Refusal extends Error {
  /** With the prefix, e.g. `REGISTRY_PAUSED`. */
  readonly code: string

  constructor(reason: string) {
    super(`REGISTRY_${reason}`)
    this.code = this.message
  }
}

/** Refuses with `REGISTRY_<reason>` unless `condition` holds. */
export function demand(condition: boolean, reason: string): asserts condition {
  if (!condition) throw new Refusal(reason)
}
