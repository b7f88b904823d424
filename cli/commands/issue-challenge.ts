import { TOKEN_HEADER } from '../../api/token-header.ts'
import { readApiToken } from '../../storage-worker/api-token.ts'
import { callSidecar, parseAnswer } from '../call-sidecar.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { findSidecar } from '../find-sidecar.ts'
import { type ChallengeEntry, challengeEntry, showChallenge } from './challenges.ts'

export interface IssueOptions {
  readonly node: string
  readonly chunk: string
  readonly rehearse?: boolean
  readonly unclaimed?: boolean
}

/** Longer than a node may take to answer. */
const REHEARSAL = { answerMs: 60_000, silenceMs: 60_000 }
/** Longer than the longest deadline that a registry may have, and the time that it takes until somebody says it is over. */
const ON_CHAIN = { answerMs: 5_400_000, silenceMs: 5_400_000 }

const EXIT_OF: { readonly [R in ChallengeEntry['result']]: number } = {
  valid: EXIT_CODES.ok.code,
  invalid: EXIT_CODES.invalid.code,
  notHeld: EXIT_CODES.invalid.code,
  refused: EXIT_CODES.invalid.code,
  noAnswer: EXIT_CODES.timeout.code,
  busy: EXIT_CODES.timeout.code,
  void: EXIT_CODES.timeout.code,
  open: EXIT_CODES.timeout.code,
}

/** Has a node prove that it holds a chunk, through the running sidecar. */
export async function issueChallenge(context: Context, options: IssueOptions, signal: AbortSignal): Promise<number> {
  const { node, chunk, rehearse = false, unclaimed = false } = options
  const { output } = context
  const { config } = context.load()
  const sidecar = await findSidecar(config, signal)
  const token = (await readApiToken(config.dataDir)) ?? ''
  const request = { body: { node, chunk, rehearse, unclaimed }, headers: { [TOKEN_HEADER]: token }, signal }
  if (!rehearse)
    output.remark('Waiting until the registry has judged the answer: a minute or so, at most its deadline.')
  const limits = rehearse ? REHEARSAL : ON_CHAIN
  const challenge = parseAnswer(challengeEntry, await callSidecar(sidecar, '/v1/challenges', request, limits))
  output.value(challenge)
  showChallenge(output, challenge)
  return EXIT_OF[challenge.result]
}
