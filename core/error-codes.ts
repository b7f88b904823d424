import { REGISTRY_ERROR_CODES } from './registry/error-codes.ts'

/** What kind of failure a code stands for: it decides exit code, stack trace and retry. */
export type ErrorKind = 'input' | 'transient' | 'permanent' | 'bug'

interface ErrorEntry {
  readonly kind: ErrorKind
  /** When it happens, as one sentence. */
  readonly when: string
  /** What whoever sees it should do. */
  readonly action: string
}

/**
 * Every error this software can raise. Codes are stable, messages are not.
 * `docs/ERRORS.md` is generated from this table.
 */
export const ERROR_CODES = {
  // core: bytes, ids, proofs
  CORE_BASE58_INVALID: {
    kind: 'input',
    when: 'A text is not base58check of the expected length and prefix.',
    action: 'Check that the id was copied whole.',
  },
  CORE_VARINT_INVALID: {
    kind: 'input',
    when: 'A variable-length integer is truncated, not minimal or too large.',
    action: 'The bytes are not canonical Massa bytes; fetch them again from another source.',
  },
  CORE_BYTES_INVALID: {
    kind: 'input',
    when: 'Bytes are not the canonical form of what they should be (truncated, trailing byte, unknown kind, count over its limit).',
    action: 'Fetch the bytes again from another source.',
  },
  CORE_PROTOBUF_INVALID: {
    kind: 'input',
    when: 'A protobuf message of a node lacks a field or holds a value outside its range.',
    action: 'Check the version of the massa-node; report the message if the version is supported.',
  },
  CORE_BODY_INVALID: {
    kind: 'input',
    when: 'Bytes are not a BODY of format 1.',
    action: 'Run `massa-storage verify --repair`, or fetch the period from another archive.',
  },
  CORE_SEALS_INVALID: {
    kind: 'input',
    when: 'Bytes are not the SEALS that belong to a BODY.',
    action: 'Run `massa-storage verify --repair`, or fetch the period from another archive.',
  },
  CORE_MANIFEST_INVALID: {
    kind: 'input',
    when: 'Bytes are not a manifest of version 1, or its numbers contradict each other.',
    action: 'Run `massa-storage verify --repair`, or fetch the manifest from another archive.',
  },
  CORE_MERKLE_PROOF_INVALID: {
    kind: 'input',
    when: 'A Merkle proof has the wrong length or does not lead to the root.',
    action: 'Do not use the data; fetch it from another source.',
  },
  CORE_PROOF_INVALID: {
    kind: 'input',
    when: 'A storage proof has the wrong shape, or its leaves do not lead to the chunk id.',
    action: 'The prover does not hold the chunk, or the proof was damaged on its way.',
  },
  CORE_EVIDENCE_INVALID: {
    kind: 'input',
    when: 'Evidence for a challenge does not lead from chunk and node to anchored roots.',
    action: 'Make the evidence again from an archive that holds the era, or challenge another node.',
  },
  CORE_SIGNATURE_INVALID: {
    kind: 'input',
    when: 'A signature argument is not a public key and a signature with a colon between them.',
    action: 'Do not use the statement; ask for it again from its signer.',
  },
  CORE_NUMBER_OUT_OF_RANGE: {
    kind: 'input',
    when: 'A number is outside the range of its type.',
    action: 'Use a value within the range that the message names.',
  },
  CORE_CHUNK_SIZE_INVALID: {
    kind: 'input',
    when: 'A chunk size is not a positive multiple of 1,024 bytes up to 1,048,576.',
    action: 'Use 1048576, or for a private network a smaller multiple of 1024.',
  },

  // config: what the operator wrote
  CONFIG_FILE_MISSING: {
    kind: 'input',
    when: 'The configuration file that was named does not exist or cannot be read.',
    action: 'Check the path, or write a file with `massa-storage config init`.',
  },
  CONFIG_PARAMS_MISSING: {
    kind: 'input',
    when: 'The file with settings of a registry that was named does not exist or cannot be read.',
    action: 'Check the path; `config/base_registry.toml` of the package shows every setting.',
  },
  CONFIG_FILE_EXISTS: {
    kind: 'input',
    when: '`config init` would overwrite a file.',
    action: 'Name another file, or use `--force` to replace it.',
  },
  CONFIG_FILE_UNWRITABLE: {
    kind: 'input',
    when: '`config init` cannot write the file, or `contract deploy` cannot write the address into it.',
    action: 'Check that the folder may be written and that the disk has space; read the message.',
  },
  CONFIG_SYNTAX: {
    kind: 'input',
    when: 'A configuration file or a value is not TOML.',
    action: 'Correct the line that the message names.',
  },
  CONFIG_VALUE_INVALID: {
    kind: 'input',
    when: 'A setting in a file, an environment variable or a flag has a value that is not allowed.',
    action: 'Use a value as the message says; docs/CONFIG.md lists them all.',
  },
  CONFIG_KEY_UNKNOWN: {
    kind: 'input',
    when: 'A file, an environment variable or a flag names a setting that does not exist.',
    action: 'Correct the name as the message says, or remove it; docs/CONFIG.md lists them all.',
  },

  // archiver: following a node
  ARCHIVER_NODE_UNREACHABLE: {
    kind: 'transient',
    when: 'A massa-node does not answer, or not within the deadline.',
    action: 'Check that the node runs and that `grpc_urls` has its public gRPC address (default port 33037).',
  },
  ARCHIVER_NODE_REFUSED: {
    kind: 'transient',
    when: 'A massa-node answers a call with an error.',
    action: 'Read the text of the node in the context; check its version.',
  },
  ARCHIVER_MESSAGE_TOO_LARGE: {
    kind: 'permanent',
    when: 'A message of a node is larger than 64 MiB.',
    action: 'The node is broken or hostile: use another one.',
  },
  ARCHIVER_NETWORK_MISMATCH: {
    kind: 'permanent',
    when: 'The node is on another network (chain id or genesis timestamp) than the archive or the configuration.',
    action: 'Point `grpc_urls` at a node of the right network, or use another `data_dir`.',
  },
  ARCHIVER_BLOCK_ID_MISMATCH: {
    kind: 'permanent',
    when: 'The bytes of a block do not hash to the id under which the node gave it.',
    action: 'The node is broken or hostile, or the network was upgraded: see `massa-storage status`, quarantine.',
  },
  ARCHIVER_BLOCK_UNPARSABLE: {
    kind: 'permanent',
    when: 'A block has a version, kind or field that this release does not know.',
    action: 'Upgrade massa-storage: the raw bytes wait in quarantine and are tried again at every start.',
  },
  ARCHIVER_SIGNATURE_INVALID: {
    kind: 'permanent',
    when: 'The signature of a block header or operation does not verify.',
    action: 'The block is refetched from other nodes; if it is final it waits in quarantine.',
  },
  ARCHIVER_OPERATIONS_MISMATCH: {
    kind: 'permanent',
    when: 'The operations that a node gives for a block are missing, extra, swapped or do not hash to the ids of the header.',
    action: 'The block is refetched; if it keeps failing, use another node.',
  },
  ARCHIVER_ENDORSEMENT_MISMATCH: {
    kind: 'permanent',
    when: 'An endorsement shown in a header names another slot or block than the header implies.',
    action: 'The block is refetched; if it keeps failing, use another node.',
  },
  ARCHIVER_PARENT_LINK_BROKEN: {
    kind: 'permanent',
    when: 'A node calls a block final although it contradicts the parent chain of its thread.',
    action: 'The node is broken or hostile: use another one.',
  },
  ARCHIVER_NODE_CONFLICT: {
    kind: 'permanent',
    when: 'Configured nodes name different final blocks for one slot and no strict majority of at least three agrees.',
    action: 'Nothing from that slot on is archived until they agree: find out which node is on a fork and remove it.',
  },
  ARCHIVER_CHAIN_REPLACED: {
    kind: 'permanent',
    when: 'A node names another final block for a slot that is archived.',
    action: 'The node follows another chain: check it; the archive was not changed.',
  },
  ARCHIVER_CHAIN_RESTARTED: {
    kind: 'permanent',
    when: 'A final block descends from a genesis block of a restart that is not configured.',
    action: 'Add the restart to `chain_restarts`; blocks are kept in the spool meanwhile.',
  },
  ARCHIVER_STREAM_SILENT: {
    kind: 'transient',
    when: 'The streams of a node say nothing while its final slot moves.',
    action:
      'Set `enable_broadcast = true` under `[api]` in the config of the massa-node; archiving goes on by polling.',
  },
  ARCHIVER_EXECUTION_UNREPORTED: {
    kind: 'transient',
    when: 'A period was archived without the execution results of some of its slots: no node gave them in time.',
    action:
      'Blocks and roots are whole. Check that the node answers `QueryState` and `GetScExecutionEvents`; what came late is not kept.',
  },
  ARCHIVER_SLOT_UNNAMED: {
    kind: 'transient',
    when: 'For a minute a node that is up has named nothing for a slot of which another names the final block, and nothing later decides it.',
    action:
      'Nothing from that slot on is archived until the node names it: check the node, or take it out of `grpc_urls`.',
  },
  ARCHIVER_PERIOD_FAILED: {
    kind: 'bug',
    when: 'A decided period cannot be archived, three times over, and the store is not the reason.',
    action:
      'Report it with the log line before; blocks go on into the spool, and the period is tried again at the next start.',
  },
  ARCHIVER_LOOP_FAILED: {
    kind: 'bug',
    when: 'A loop that should run for ever ended by a bug: the process stops.',
    action: 'Report it with its stack, and start massa-storage again: it takes up where it was.',
  },

  // devnet: recordings of a node, fake nodes
  DEVNET_RECORDING_MISSING: {
    kind: 'input',
    when: 'The recording to replay does not exist or cannot be read.',
    action: 'Check the path; without one, `massa-storage replay` plays the recording that comes with it.',
  },
  DEVNET_RECORDING_INVALID: {
    kind: 'input',
    when: 'A file is not a recording of a massa-node: it is cut off, too large, or holds a bad line.',
    action: 'Use an undamaged recording; the message names the line.',
  },
  DEVNET_ENGINE_REQUEST_INVALID: {
    kind: 'input',
    when: 'The contract engine is asked for something that no operation could express, such as a bad address or an amount below zero.',
    action: 'Correct what the message names.',
  },
  DEVNET_HOST_FUNCTION_MISSING: {
    kind: 'permanent',
    when: 'A contract calls a host function that a massa-node has and the contract engine has not.',
    action: 'Try the contract on a real node; the message names the function.',
  },
  DEVNET_LISTEN_FAILED: {
    kind: 'input',
    when: 'A devnet server cannot listen on the address it was given.',
    action: 'Use a free port, or port 0 for any.',
  },

  // storage-worker: the archive on disk
  STORE_MISSING: {
    kind: 'input',
    when: 'A command is to read the archive of a data directory that holds none.',
    action: 'Name the folder of an archive with `--data-dir` or `data_dir`; `massa-storage start` begins one.',
  },
  STORE_IDENTITY_MISMATCH: {
    kind: 'permanent',
    when: 'The data directory holds the archive of another network or chunk size, and more than nothing of it.',
    action: 'Use another `data_dir`, or the configuration this archive was made with.',
  },
  STORE_IDENTITY_DAMAGED: {
    kind: 'permanent',
    when: '`store.json` is damaged, or missing beside a database.',
    action:
      'Run `massa-storage verify --repair`: what the archive is for stands in its index, too, and in its manifests. ' +
      'An archive without a period holds nothing: move it away.',
  },
  STORE_SCHEMA_TOO_NEW: {
    kind: 'permanent',
    when: 'The archive was written by a newer release.',
    action: 'Upgrade massa-storage.',
  },
  STORE_SCHEMA_TOO_OLD: {
    kind: 'permanent',
    when: 'The archive has a layout from which this release cannot migrate.',
    action: 'Open the archive once with an intermediate release.',
  },
  STORE_KEY_INVALID: {
    kind: 'input',
    when: 'The file `archiver.key` in the data directory is no secret key, is gone, or others may read it.',
    action:
      'Set its mode to 600, or run `massa-storage verify --repair`, which mends one damaged byte; else restore it from a ' +
      'backup, or remove it and the next start makes a new one: readers then see another archiver.',
  },
  STORE_LOCKED: {
    kind: 'input',
    when: 'Another process has the data directory open.',
    action: 'Stop the other process, or use another `data_dir`.',
  },
  STORE_OPEN_FAILED: {
    kind: 'transient',
    when: 'A database of the archive does not open.',
    action: 'Read the reason in the message; check the disk of `data_dir`.',
  },
  STORE_READ_ONLY: {
    kind: 'input',
    when: 'The archive is on a file system that can only be read: LevelDB opens nothing without writing its lock.',
    action: 'Copy the data directory to a place that can be written, and name that one with `--data-dir`.',
  },
  STORE_ACCESS_DENIED: {
    kind: 'input',
    when: 'This user may not read and write a file of the archive: another user, often root, has made it.',
    action: 'Run the line of the message, which gives the files to this user; or run as the user they belong to.',
  },
  STORE_DATABASE_DAMAGED: {
    kind: 'permanent',
    when: "LevelDB's own files are damaged or missing so that the database does not open, or would lose the rest.",
    action: 'Check the disk, then run `massa-storage verify --repair`.',
  },
  STORE_LOG_DAMAGED: {
    kind: 'permanent',
    when: "A log of LevelDB is not as it was written, or is gone: what it held last may be lost. A copy is in the database's `damaged` folder.",
    action: 'Check the disk, then run `massa-storage verify --repair`: it looks for what is lost and gets it again.',
  },
  STORE_CLOSED: {
    kind: 'bug',
    when: 'The store is used after it was closed.',
    action: 'Report it.',
  },
  STORE_DISK_FULL: {
    kind: 'transient',
    when: 'The disk of the data directory is full, or less is free than must stay free.',
    action: 'Free disk space, or lower `store.min_free_bytes`; archiving goes on by itself.',
  },
  STORE_QUOTA_FULL: {
    kind: 'transient',
    when: 'The archive has reached its quota of disk space.',
    action: 'Raise `allocated_storage_gb`, or lower `retention_periods`; archiving goes on by itself.',
  },
  STORE_SPOOL_FULL: {
    kind: 'transient',
    when: 'Blocks that wait for their periods take all the disk or memory that is meant for them: those farthest from the archive are not kept.',
    action:
      'Remove what keeps periods from being archived: `massa-storage status` says what. Blocks are then asked for again, ' +
      'but a massa-node forgets them within minutes.',
  },
  STORE_WRITE_FAILED: {
    kind: 'transient',
    when: 'The disk refused a write.',
    action: 'Check the disk; the database is opened again before the next write.',
  },
  STORE_READ_FAILED: {
    kind: 'permanent',
    when: 'The disk or the files of LevelDB do not give a value back.',
    action: 'Check the disk, then run `massa-storage verify --repair`.',
  },
  STORE_VALUE_CORRUPT: {
    kind: 'permanent',
    when: 'A value on disk is not what was written.',
    action: 'Check the disk, then run `massa-storage verify --repair`.',
  },
  STORE_VALUE_MISSING: {
    kind: 'permanent',
    when: 'A value of a period is not on disk although the period is archived.',
    action: 'Run `massa-storage verify --repair`.',
  },
  STORE_VALUE_ORPHANED: {
    kind: 'permanent',
    when: 'A value on disk belongs to no manifest.',
    action: 'Run `massa-storage verify --repair`; the scrub deletes it too.',
  },
  STORE_INDEX_WRONG: {
    kind: 'permanent',
    when: 'An entry of the index is missing or contradicts the archived period.',
    action: 'Run `massa-storage verify --repair`: the index is rebuilt from the archive.',
  },
  STORE_PERIOD_INVALID: {
    kind: 'bug',
    when: 'A period to be written contradicts its own manifest or the identity of the store.',
    action: 'Report it.',
  },
  STORE_PERIOD_CONFLICT: {
    kind: 'permanent',
    when: 'A period to be written is archived already, with other content.',
    action: 'The archive was not changed; find out which source is wrong.',
  },

  // chain: operations and reads through a massa-node's JSON-RPC
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
      'Set `contract.key_file` to a file that holds a secret key (S1...), or MASSA_STORAGE_SECRET_KEY in the environment.',
  },
  CHAIN_KEY_INVALID: {
    kind: 'input',
    when: 'The configured key is no Massa secret key, or others may read its file.',
    action: 'Check the file, and set its mode to 600.',
  },
  CHAIN_BALANCE_SHORT: {
    kind: 'input',
    when: 'The account does not hold the coins that an operation may spend.',
    action: 'Send coins to the address that the message names.',
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

  // contract: the storage-registry from outside
  CONTRACT_NOT_FOUND: {
    kind: 'input',
    when: 'There is no contract at the configured address.',
    action: 'Check `storage_registry_address` and that the node is on the right network.',
  },
  CONTRACT_CODE_DIFFERENT: {
    kind: 'permanent',
    when: 'The bytecode on the chain is not the one that ships with this release.',
    action: 'Do not trust the contract before you know why: it may be another release, or another contract.',
  },
  CONTRACT_EXISTS: {
    kind: 'input',
    when: 'A registry would be deployed although the configuration names one.',
    action: 'Use `--force` to deploy another; the configuration will name the new one.',
  },
  CONTRACT_DEPLOYING: {
    kind: 'input',
    when: 'The note about a deployment that was sent cannot be read or belongs to another account.',
    action: 'Look whether that deployment is on the chain, then remove the file that the message names.',
  },
  CONTRACT_UNCHANGED: {
    kind: 'input',
    when: 'A change is announced or applied that changes nothing: the registry has it already. Nothing was sent.',
    action: 'Nothing to do; else check the file that you named.',
  },
  CONTRACT_NOT_ANNOUNCED: {
    kind: 'input',
    when: 'A change of the registry is applied that was not announced as it is.',
    action: 'Announce it first; exactly the same settings or code must be applied.',
  },
  CONTRACT_NO_DELAY: {
    kind: 'input',
    when: 'A change is announced to a registry whose delay is 0: the first call would apply it.',
    action: 'Use `apply`.',
  },
  ...REGISTRY_ERROR_CODES,

  // api: the sidecar's own HTTP
  API_BIND_FAILED: {
    kind: 'input',
    when: 'An address of the HTTP API or of the metrics cannot be listened on.',
    action: 'Another program uses the port: choose another `api.bind` or `metrics.bind`, or port 0 for any free one.',
  },
  API_HOST_REFUSED: {
    kind: 'input',
    when: 'A request to the HTTP API names another host than loopback.',
    action: 'Ask http://127.0.0.1 or http://localhost.',
  },
  API_REQUEST_REFUSED: {
    kind: 'input',
    when: 'A request to the HTTP API is malformed or too large.',
    action: 'Use the `massa-storage` command of the same version as the running sidecar.',
  },
  API_QUERY_INVALID: {
    kind: 'input',
    when: 'A query to the HTTP API is not of the expected shape.',
    action: 'Use the `massa-storage` command of the same version as the running sidecar.',
  },

  // cli
  CLI_DISABLED: {
    kind: 'input',
    when: '`start` is called while `enabled = false`.',
    action: 'Set it to true where the message says, or run `massa-storage config init`.',
  },
  CLI_NO_NODE: {
    kind: 'input',
    when: '`start` is called without any massa-node configured.',
    action: 'Add the public gRPC address of a massa-node to `grpc_urls` below [distributed_storage.node].',
  },
  CLI_USAGE: {
    kind: 'input',
    when: 'A command, option or argument is not one that massa-storage knows.',
    action: 'Correct it as the message says; each command explains itself with `--help`.',
  },
  CLI_NO_TERMINAL: {
    kind: 'input',
    when: 'A command has questions, and its input is no terminal.',
    action: 'Say `--yes`, and give what it would ask as options: `massa-storage config init --help` lists them.',
  },
  CLI_FOLDER_GONE: {
    kind: 'input',
    when: 'The folder that a command is called in was deleted, or may not be entered.',
    action: 'Go to a folder that exists, e.g. with `cd`.',
  },
  CLI_OUTPUT_FAILED: {
    kind: 'transient',
    when: 'What a command prints cannot be written: the disk of a file that it is sent to is full.',
    action: 'Free disk space, or send the output elsewhere.',
  },
  CLI_NOT_FOUND: {
    kind: 'input',
    when: 'What was asked for is not in this archive.',
    action: 'Look with `massa-storage status` or `massa-storage list-chunks` which periods are.',
  },
  CLI_NO_REGISTRY: {
    kind: 'input',
    when: 'A command needs the registry and `storage_registry_address` is empty.',
    action:
      'Set `storage_registry_address`, name it with `--address`, or deploy one with `massa-storage contract deploy`.',
  },
  CLI_NOT_CONFIRMED: {
    kind: 'input',
    when: 'Coins would be spent and nobody said yes.',
    action: 'Answer `yes` at the terminal, or say it in advance with `--yes`.',
  },
  CLI_REPLAY_INCOMPLETE: {
    kind: 'permanent',
    when: 'A replay ended before the head of its recording was archived.',
    action: 'Read the log lines above: they say what the sidecar refused or missed.',
  },
  CLI_SIDECAR_UNREACHABLE: {
    kind: 'transient',
    when: 'A command needs the running sidecar and it does not answer.',
    action: 'Start it with `massa-storage start`, or check `data_dir`.',
  },
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof ERROR_CODES
