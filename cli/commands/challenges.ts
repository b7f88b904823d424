import * as z from 'zod'
import { ArchiveError } from '../../core/errors.ts'
import { callSidecar, parseAnswer } from '../call-sidecar.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { findSidecar } from '../find-sidecar.ts'
import { formatCount, type Output } from '../output.ts'

/** How a challenge ended, as the sidecar tells it. */
export const challengeEntry = z.object({
  challengeId: z.string(),
  kind: z.enum(['challenge', 'rehearsal']),
  node: z.string(),
  chunkId: z.string(),
  nonce: z.string(),
  issuedAtMs: z.number(),
  durationMs: z.number(),
  result: z.enum(['valid', 'invalid', 'notHeld', 'refused', 'noAnswer', 'busy', 'void', 'open']),
  reason: z.string(),
  drawSignature: z.string().optional(),
  isCandidate: z.boolean().optional(),
})
export type ChallengeEntry = z.infer<typeof challengeEntry>

export const RESULT_WORDS: { readonly [R in ChallengeEntry['result']]: string } = {
  valid: 'valid',
  invalid: 'invalid',
  notHeld: 'not held',
  refused: 'refused',
  noAnswer: 'no answer',
  busy: 'busy',
  void: 'void',
  open: 'open',
}

/** What ended without anything that was shown. */
const UNANSWERED: readonly ChallengeEntry['result'][] = ['noAnswer', 'void']
const SHOWN_DIGITS = 12
const MAX_LISTED = 1_000

/** What the running sidecar asked of others. */
export async function challengesList(
  context: Context,
  { limit }: { readonly limit: number },
  signal: AbortSignal,
): Promise<number> {
  const { output } = context
  const sidecar = await findSidecar(context.load().config, signal)
  const json = await callSidecar(sidecar, `/v1/challenges?limit=${Math.min(limit, MAX_LISTED)}`, { signal })
  const { challenges } = parseAnswer(z.object({ challenges: z.array(challengeEntry) }), json)
  for (const each of challenges) output.value(each)
  if (challenges.length === 0) {
    output.remark('No challenge was issued here yet.')
    return EXIT_CODES.ok.code
  }
  output.table(
    [
      ['issued', 'id', 'node', 'chunk', 'result', 'time'],
      ...challenges.map(({ issuedAtMs, challengeId, node, chunkId, result, durationMs }) => [
        new Date(issuedAtMs).toISOString(),
        challengeId.slice(0, SHOWN_DIGITS),
        node,
        chunkId.slice(0, SHOWN_DIGITS),
        RESULT_WORDS[result],
        `${durationMs} ms`,
      ]),
    ],
    [false, false, false, false, false, true],
  )
  const passed = challenges.filter(({ result }) => result === 'valid').length
  output.line(`${passed} of ${formatCount(challenges.length, 'challenge')} passed`)
  return EXIT_CODES.ok.code
}

export async function challengesShow(context: Context, id: string, signal: AbortSignal): Promise<number> {
  const { output } = context
  const sidecar = await findSidecar(context.load().config, signal)
  const json = await callSidecar(sidecar, `/v1/challenges/${encodeURIComponent(id)}`, { signal })
  const { challenge } = parseAnswer(z.object({ challenge: challengeEntry.nullable() }), json)
  if (challenge === null) {
    throw new ArchiveError('CLI_NOT_FOUND', `no challenge that was issued here begins with ${id}`)
  }
  output.value(challenge)
  showChallenge(output, challenge)
  return EXIT_CODES.ok.code
}

/** One row for each of its facts. */
export function showChallenge(output: Output, challenge: ChallengeEntry): void {
  const { challengeId, kind, node, chunkId, issuedAtMs, durationMs, result, reason } = challenge
  output.table([
    ['challenge', `${challengeId}${kind === 'rehearsal' ? ', a rehearsal: off chain' : ''}`],
    ['node', node],
    ['chunk', chunkId],
    ['issued', new Date(issuedAtMs).toISOString()],
    ...(result === 'open' ? [] : [[UNANSWERED.includes(result) ? 'over' : 'answered', `after ${durationMs} ms`]]),
    ['result', reason === '' ? RESULT_WORDS[result] : `${RESULT_WORDS[result]}: ${reason}`],
  ])
}
