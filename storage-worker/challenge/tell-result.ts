import type { Logger } from '../../telemetry/index.ts'
import type { ChallengeEntry, ChallengeHistory } from './challenge-history.ts'

/** Says what a challenge showed, in the words of the seed (telemetry/human-format.ts). */
export async function tellResult(
  { kind, node, chunkId: chunk, result }: ChallengeEntry,
  history: Pick<ChallengeHistory, 'rateOf'>,
  log: Logger,
): Promise<void> {
  if (result === 'valid' || result === 'invalid') log.info({ node, result }, 'proof received')
  else log.warn({ node, chunk, result }, 'no proof received')
  if (result === 'busy' || result === 'void') return
  const { passed, total } = await history.rateOf(node, kind)
  log.info({ node, passed, total }, 'success rate updated')
}
