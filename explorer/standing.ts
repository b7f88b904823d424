import type { CheckName, ProofCheck, ProofGap, ProvenRecord, Question, Trust, VerifiedAnswer } from '../core/verify.ts'

/* What the browser can vouch for of a verified answer, and what stays the word of the archive: said here, and nowhere else. */

/**
 * `root`: bound by a root that the reader trusts. `id`: what was asked for by its id is what this id names, and is signed.
 * `unconfirmed`: it fits a root of which only the archive says that it is the chain's. `unsigned`: signatures lack or do not verify.
 */
export type Standing = 'root' | 'id' | 'unconfirmed' | 'unsigned'

/** What a page shows and an id may not bind: that it is on the chain, in which block, at which slot, when, where; the root of an era. */
export type Claim = 'chain' | 'block' | 'slot' | 'date' | 'network' | 'era'

export interface Judgement {
  readonly standing: Standing
  /** What neither the id nor a trusted root binds: the archive's word. */
  readonly unproven: readonly Claim[]
  /** What binds the record. */
  readonly checks: readonly ProofCheck[]
  /** What fits together, and was compared with nothing that the reader has. */
  readonly loose: readonly ProofCheck[]
}

type AskedById = 'block' | 'operation' | 'endorsement'

/** Checks that say something where nothing is known but the id. */
const CHECKS_BY_ID: Readonly<Record<AskedById, readonly CheckName[]>> = {
  block: ['block-id', 'operation-list', 'operation-ids', 'header-signature', 'operation-signatures'],
  operation: ['operation-id', 'operation-signatures'],
  endorsement: ['endorsement-id', 'endorsement-signature'],
}

/** What the id of one leaves open, and the date with it; of which chain it is, that of an operation hashes. */
const LEFT_OPEN: Readonly<Partial<Record<ProvenRecord['kind'], readonly Claim[]>>> = {
  operation: ['block', 'slot'],
  endorsement: ['block'],
}
const UNSIGNED: readonly ProofGap[] = ['signatures', 'endorsement-signature']

export function judge(verified: VerifiedAnswer, question: Question): Judgement {
  const { trust, gaps } = verified
  const id = isAskedById(question) && !gaps.includes('reproducible-content') ? question.kind : undefined
  const standing = gaps.some((gap) => UNSIGNED.includes(gap))
    ? 'unsigned'
    : trust !== 'none'
      ? 'root'
      : id
        ? 'id'
        : 'unconfirmed'
  const binds = ({ name }: ProofCheck): boolean => isBinding(name, trust, id)
  return {
    standing,
    unproven: [...listOpen(verified, id), ...(trust === 'era-root' ? [] : (['era'] as const))],
    checks: verified.checks.filter(binds),
    loose: verified.checks.filter((check) => !binds(check)),
  }
}

function isAskedById(question: Question): question is Extract<Question, { kind: AskedById }> {
  return question.kind in CHECKS_BY_ID
}

function isBinding(name: CheckName, trust: Trust, id: AskedById | undefined): boolean {
  return trust !== 'none' || (id !== undefined && CHECKS_BY_ID[id].includes(name))
}

function listOpen({ trust, record }: VerifiedAnswer, id: AskedById | undefined): readonly Claim[] {
  if (trust !== 'none') return []
  // A block hashes the ids of its operations, and these the chain.
  const hasChain =
    id === 'operation' || (id === 'block' && record.kind === 'block' && record.block.operations.length > 0)
  return ['chain', ...(LEFT_OPEN[record.kind] ?? []), 'date', ...(hasChain ? [] : (['network'] as const))]
}
