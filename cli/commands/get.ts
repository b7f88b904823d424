import {
  ArchiveError,
  describeProven,
  formatSlot,
  type PeriodRange,
  type ProofGap,
  type Question,
  toHex,
  verifyProof,
} from '../../core/index.ts'
import { type ArchiveChoice, askArchive } from '../ask-archive.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { describeLead, describeVoucher, gatherRoots, type RootOptions } from '../known-roots.ts'
import { describeOutcome, gatherOutcomes } from '../operation-outcome.ts'
import { renderRecord } from '../render-record.ts'

export interface GetOptions extends RootOptions, ArchiveChoice {
  readonly verify: boolean
  /** Further archives that are asked who signed what became of an operation. */
  readonly also?: readonly string[]
}

export interface GetRequest {
  /** As the gateway has it: api/gateway. */
  readonly path: string
  readonly name: string
  /** What the proof has to answer, by the answer: of a slot it is not known before whether it has a block. */
  readonly question: (answer: Readonly<Record<string, unknown>>) => Question
}

/** What a verification lacked, for people. */
const GAPS: Readonly<Record<Exclude<ProofGap, 'trusted-root' | 'trusted-era-root'>, string>> = {
  'era-root': 'its era is not whole in that archive: the proof ends at the root of the period',
  signatures: 'the archive gave no signatures',
  'endorsement-signature': 'its own signature does not verify, which the header of a block may carry',
  'reproducible-content': 'its id does not bind its content: the archive says that the node lost the original',
}

/**
 * Gets something of history and verifies it, from the running sidecar or from any archive.
 *
 * @returns 0
 * @throws ArchiveError CLI_NOT_FOUND; CORE_READING_* where what it says is not proven
 */
export async function getRecord(
  context: Context,
  request: GetRequest,
  options: GetOptions,
  signal: AbortSignal,
): Promise<number> {
  const { output } = context
  const path = options.verify ? `${request.path}?proof=true` : request.path
  const answer = await askArchive(context, path, options, signal)
  if (!answer) throw new ArchiveError('CLI_NOT_FOUND', `${request.name} is not in that archive`)
  if (!options.verify) {
    output.value(answer)
    for (const line of renderRecord(answer)) output.line(line)
    output.warn('not verified: this is what the archive says')
    return EXIT_CODES.ok.code
  }
  const { proof } = answer
  const roots = await gatherRoots(context, readRange(proof), options, signal)
  const verified = verifyProof(proof, request.question(answer), roots.trusted)
  const { record, trust, checks, gaps, period, era } = verified
  const voucher = roots.findVoucher(trust, period)
  if (voucher === 'nobody' && record.kind === 'operation' && !record.operation.reproducible) {
    const message =
      'its id does not bind the content of this operation, and nobody vouches for the period that shows it'
    throw new ArchiveError('CORE_READING_ROOT_UNTRUSTED', message, { period })
  }
  const outcomes = await gatherOutcomes(context, verified, answer.attestations, {
    archives: options.also ?? [],
    path,
    signal,
  })
  // Of the answer itself nothing is shown but what is marked as said: who lies may put anything beside a right proof.
  const shown = { ...describeProven(verified), ...(outcomes && describeOutcome(outcomes, answer)) }
  output.value({ ...shown, verified: { trust, voucher, checks, gaps, outcomes } })
  for (const line of renderRecord(shown)) output.line(line)
  output.line('')
  for (const { name, value } of checks) output.markedLine('green', 'checked', ` ${name.padEnd(20)} ${value}`)
  for (const { outcome, slot, signer } of outcomes ?? []) {
    output.markedLine('yellow', 'attested', ` ${outcome.padEnd(20)} at slot ${formatSlot(slot)}, by ${signer}`)
  }
  for (const gap of gaps) {
    // What the last lines say.
    if (gap === 'trusted-root' || gap === 'trusted-era-root') continue
    output.markedLine('yellow', 'not checked', ` ${GAPS[gap]}`)
  }
  if (era && !era.isTrusted) output.markedLine('yellow', 'not checked', ` ${describeLead(era.era, toHex(era.root))}`)
  output.markedLine(voucher === 'nobody' ? 'yellow' : 'green', 'trust', ` ${describeVoucher(voucher, period)}`)
  return EXIT_CODES.ok.code
}

/** The period that a proof says it is of; of what is no proof any is as good, for it is refused. */
function readRange(proof: unknown): PeriodRange {
  const said = (proof as { readonly period?: unknown } | undefined)?.period
  const period = typeof said === 'number' && Number.isSafeInteger(said) && said >= 0 ? said : 0
  return { from: period, to: period }
}
