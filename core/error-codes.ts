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

  // archiver: following a node
  ARCHIVER_NODE_UNREACHABLE: {
    kind: 'transient',
    when: 'A massa-node does not answer, or not within the deadline.',
    action: 'Check that the node runs and that `grpc_url` is its public gRPC address (default port 33037).',
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
    action: 'Point `grpc_url` at a node of the right network, or use another `data_dir`.',
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
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof ERROR_CODES
