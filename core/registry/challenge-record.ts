import { ArgsReader, u8 } from './args.ts'
import { CHALLENGE_OUTCOMES, type ChallengeOutcome } from './views.ts'

const RECORD_VERSION = 1
const RECORD_BYTES = 176
/** Behind version, two padded addresses of 54, chunk id, nonce, period and deadline, two flags and the samples. */
const OUTCOME_AT = 1 + 54 + 32 + 3 * 8 + 2 + 54 + 4

/** Key of the record of a challenge in the registry's datastore. */
export function challengeRecordKey(challengeId: string): string {
  return `chal_${challengeId}`
}

/**
 * How a challenge ended, of its record (docs/CONTRACT.md, Records): the final one is in no view, which run on the candidate
 * state.
 *
 * @throws ArchiveError CORE_BYTES_INVALID for a record of another version or length
 */
export function readChallengeOutcome(record: Uint8Array): ChallengeOutcome {
  const reader = new ArgsReader(record)
  if (record.length !== RECORD_BYTES) throw reader.error(`a record of ${record.length} bytes, not ${RECORD_BYTES}`)
  const version = u8.read(reader)
  if (version !== RECORD_VERSION) throw reader.error(`a record of version ${version}`)
  const outcome = CHALLENGE_OUTCOMES[record[OUTCOME_AT] ?? CHALLENGE_OUTCOMES.length]
  if (outcome === undefined) throw reader.error('no outcome of a challenge')
  return outcome
}
