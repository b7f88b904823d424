import {
  describeProven,
  fromHex,
  isArchiveError,
  type Network,
  type ProofGap,
  type Question,
  type TrustedHistory,
  verifyProof,
} from '../../core/index.ts'
import { callSidecar } from '../call-sidecar.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { fetchAnswer } from '../fetch-answer.ts'
import { findSidecar } from '../find-sidecar.ts'
import { renderRecord } from '../render-record.ts'

export interface GetOptions {
  /** Of any archive; absent: the running sidecar is asked. */
  readonly from?: string
  readonly verify: boolean
}

export interface GetRequest {
  /** As the gateway has it: api/gateway. */
  readonly path: string
  readonly name: string
  /** What the proof has to answer, by the answer: of a slot it is not known before whether it has a block. */
  readonly question: (answer: Readonly<Record<string, unknown>>) => Question
}

const OUTCOMES = ['success', 'failed', 'unknown']

/** What a verification lacked, for people. */
const GAPS: Readonly<Record<ProofGap, string>> = {
  'trusted-root': 'no root that you trust was at hand: that this is the real chain is what the archive says',
  'era-root': 'its era is not whole in that archive: the proof ends at the root of the period',
  signatures: 'the archive gave no signatures',
  'endorsement-signature': 'its own signature does not verify, which the header of a block may carry',
  'reproducible-content': 'the node lost the original of this operation: its content is bound by nothing',
}

/**
 * Gets something of history and verifies it, from the running sidecar or from any archive.
 *
 * @returns 0, 4 when the archive has it not, 5 when what it says is not proven
 */
export async function getRecord(
  context: Context,
  request: GetRequest,
  options: GetOptions,
  signal: AbortSignal,
): Promise<number> {
  const { output } = context
  const { config } = context.load()
  const network = { chainId: config.node.chainId, genesisTimestampMs: config.node.genesisTimestampMs }
  const path = options.verify ? `${request.path}?proof=true` : request.path
  const answer = await ask(context, path, options.from, signal)
  if (!answer) {
    const message = `${request.name} is not in that archive`
    output.failure({ code: 'CLI_NOT_FOUND', message })
    output.remark(`${message}.`)
    return EXIT_CODES.notFound.code
  }
  if (!options.verify) {
    output.value(answer)
    for (const line of renderRecord(answer)) output.line(line)
    output.warn('not verified: this is what the archive says')
    return EXIT_CODES.ok.code
  }
  const { proof } = answer
  const trusted = await findTrust(context, network, proof, options.from, signal)
  const verified = verifyProof(proof, request.question(answer), trusted)
  // Of the answer itself nothing is shown but what is marked as said: who lies may put anything beside a right proof.
  const shown = { ...describeProven(verified), ...readSaid(answer) }
  output.value({ ...shown, verified: { trust: verified.trust, checks: verified.checks, gaps: verified.gaps } })
  for (const line of renderRecord(shown)) output.line(line)
  output.line('')
  for (const { name, value } of verified.checks) output.markedLine('green', 'checked', ` ${name.padEnd(20)} ${value}`)
  for (const gap of verified.gaps) output.markedLine('yellow', 'not checked', ` ${GAPS[gap]}`)
  return EXIT_CODES.ok.code
}

/** Whether an operation succeeded stands under no root: it is what the archive says. */
function readSaid({ operation }: Readonly<Record<string, unknown>>): object {
  const outcome = (operation as { execution?: { outcome?: unknown } } | undefined)?.execution?.outcome
  return OUTCOMES.some((known) => known === outcome) ? { outcome: `${outcome} (as this archive says, not proven)` } : {}
}

async function ask(
  context: Context,
  path: string,
  from: string | undefined,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  if (from !== undefined) return fetchAnswer(from, path, signal)
  try {
    return (await callSidecar(await findSidecar(context.load().config, signal), path, { signal })) as Record<
      string,
      unknown
    >
  } catch (error) {
    if (isArchiveError(error, 'API_HISTORY_UNKNOWN')) return undefined
    throw error
  }
}

/** Roots that the own sidecar knows; nothing where none runs. */
async function findTrust(
  context: Context,
  network: Network,
  proof: unknown,
  from: string | undefined,
  signal: AbortSignal,
): Promise<TrustedHistory> {
  const period = (proof as { readonly period?: unknown } | undefined)?.period
  if (typeof period !== 'number' || !Number.isSafeInteger(period)) return { network }
  try {
    const sidecar = await findSidecar(context.load().config, signal)
    const answer = await callSidecar(sidecar, `/v1/periods/${period}`, { signal })
    const root = fromHex((answer as { period: { root: string } }).period.root)
    return { network, findPeriodRoot: (asked) => (asked === period ? root : undefined) }
  } catch (error) {
    // Of itself it was asked already: whatever is wrong there was said. Of another archive no own sidecar is needed.
    if (isArchiveError(error) && (from !== undefined || error.code === 'API_HISTORY_UNKNOWN')) return { network }
    throw error
  }
}
