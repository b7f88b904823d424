import { ByteWriter } from './codec';

/*
 * Every datastore key. All records but `admin`, `padmin` and `total_nodes` begin with a version byte.
 */

/** Address text. */
export const ADMIN_KEY = 'admin';
/** Address text of the admin to be. */
export const PENDING_ADMIN_KEY = 'padmin';
/** StorageConfig */
export const CONFIG_KEY = 'config';
/** Announcement of a config */
export const PENDING_CONFIG_KEY = 'pconfig';
/** Announcement of a bytecode */
export const PENDING_CODE_KEY = 'pcode';
/** u64 little endian */
export const TOTAL_NODES_KEY = 'total_nodes';
/** RegistryState */
export const STATE_KEY = 'state';
/** node_{address} -> StorageNode */
export const NODE_PREFIX = 'node_';
/** nidx_ || u64 big endian -> address: nodes in order of registration, holes filled by the last */
export const NODE_INDEX_PREFIX = 'nidx_';
/** meta_{address} -> NodeMetadata */
export const METADATA_PREFIX = 'meta_';
/** chlr_{address} -> period in which the challenger was added */
export const CHALLENGER_PREFIX = 'chlr_';
/** chal_{id} -> Challenge */
export const CHALLENGE_PREFIX = 'chal_';
/** period_{num} -> PeriodStats */
export const PERIOD_PREFIX = 'period_';
/** era_{num} -> EraAnchor */
export const ERA_PREFIX = 'era_';
/** vote_{era}_{16 hex} -> EraVote, vote_{era}_{16 hex}_{page} -> VotePage */
export const VOTE_PREFIX = 'vote_';

/** The bytes of an ASCII key. */
export function textKey(prefix: string, rest: string = ''): StaticArray<u8> {
  return new ByteWriter(prefix.length + rest.length).ascii(prefix).ascii(rest)
    .bytes;
}

export function nodeKey(address: string): StaticArray<u8> {
  return textKey(NODE_PREFIX, address);
}

export function nodeIndexKey(index: u64): StaticArray<u8> {
  return new ByteWriter(NODE_INDEX_PREFIX.length + 8)
    .ascii(NODE_INDEX_PREFIX)
    .u64Big(index).bytes;
}

export function metadataKey(address: string): StaticArray<u8> {
  return textKey(METADATA_PREFIX, address);
}

export function challengerKey(address: string): StaticArray<u8> {
  return textKey(CHALLENGER_PREFIX, address);
}

export function challengeKey(id: string): StaticArray<u8> {
  return textKey(CHALLENGE_PREFIX, id);
}

export function periodKey(period: u64): StaticArray<u8> {
  return textKey(PERIOD_PREFIX, period.toString());
}

export function eraKey(era: u64): StaticArray<u8> {
  return textKey(ERA_PREFIX, era.toString());
}

/** @param digest - first 16 hex digits of what was signed */
export function nameVote(era: u64, digest: string): string {
  return era.toString() + '_' + digest;
}

export function voteKey(voteName: string): StaticArray<u8> {
  return textKey(VOTE_PREFIX, voteName);
}

export function votePageKey(voteName: string, page: u64): StaticArray<u8> {
  return textKey(VOTE_PREFIX, voteName + '_' + page.toString());
}
