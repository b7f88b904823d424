import { deleteRecord, hasRecord, readRecord } from '../datastore';
import { BATCH_INVALID, KIND_UNKNOWN, NOTHING_PRUNED } from '../errors';
import {
  CHALLENGE_PREFIX,
  PERIOD_PREFIX,
  VOTE_PREFIX,
  textKey,
} from '../storage-keys';
import { Challenge, MAX_ID_CHARS } from '../structs/Challenge';
import { EraVote } from '../structs/EraVote';
import { PeriodStats } from '../structs/PeriodStats';
import { PAGE_BYTES, readPageEra } from '../structs/VotePage';
import { Call, ERA_PERIODS } from './call';
import { emit } from './events';

const KIND_CHALLENGE: u8 = 0;
const KIND_PERIOD: u8 = 1;
const KIND_VOTE: u8 = 2;
export const MAX_PRUNED = 20;

/** Deletes old records; what their storage cost goes to the caller. Ids that do not qualify are skipped. */
export function _prune(call: Call, kind: u8, ids: string[]): void {
  assert(kind <= KIND_VOTE, KIND_UNKNOWN);
  assert(ids.length >= 1 && ids.length <= MAX_PRUNED, BATCH_INVALID);
  let count = 0;
  for (let i = 0; i < ids.length; i++) {
    if (ids[i].length > MAX_ID_CHARS) continue;
    const key = textKey(prefixOf(kind), ids[i]);
    if (!hasRecord(key)) continue;
    if (!isPrunable(call, kind, ids[i], readRecord(key))) continue;
    deleteRecord(key);
    count++;
  }
  assert(count > 0, NOTHING_PRUNED);
  emit('RECORDS_PRUNED', [kind.toString(), count.toString()]);
}

function prefixOf(kind: u8): string {
  if (kind == KIND_CHALLENGE) return CHALLENGE_PREFIX;
  return kind == KIND_PERIOD ? PERIOD_PREFIX : VOTE_PREFIX;
}

/** The issuer of a challenge after one retention, anybody and any record after two. */
function isPrunable(
  call: Call,
  kind: u8,
  id: string,
  record: StaticArray<u8>,
): bool {
  const retention = call.config.recordRetentionPeriods;
  if (kind == KIND_CHALLENGE) {
    const challenge = Challenge.deserialize(id, record);
    const own = challenge.issuer == call.caller;
    const age = own ? retention : 2 * retention;
    return challenge.resolved && challenge.issuedPeriod + age < call.period;
  }
  if (kind == KIND_PERIOD) {
    const period = PeriodStats.deserialize(record).period;
    return period + 2 * retention < call.period;
  }
  // Votes and their pages share a prefix, and nothing but the size tells them apart.
  const era =
    record.length == PAGE_BYTES
      ? readPageEra(record)
      : EraVote.deserialize(record).snapshotEra;
  return era < call.era && era * ERA_PERIODS + 2 * retention < call.period;
}
