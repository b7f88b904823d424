/**
 * A number whose value at the start of an era stays readable all through that era (design: Snapshot for placement),
 * kept as the list of all its changes.
 */
export class EraValue {
  /** Ascending by era; the first entry is what the number is before anything happens. */
  private changes: readonly { readonly era: bigint; readonly value: bigint }[] = [{ era: 0n, value: 0n }]

  get value(): bigint {
    return this.changes.at(-1)?.value ?? 0n
  }

  /** Era of the last change. */
  get era(): bigint {
    return this.changes.at(-1)?.era ?? 0n
  }

  /** What it was at the start of the era of the last change. */
  get previous(): bigint {
    return this.changes.findLast(({ era }) => era < this.era)?.value ?? 0n
  }

  set(era: bigint, value: bigint): void {
    if (value !== this.value) this.changes = [...this.changes, { era, value }]
  }

  /** What it was when `era` began; eras before the last change's are not asked for. */
  atStartOf(era: bigint): bigint {
    return this.changes.findLast((change) => change.era < era)?.value ?? 0n
  }

  copy(): EraValue {
    const copy = new EraValue()
    copy.changes = this.changes
    return copy
  }
}
