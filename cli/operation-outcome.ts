import {
  type AttestedOutcome,
  formatOperationId,
  isArchiveError,
  type VerifiedAnswer,
  verifyOutcomes,
} from '../core/index.ts'
import type { Context } from './context.ts'
import { fetchAnswer } from './fetch-answer.ts'

const OUTCOMES = ['success', 'failed', 'unknown']

/**
 * Who signed what became of an operation: the archive that was asked, and further ones. One that does not answer, or
 * shows what nobody signed so, is named, and says nothing.
 *
 * @param attestations - of the answer
 * @param others - addresses of further archives
 * @returns one for each archiver, two where one says both; `undefined` for what is no operation
 * @throws ArchiveError CORE_READING_MALFORMED, CORE_READING_SIGNATURE_INVALID, CORE_READING_ID_OTHER of the answer itself
 */
export async function gatherOutcomes(
  { output }: Context,
  { record, network }: VerifiedAnswer,
  attestations: unknown,
  others: { readonly archives: readonly string[]; readonly path: string; readonly signal: AbortSignal },
): Promise<AttestedOutcome[] | undefined> {
  if (record.kind !== 'operation') return undefined
  const id = formatOperationId(record.operation.id)
  const read = (value: unknown) => (value === undefined ? [] : verifyOutcomes(value, network, id))
  const known = new Map(read(attestations).map((said) => [nameOf(said), said]))
  for (const archive of others.archives) {
    try {
      const answer = await fetchAnswer(archive, others.path, others.signal)
      for (const said of read(answer?.attestations)) known.set(nameOf(said), said)
    } catch (error) {
      if (!isArchiveError(error)) throw error
      output.warn(`${archive} says nothing of the outcome: ${error.message}`)
    }
  }
  return [...known.values()]
}

function nameOf({ signer, outcome }: AttestedOutcome): string {
  return `${signer} ${outcome}`
}

/** Whether an operation succeeded, which stands under no root: what archivers signed, else what the archive says. */
export function describeOutcome(
  outcomes: readonly AttestedOutcome[],
  { operation }: Readonly<Record<string, unknown>>,
): object {
  const counts = new Map<string, number>()
  for (const { outcome } of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  const said = [...counts].map(([outcome, count]) => `${outcome}: said by ${count} archiver${count === 1 ? '' : 's'}`)
  if (said.length > 0) return { outcome: `${said.join('; ')} (signed, not proven)` }
  const unsigned = (operation as { execution?: { outcome?: unknown } } | undefined)?.execution?.outcome
  if (!OUTCOMES.some((known) => known === unsigned)) return {}
  return { outcome: `${unsigned} (as this archive says, signed by nobody)` }
}
