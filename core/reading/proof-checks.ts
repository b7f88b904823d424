/** What a reader can say that he checked; the order is that of the work. */
export type CheckName =
  | 'network'
  | 'period-root'
  | 'era-root'
  | 'trusted-root'
  | 'chunk'
  | 'bitmap'
  | 'block-id'
  | 'operation-list'
  | 'position'
  | 'operation-id'
  | 'validity'
  | 'operation-ids'
  | 'endorsement-id'
  | 'endorsement-signature'
  | 'header-signature'
  | 'operation-signatures'

/** One thing that was recomputed and compared, with the value for people. */
export interface ProofCheck {
  readonly name: CheckName
  readonly value: string
}

/**
 * What was not checked because it was not there: a root that the reader trusts, a whole era, a root of that era that he trusts,
 * signatures, and the content of an operation of which the node lost the original (docs/FORMAT.md, Not reproducible). Of an
 * endorsement: its own signature does not verify, which a header may carry.
 */
export type ProofGap =
  | 'trusted-root'
  | 'era-root'
  | 'trusted-era-root'
  | 'signatures'
  | 'reproducible-content'
  | 'endorsement-signature'

/** Takes note of what a verification does. */
export class CheckList {
  readonly done: ProofCheck[] = []
  readonly gaps: ProofGap[] = []

  add(name: CheckName, value: string): void {
    this.done.push({ name, value })
  }

  lacks(gap: ProofGap): void {
    this.gaps.push(gap)
  }
}
