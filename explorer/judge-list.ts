import type { OperationDescription, Slot } from '../core/verify.ts'
import { formatCount } from './parts.ts'
import type { Outcome } from './worker-messages.ts'

/**
 * What became of an operation that the archive lists. `bound`: a root that the reader trusts binds it, and it is signed. `said`: it is
 * what its id names or fits a root, but the archive chose it. `unsigned`: and signatures lack. `silent`: the archive does not show it.
 */
export type RowVerdict =
  | { readonly kind: 'bound' | 'said' | 'unsigned'; readonly slot: Slot; readonly operation: OperationDescription }
  | { readonly kind: 'silent' | 'lie'; readonly message: string }

/** @param address - whose list it is */
export function judgeRow(outcome: Outcome, address: string): RowVerdict {
  if (outcome.kind === 'refused') return { kind: 'lie', message: outcome.message }
  if (outcome.kind === 'absent' || outcome.kind === 'failed') return { kind: 'silent', message: outcome.message }
  if (outcome.kind !== 'proven' || outcome.record.kind !== 'operation') return { kind: 'silent', message: '' }
  const { operation, slot } = outcome.record
  const { recipient, target } = operation.body
  if (![operation.creator, recipient, target].includes(address)) {
    return { kind: 'lie', message: 'it exists, but neither was made by this address nor pays or calls it.' }
  }
  const { standing } = outcome.proof
  return { kind: standing === 'root' ? 'bound' : standing === 'unsigned' ? 'unsigned' : 'said', slot, operation }
}

export interface ListVerdict {
  readonly color: 'good' | 'open' | 'bad'
  readonly title: string
  readonly lines: readonly string[]
}

/** What the rows of a list are together; green where each is bound alone. */
export function judgeList(rows: readonly RowVerdict[]): ListVerdict {
  const count = (kind: RowVerdict['kind']) => rows.filter((row) => row.kind === kind).length
  const [bound, said, unsigned, silent, lies] = [
    count('bound'),
    count('said'),
    count('unsigned'),
    count('silent'),
    count('lie'),
  ]
  if (rows.length === 0) {
    return {
      color: 'open',
      title: 'An empty list proves nothing',
      lines: ['Whether it is complete can be checked below.'],
    }
  }
  const of = formatCount(rows.length, 'operation')
  const lines = [
    ...(lies > 0 ? [`${lies} refused: the archive’s list is not true there, or not proven.`] : []),
    ...(lies > 0 && bound > 0 ? [`${bound} bound by a root that you trust.`] : []),
    ...(said > 0
      ? [`${said} as this archive says: no root that you trust binds them to the chain, and the archive chose them.`]
      : []),
    ...(unsigned > 0 ? [`${unsigned} without signatures: who made them is what this archive says.`] : []),
    ...(silent > 0 ? [`${silent} not shown by this archive.`] : []),
  ]
  if (lies > 0) return { color: 'bad', title: `This list has lies: ${lies} of ${of}`, lines }
  if (bound < rows.length) {
    const hint = said > 0 ? ['Open one to compare its root and confirm it.'] : []
    return { color: 'open', title: `${bound} of ${of} bound by a root that you trust`, lines: [...lines, ...hint] }
  }
  return {
    color: 'good',
    title: 'Verified by your browser',
    lines: [`${of}, each bound by a root that you trust. That none is left out is another question: see below.`],
  }
}
