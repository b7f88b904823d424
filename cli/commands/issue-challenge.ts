import type { QueryRow } from '../../api/queries.ts'
import { TOKEN_HEADER } from '../../api/token-header.ts'
import { readApiToken } from '../../storage-worker/api-token.ts'
import { askSidecar } from '../ask-sidecar.ts'
import { parseAnswer } from '../call-sidecar.ts'
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

/** Has a node prove that it holds a chunk, through the running sidecar; waits as long as that says that it waits. */
export async function issueChallenge(context: Context, options: IssueOptions, signal: AbortSignal): Promise<number> {
  const { node, chunk, rehearse = false, unclaimed = false } = options
  const { output } = context
  const { config } = context.load()
  const sidecar = await findSidecar(config, signal)
  const token = (await readApiToken(config.dataDir)) ?? ''
  const body = { node, chunk, rehearse, unclaimed }
  let isWaitTold = rehearse
  const onWorking = () => {
    if (isWaitTold) return
    isWaitTold = true
    output.remark(
      'Waiting until the registry has judged the answer: a minute or so, or until some time after its deadline.',
    )
    output.remark("It goes on without this command: 'massa-storage challenges list' shows what becomes of it.")
  }
  const request = { body, headers: { [TOKEN_HEADER]: token }, signal, onWorking }
  const challenge = await readEntry(askSidecar(sidecar, '/v1/challenges', request))
  output.value(challenge)
  showChallenge(output, challenge)
  return EXIT_OF[challenge.result]
}

/** Its only row; without one the rows throw. */
async function readEntry(rows: AsyncIterable<QueryRow>): Promise<ChallengeEntry> {
  let result: unknown
  for await (const row of rows) if ('result' in row) result = row.result
  return parseAnswer(challengeEntry, result)
}
