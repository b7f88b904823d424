/*
 * What every refusal of the contract begins with. The code is stable and known to the TypeScript side; the text is not.
 */

export const NOT_CREATED = 'REGISTRY_NOT_CREATED: the constructor has not run';
export const NOT_DEPLOYING =
  'REGISTRY_NOT_DEPLOYING: only a deployment may call the constructor';
export const ALREADY_CREATED =
  'REGISTRY_ALREADY_CREATED: the constructor runs once';
export const ARGS_INVALID =
  'REGISTRY_ARGS_INVALID: arguments are truncated, too long or no valid encoding';
export const ADDRESS_INVALID = 'REGISTRY_ADDRESS_INVALID: not an address';
export const CONFIG_INVALID = 'REGISTRY_CONFIG_INVALID: out of bounds: ';
export const VERSION_UNKNOWN =
  'REGISTRY_VERSION_UNKNOWN: a record was written by other code than this';
export const PAUSED = 'REGISTRY_PAUSED: the registry is paused';
export const NOT_ADMIN = 'REGISTRY_NOT_ADMIN: only the admin may do this';
export const NOT_PENDING_ADMIN =
  'REGISTRY_NOT_PENDING_ADMIN: admin rights were not offered to the caller';
export const TOO_EARLY =
  'REGISTRY_TOO_EARLY: the announced delay has not passed';
export const CODE_INVALID = 'REGISTRY_CODE_INVALID: not wasm';
export const CHALLENGER_KNOWN =
  'REGISTRY_CHALLENGER_KNOWN: already a challenger';
export const CHALLENGER_UNKNOWN =
  'REGISTRY_CHALLENGER_UNKNOWN: not a challenger';
export const COINS_SHORT =
  'REGISTRY_COINS_SHORT: the coins sent do not cover stake and storage';
export const AMOUNT_ZERO = 'REGISTRY_AMOUNT_ZERO: no coins were sent';
export const CALLER_NOT_USER =
  'REGISTRY_CALLER_NOT_USER: only a user address can be a storage node';
export const NODE_EXISTS = 'REGISTRY_NODE_EXISTS: already registered';
export const NODE_UNKNOWN = 'REGISTRY_NODE_UNKNOWN: not registered';
export const NODE_LEAVING = 'REGISTRY_NODE_LEAVING: the node is leaving';
export const NODE_INACTIVE = 'REGISTRY_NODE_INACTIVE: the node is not active';
export const FULL = 'REGISTRY_FULL: no room for another node';
export const GB_OUT_OF_RANGE =
  'REGISTRY_GB_OUT_OF_RANGE: allocation below minimum or above maximum';
export const STAKE_LOW = 'REGISTRY_STAKE_LOW: stake below the required amount';
export const METADATA_INVALID =
  'REGISTRY_METADATA_INVALID: too many, too long or not printable';
export const CHALLENGES_OPEN =
  'REGISTRY_CHALLENGES_OPEN: open challenges must be resolved first';
export const UNBONDING = 'REGISTRY_UNBONDING: the stake is not unlocked yet';
export const NOTHING_TO_CLAIM = 'REGISTRY_NOTHING_TO_CLAIM: no vested rewards';
export const PERIOD_DISTRIBUTED =
  'REGISTRY_PERIOD_DISTRIBUTED: this or a later period was distributed';
export const PERIOD_NOT_OVER =
  'REGISTRY_PERIOD_NOT_OVER: the period is not over';
export const PERIOD_UNKNOWN = 'REGISTRY_PERIOD_UNKNOWN: no such record';
export const NOT_CHALLENGER = 'REGISTRY_NOT_CHALLENGER: only challengers issue';
export const CHALLENGE_ID_INVALID =
  'REGISTRY_CHALLENGE_ID_INVALID: 1 to 64 of [0-9A-Za-z_-]';
export const CHUNK_ID_INVALID =
  'REGISTRY_CHUNK_ID_INVALID: 64 lower-case hex digits';
export const CHALLENGE_EXISTS = 'REGISTRY_CHALLENGE_EXISTS: the id is taken';
export const CHALLENGE_UNKNOWN =
  'REGISTRY_CHALLENGE_UNKNOWN: no such challenge';
export const CHALLENGE_RESOLVED =
  'REGISTRY_CHALLENGE_RESOLVED: the challenge is resolved';
export const CHALLENGE_LATE =
  'REGISTRY_CHALLENGE_LATE: the deadline has passed';
export const AUDIT_OPEN =
  'REGISTRY_AUDIT_OPEN: another audit of the node is open';
export const AUDIT_FULL =
  'REGISTRY_AUDIT_FULL: the audit has all its challenges';
export const TOO_SOON =
  'REGISTRY_TOO_SOON: the interval since the last audit has not passed';
export const BATCH_INVALID =
  'REGISTRY_BATCH_INVALID: too few, too many or unequal numbers of items';
export const EVIDENCE_INVALID =
  'REGISTRY_EVIDENCE_INVALID: the evidence does not lead to the anchored roots';
export const ERA_UNKNOWN = 'REGISTRY_ERA_UNKNOWN: the era is not anchored';
export const PLACEMENT_AGE =
  'REGISTRY_PLACEMENT_AGE: the placement is too young, too old or older than the node';
export const NOT_HOLDER =
  'REGISTRY_NOT_HOLDER: the placement gives the chunk to other nodes';
export const SIGNATURE_INVALID =
  'REGISTRY_SIGNATURE_INVALID: not a valid signature of the text';
export const KEY_MISMATCH =
  'REGISTRY_KEY_MISMATCH: the key is not that of the challenged node';
export const PROOF_SHAPE =
  'REGISTRY_PROOF_SHAPE: the proof has not the length that the challenge asks for';
export const NOTHING_EXPIRED =
  'REGISTRY_NOTHING_EXPIRED: none of the challenges is open and expired';
export const ERA_TOO_EARLY =
  'REGISTRY_ERA_TOO_EARLY: the era lies before the first one of the registry';
export const ERA_NOT_OVER = 'REGISTRY_ERA_NOT_OVER: the era is not over';
export const ERA_TOTALS = 'REGISTRY_ERA_TOTALS: bytes or chunks out of range';
export const ERA_ANCHORED = 'REGISTRY_ERA_ANCHORED: the era is anchored';
export const NO_VOTERS = 'REGISTRY_NO_VOTERS: no node has a vote in this era';
export const NO_VOTES = 'REGISTRY_NO_VOTES: no signature counts';
export const SIGNATURES_UNSORTED =
  'REGISTRY_SIGNATURES_UNSORTED: signatures must ascend by registry index';
export const VOTES_COUNTED =
  'REGISTRY_VOTES_COUNTED: every signature that counts was counted before';
export const KIND_UNKNOWN = 'REGISTRY_KIND_UNKNOWN: no such kind of record';
export const NOTHING_PRUNED =
  'REGISTRY_NOTHING_PRUNED: none of the records may be pruned now';
export const LIMIT_INVALID = 'REGISTRY_LIMIT_INVALID: limit must be 1 to 50';
