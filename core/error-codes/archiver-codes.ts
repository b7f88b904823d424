import type { ErrorEntry } from './error-entry.ts'

/** archiver: following a node. */
export const ARCHIVER_CODES = {
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
    action:
      'Nothing from that slot on is archived until they agree, after a restart too: find out which node is on a fork, take it out of `grpc_urls` and restart.',
  },
  ARCHIVER_CONFLICT_UNREADABLE: {
    kind: 'permanent',
    when: 'What was kept of a conflict of nodes is damaged, or a newer release wrote it.',
    action:
      'Nothing is archived before it is known: start once with only the node that you trust in `grpc_urls`, which drops it, or with the newer release.',
  },
  ARCHIVER_CONFLICT_DROPPED: {
    kind: 'transient',
    when: 'At a start the nodes of a conflict that was kept are no longer all configured, or its slot is archived.',
    action: 'Nothing to do: what the configured nodes name decides. Take the removed node back only when it agrees.',
  },
  ARCHIVER_NODE_ALONE: {
    kind: 'transient',
    when: 'Of two nodes one has been down for a minute, or is more than five minutes behind: from this slot on the other decides alone.',
    action: 'Bring the other node back. With three nodes none ever decides alone.',
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
    when: 'For a minute a node that is needed has named nothing for a slot of which another names the final block, and nothing later decides it.',
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
} as const satisfies Record<`ARCHIVER_${string}`, ErrorEntry>
