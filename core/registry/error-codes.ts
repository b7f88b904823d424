import type { ErrorEntry } from '../error-codes/error-entry.ts'

/** What the registry refuses a call with: its messages begin with these codes (massa-storage-sc/assembly/errors.ts). */
export const REGISTRY_ERROR_CODES = {
  REGISTRY_NOT_CREATED: {
    kind: 'input',
    when: 'A contract at this address has not been constructed as a registry.',
    action: 'Check the address; deploy with `massa-storage contract deploy`.',
  },
  REGISTRY_NOT_DEPLOYING: {
    kind: 'input',
    when: 'The constructor of a registry is called after its deployment.',
    action: 'Nothing to do: only a deployment may call it.',
  },
  REGISTRY_ALREADY_CREATED: {
    kind: 'input',
    when: 'The constructor of a registry is called twice.',
    action: 'Nothing to do: it runs once.',
  },
  REGISTRY_ARGS_INVALID: {
    kind: 'input',
    when: 'Arguments of a registry call are truncated, too long, out of range or no valid encoding.',
    action: 'Use the client of the same release as the registry; the message names what is wrong.',
  },
  REGISTRY_ADDRESS_INVALID: {
    kind: 'input',
    when: 'An argument of a registry call is not an address.',
    action: 'Check that the address was copied whole.',
  },
  REGISTRY_CONFIG_INVALID: {
    kind: 'input',
    when: 'A setting of the registry is out of its bounds, or would loosen what may only get stricter.',
    action: 'Use a value as the message says; docs/CONTRACT.md lists the bounds.',
  },
  REGISTRY_VERSION_UNKNOWN: {
    kind: 'permanent',
    when: 'A record of the registry was written by other code than the one that reads it.',
    action: 'Upgrade the contract to a release that reads it.',
  },
  REGISTRY_MAINNET_REFUSED: {
    kind: 'input',
    when: 'A registry with settings that are unsafe where coins have value would be deployed on mainnet.',
    action:
      'In the file of the registry settings, set `require_anchors = true` and what goes with it, `stake_per_gb` and `max_reward_per_period`.',
  },
  REGISTRY_PAUSED: {
    kind: 'transient',
    when: 'The registry is paused by its admin.',
    action: 'Wait until the pause ends; leaving, proving and claiming go on.',
  },
  REGISTRY_NOT_ADMIN: {
    kind: 'input',
    when: 'Somebody else than its admin calls an admin function of the registry.',
    action: 'Use the key of the admin: `massa-storage contract show` names it.',
  },
  REGISTRY_NOT_PENDING_ADMIN: {
    kind: 'input',
    when: 'Admin rights are accepted by an address they were not offered to.',
    action: 'Let the admin offer them with `transferAdmin`.',
  },
  REGISTRY_TOO_EARLY: {
    kind: 'transient',
    when: 'An announced change of the registry is applied before its delay has passed.',
    action: 'Wait for the period that `massa-storage contract show` names.',
  },
  REGISTRY_CODE_INVALID: {
    kind: 'input',
    when: 'The new code of the registry is not WebAssembly.',
    action: 'Name a file that `npm run build` of massa-storage-sc made.',
  },
  REGISTRY_CHALLENGER_KNOWN: {
    kind: 'input',
    when: 'An address is made a challenger twice.',
    action: 'Nothing to do.',
  },
  REGISTRY_CHALLENGER_UNKNOWN: {
    kind: 'input',
    when: 'An address that is no challenger is removed from the challengers.',
    action: 'Check the address.',
  },
  REGISTRY_COINS_SHORT: {
    kind: 'input',
    when: 'The coins sent with a registry call do not cover stake and storage.',
    action: 'Send more coins; what is not used comes back.',
  },
  REGISTRY_AMOUNT_ZERO: {
    kind: 'input',
    when: 'A registry call that adds coins is sent without any.',
    action: 'Send coins with the call.',
  },
  REGISTRY_CALLER_NOT_USER: {
    kind: 'input',
    when: 'A contract registers as storage node.',
    action: 'Register with a user address (AU...).',
  },
  REGISTRY_NODE_EXISTS: {
    kind: 'input',
    when: 'An address registers as storage node twice.',
    action: 'Use `updateStorageAllocation` to change what it offers.',
  },
  REGISTRY_NODE_UNKNOWN: {
    kind: 'input',
    when: 'An address is not registered as storage node.',
    action: 'Register it first: `massa-storage register`.',
  },
  REGISTRY_NODE_LEAVING: {
    kind: 'input',
    when: 'A storage node that is leaving cannot change.',
    action: 'Withdraw with `massa-storage unregister` when its unbonding is over, then register again.',
  },
  REGISTRY_NODE_INACTIVE: {
    kind: 'input',
    when: 'A storage node that is not active is challenged.',
    action: 'Choose another node.',
  },
  REGISTRY_FULL: {
    kind: 'transient',
    when: 'The registry has as many nodes as it takes.',
    action: 'Wait until a node leaves, or the admin raises `max_nodes`.',
  },
  REGISTRY_GB_OUT_OF_RANGE: {
    kind: 'input',
    when: 'An allocation is below the minimum or above the maximum of the registry.',
    action: 'Offer an amount within the bounds that `massa-storage contract show` names.',
  },
  REGISTRY_STAKE_LOW: {
    kind: 'input',
    when: 'The stake is below what the registry requires for the allocation.',
    action:
      'Send more coins, or offer less; who is registered tops up with `massa-storage contract call storage_registry topUpStake --coins MAS`.',
  },
  REGISTRY_METADATA_INVALID: {
    kind: 'input',
    when: 'The metadata of a node has too many, too long or unprintable texts.',
    action: 'Shorten them: at most 8 addresses of 128, endpoint 256, location and operator 64 printable characters.',
  },
  REGISTRY_CHALLENGES_OPEN: {
    kind: 'transient',
    when: 'A node withdraws while challenges are open.',
    action: 'Wait until they are answered or expired, and resolve them.',
  },
  REGISTRY_UNBONDING: {
    kind: 'transient',
    when: 'A node withdraws before its stake is unlocked.',
    action: 'Wait for the unlock period of the node.',
  },
  REGISTRY_NOTHING_TO_CLAIM: {
    kind: 'input',
    when: 'A node claims and has no vested rewards.',
    action: 'Rewards vest when an audit closes.',
  },
  REGISTRY_PERIOD_DISTRIBUTED: {
    kind: 'input',
    when: 'Rewards of this or a later period were distributed before.',
    action: 'Nothing to do.',
  },
  REGISTRY_PERIOD_NOT_OVER: {
    kind: 'transient',
    when: 'Rewards are distributed for a period that is not over.',
    action: 'Wait until it is.',
  },
  REGISTRY_PERIOD_UNKNOWN: {
    kind: 'input',
    when: 'The registry has no record of a period.',
    action: 'Nothing was issued or distributed in it, or it was pruned.',
  },
  REGISTRY_NOT_CHALLENGER: {
    kind: 'input',
    when: 'Somebody who is no challenger issues a challenge.',
    action: 'Ask the admin to add the address.',
  },
  REGISTRY_CHALLENGE_ID_INVALID: {
    kind: 'input',
    when: 'The id of a challenge is not 1 to 64 of [0-9A-Za-z_-].',
    action: 'Use such an id.',
  },
  REGISTRY_CHUNK_ID_INVALID: {
    kind: 'input',
    when: 'The id of a chunk is not 64 lower-case hex digits.',
    action: 'Use the whole id.',
  },
  REGISTRY_CHALLENGE_EXISTS: {
    kind: 'input',
    when: 'The id of a challenge is taken.',
    action: 'Use another id.',
  },
  REGISTRY_CHALLENGE_UNKNOWN: {
    kind: 'input',
    when: 'The registry has no challenge of this id.',
    action: 'Check the id; it may have been pruned.',
  },
  REGISTRY_CHALLENGE_RESOLVED: {
    kind: 'input',
    when: 'A challenge is answered that is resolved.',
    action: 'Nothing to do.',
  },
  REGISTRY_CHALLENGE_LATE: {
    kind: 'permanent',
    when: 'A challenge is answered after its deadline.',
    action: 'Check clock, disk and connection: it counts as missed.',
  },
  REGISTRY_AUDIT_OPEN: {
    kind: 'transient',
    when: 'A node is challenged while another audit of it is open.',
    action: 'Try again when that audit is closed.',
  },
  REGISTRY_AUDIT_FULL: {
    kind: 'transient',
    when: 'An audit has all the challenges it may have.',
    action: 'Open another audit later.',
  },
  REGISTRY_TOO_SOON: {
    kind: 'transient',
    when: 'A node is challenged before the interval since its last audit has passed.',
    action: 'Try again later.',
  },
  REGISTRY_BATCH_INVALID: {
    kind: 'input',
    when: 'A registry call holds too few, too many or unequal numbers of items.',
    action: 'Send 1 to 8 (signatures of an era: 1 to 100, records to prune: 1 to 20).',
  },
  REGISTRY_EVIDENCE_INVALID: {
    kind: 'input',
    when: 'The evidence of a challenge does not lead to the anchored roots.',
    action: 'Make the evidence again from the archive.',
  },
  REGISTRY_ERA_UNKNOWN: {
    kind: 'input',
    when: 'An era is not anchored in the registry.',
    action: 'Wait until it is, or choose another.',
  },
  REGISTRY_PLACEMENT_AGE: {
    kind: 'input',
    when: 'The placement that a challenge refers to is too young, too old, or not later than the era in which the node registered.',
    action:
      'Use a placement within the lag that the registry is set to, of an era after the one in which the node registered.',
  },
  REGISTRY_NOT_HOLDER: {
    kind: 'input',
    when: 'The placement gives the challenged chunk to other nodes.',
    action: 'Challenge a holder of the chunk: `massa-storage chunk assign CHUNK` names them.',
  },
  REGISTRY_SIGNATURE_INVALID: {
    kind: 'input',
    when: 'A signature given to the registry is not one of the text it should sign.',
    action: 'Sign again with the key of the node, for this chain and this registry.',
  },
  REGISTRY_KEY_MISMATCH: {
    kind: 'input',
    when: 'A proof is signed by another key than that of the challenged node.',
    action: 'Sign with the key of the node.',
  },
  REGISTRY_PROOF_SHAPE: {
    kind: 'input',
    when: 'A proof has not the length that its challenge asks for.',
    action: 'Make the proof again from the challenge as the registry has it.',
  },
  REGISTRY_NOTHING_EXPIRED: {
    kind: 'input',
    when: 'None of the named challenges is open and expired.',
    action: 'Nothing to do.',
  },
  REGISTRY_ERA_TOO_EARLY: {
    kind: 'input',
    when: 'An era before the first one of the registry is anchored.',
    action: 'Start with the first era after its deployment.',
  },
  REGISTRY_ERA_NOT_OVER: {
    kind: 'transient',
    when: 'An era is anchored before it is over.',
    action: 'Wait until 8 periods after its end.',
  },
  REGISTRY_ERA_TOTALS: {
    kind: 'input',
    when: 'Bytes or chunks of an era are out of range.',
    action: 'Compute them again from the archive.',
  },
  REGISTRY_ERA_ANCHORED: {
    kind: 'input',
    when: 'An era is anchored twice.',
    action: 'Nothing to do.',
  },
  REGISTRY_NO_VOTERS: {
    kind: 'transient',
    when: 'No node has a vote in this era.',
    action: 'Wait for the era after the one in which a node that keeps for ever has staked.',
  },
  REGISTRY_NO_VOTES: {
    kind: 'input',
    when: 'None of the signatures of an era counts.',
    action: 'Collect signatures of registered nodes that have not voted.',
  },
  REGISTRY_SIGNATURES_UNSORTED: {
    kind: 'input',
    when: 'Signatures of an era do not ascend by registry index.',
    action: 'Sort them by the index of their nodes, each once.',
  },
  REGISTRY_VOTES_COUNTED: {
    kind: 'input',
    when: 'All signatures of an era that count were counted before.',
    action: 'Nothing to do for these; collect signatures of other nodes.',
  },
  REGISTRY_KIND_UNKNOWN: {
    kind: 'input',
    when: 'Records of a kind that does not exist are pruned.',
    action: 'Use challenge, period or vote.',
  },
  REGISTRY_NOTHING_PRUNED: {
    kind: 'input',
    when: 'None of the named records may be pruned now.',
    action: 'Try again when they are old enough.',
  },
  REGISTRY_LIMIT_INVALID: {
    kind: 'input',
    when: 'A page of nodes has no size from 1 to 50.',
    action: 'Ask for 1 to 50.',
  },
} as const satisfies Record<`REGISTRY_${string}`, ErrorEntry>

export type RegistryErrorCode = keyof typeof REGISTRY_ERROR_CODES
