import type { ErrorEntry } from './error-entry.ts'

/** chain: operations and reads through a massa-node's JSON-RPC. */
export const CHAIN_CODES = {
  CHAIN_URL_MISSING: {
    kind: 'input',
    when: 'Something is asked of the chain and no JSON-RPC address of a massa-node is configured.',
    action: 'Set `contract.json_rpc_url`, such as "http://127.0.0.1:33035".',
  },
  CHAIN_NODE_UNREACHABLE: {
    kind: 'transient',
    when: 'The massa-node does not answer at its JSON-RPC address, or not within the deadline.',
    action:
      'Check that the node runs and that `contract.json_rpc_url` is its public JSON-RPC address (default port 33035).',
  },
  CHAIN_NODE_REFUSED: {
    kind: 'permanent',
    when: 'The massa-node answers a request with an error.',
    action: 'Read the text of the node in the message.',
  },
  CHAIN_ANSWER_INVALID: {
    kind: 'permanent',
    when: 'The massa-node or the contract answers something that is not of the expected shape.',
    action: 'Check that `contract.json_rpc_url` is a massa-node and `storage_registry_address` a storage-registry.',
  },
  CHAIN_NETWORK_MISMATCH: {
    kind: 'input',
    when: 'The massa-node is on another network than the configuration says.',
    action: 'Correct `contract.json_rpc_url` or `node.chain_id`.',
  },
  CHAIN_KEY_MISSING: {
    kind: 'input',
    when: 'Something is to be signed and no key is configured.',
    action:
      'Make one with `massa-storage wallet create` or `wallet import`, or set `contract.key_file` to a wallet file or a file that holds a secret key (S1...), or MASSA_STORAGE_SECRET_KEY in the environment.',
  },
  CHAIN_PEERS_OFF: {
    kind: 'input',
    when: 'A registry is configured and sidecars are not to meet: nothing is proven and nothing earned.',
    action: 'Set `p2p.enabled = true` below [distributed_storage] and start it again.',
  },
  CHAIN_KEY_INVALID: {
    kind: 'input',
    when: 'The key of the file, of MASSA_STORAGE_SECRET_KEY or of the terminal is neither a Massa secret key nor a wallet file, or others may read its file.',
    action: 'Correct what the message names; a file with a bare key must have mode 600.',
  },
  CHAIN_BALANCE_SHORT: {
    kind: 'input',
    when: 'The account does not hold the coins that an operation may spend.',
    action: 'Send coins to the address that the message names.',
  },
  CHAIN_WALLET_LOW: {
    kind: 'input',
    when: 'The wallet of a sidecar holds less than `contract.min_balance_nano_mas`: what is left is for the fees of proofs.',
    action: 'Send coins to the address that the message names, or lower `contract.min_balance_nano_mas`.',
  },
  CHAIN_FEE_TOO_HIGH: {
    kind: 'input',
    when: 'The fee that the massa-node asks for, or the configured one, is above `contract.max_fee_nano_mas`; nothing was sent.',
    action: 'Check the massa-node; raise `contract.max_fee_nano_mas` if you mean to pay that much.',
  },
  CHAIN_QUOTE_EXCEEDED: {
    kind: 'input',
    when: 'Between the question and the signature an operation became dearer than what was confirmed; nothing was sent.',
    action: 'Run the command again to be asked anew.',
  },
  CHAIN_OPERATION_EXPIRED: {
    kind: 'transient',
    when: 'An operation was in no block before it expired, and the account holds what it held before: nothing was spent.',
    action: 'Run the command again, with a higher `contract.fee_nano_mas` if blocks are full.',
  },
  CHAIN_OPERATION_FAILED: {
    kind: 'permanent',
    when: 'An operation was executed and failed for a reason that the contract has no code for; the fee is spent.',
    action: 'Read the text of the node in the message.',
  },
  CHAIN_TRIAL_FAILED: {
    kind: 'input',
    when: 'A trial run of a call on the massa-node failed for a reason that the contract has no code for; nothing was sent.',
    action: 'Read the text of the node in the message; check `storage_registry_address`.',
  },
  CHAIN_OUTCOME_UNKNOWN: {
    kind: 'transient',
    when: 'An operation was sent, and what became of it could not be learned in time.',
    action:
      'Look for the operation id in an explorer or with `massa-storage inspect operation ID` before sending it again; `contract deploy` looks by itself when it is run again.',
  },
  CHAIN_EVIDENCE_UNANCHORED: {
    kind: 'transient',
    when: 'The registry requires anchors, and the era of a chunk, or each placement that a challenge may refer to now, is not anchored; no challenge was issued.',
    action: 'Wait until it is: `massa-storage eras list` tells. What lies before the registry is never anchored.',
  },
  CHAIN_EVIDENCE_PLACEMENT_UNKNOWN: {
    kind: 'transient',
    when: 'The registry requires anchors, and of no anchored placement that a challenge may refer to now is it known here who held what: the sidecar did not run in its era, or could not read the registry. No challenge was issued.',
    action:
      'Nothing to do but keep it running: placements that it reads from now on may be referred to one `placementLagEras` later.',
  },
  CHAIN_EVIDENCE_CHUNK_UNKNOWN: {
    kind: 'input',
    when: 'The registry requires anchors, and no period that is archived here has the chunk of a challenge: nothing shows that it exists.',
    action: 'Take a chunk that `massa-storage list-chunks` names.',
  },
  CHAIN_EVIDENCE_ERA_INCOMPLETE: {
    kind: 'transient',
    when: 'The registry requires anchors, and periods of the era of a chunk are not archived here: what leads from the chunk to the anchored root is not known.',
    action:
      'Wait until gaps are filled, or challenge for a chunk of an era that is whole here: `massa-storage eras list` tells.',
  },
  CHAIN_EVIDENCE_DIFFERS: {
    kind: 'permanent',
    when: 'What is archived here of the era of a chunk, or what was read here of the registry, does not lead to what is anchored. No challenge was issued.',
    action: 'Run `massa-storage eras verify` for the era of the chunk.',
  },
} as const satisfies Record<`CHAIN_${string}`, ErrorEntry>
