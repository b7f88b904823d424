import type { ErrorEntry } from './error-entry.ts'

/** protocol-handler: what other sidecars send. */
export const PROTOCOL_CODES = {
  PROTOCOL_MESSAGE_INVALID: {
    kind: 'permanent',
    when: 'A message of a peer is not of the form that docs/PROTOCOL.md gives it, or past one of its bounds.',
    action: 'Nothing to do: the peer is broken or hostile, and is banned when it goes on.',
  },
  PROTOCOL_VERSION_UNKNOWN: {
    kind: 'permanent',
    when: 'A message of a peer has a version that this release does not know.',
    action: 'Look for a newer release.',
  },
  PROTOCOL_NETWORK_FOREIGN: {
    kind: 'permanent',
    when: 'A peer speaks of another chain.',
    action: 'Nothing to do here: the configuration of the peer is wrong.',
  },
  PROTOCOL_SIGNATURE_INVALID: {
    kind: 'permanent',
    when: 'The signature of a message does not verify.',
    action: 'Nothing to do: the peer is broken or hostile, and is banned when it goes on.',
  },
  PROTOCOL_ANSWER_WRONG: {
    kind: 'permanent',
    when: 'A peer answers with something else than what it was asked for.',
    action: 'Nothing to do: others are asked, and the peer is banned when it goes on.',
  },
  PROTOCOL_BINDING_FOREIGN: {
    kind: 'permanent',
    when: 'A peer shows the capabilities of another PeerId, or of an address that is bound to another PeerId by a later statement.',
    action: 'Nothing to do: the peer is broken or hostile, and is banned when it goes on.',
  },
  PROTOCOL_SEQUENCE_OLD: {
    kind: 'transient',
    when: 'Capabilities or a have-map of a peer are older than what is known of it.',
    action: 'Nothing to do: a message was delayed, or is replayed.',
  },
  PROTOCOL_PEER_LIMIT: {
    kind: 'transient',
    when: 'A peer asks for more than its share of requests, bytes or streams.',
    action: 'Nothing to do: it is answered, then ignored, then cut off.',
  },
  PROTOCOL_QUEUE_FULL: {
    kind: 'transient',
    when: 'More is to be done for peers than this machine keeps up with.',
    action: 'Raise `p2p.max_bytes_per_second`, or give the machine a faster disk or line, when it lasts.',
  },
  PROTOCOL_LISTEN_FAILED: {
    kind: 'input',
    when: 'The address for peers cannot be listened on.',
    action: 'Set another one in `p2p.listen`, or end what uses it.',
  },
  PROTOCOL_PEER_UNREACHABLE: {
    kind: 'transient',
    when: 'A peer cannot be reached, or does not answer in time.',
    action: 'Nothing to do: it is tried again, and others are asked.',
  },
  PROTOCOL_SENDER_UNKNOWN: {
    kind: 'transient',
    when: 'A node announces what it holds of which it is not known who it is, or that the placement in force does not know.',
    action:
      'Nothing to do: it is not passed on; what counts are nodes of the registry that have introduced themselves.',
  },
  PROTOCOL_PERIOD_FUTURE: {
    kind: 'transient',
    when: 'A node announces periods that are not final yet here.',
    action: 'Nothing to do when it is rare; else see whether the massa-node lags behind.',
  },
  PROTOCOL_ROOTS_DIFFER: {
    kind: 'permanent',
    when: 'A node announces other period roots than this archive has for the same periods: one of the two is not the chain.',
    action:
      'Where several nodes differ, run `massa-storage verify` and compare `inspect period` with another archive; a single one is broken or hostile, and nothing that it says of what it holds counts.',
  },
  PROTOCOL_PLACEMENT_DIFFERS: {
    kind: 'permanent',
    when: 'A node of the registry signs another placement than this one has for the same era: the two disagree on who is to hold what.',
    action:
      'Where several nodes differ, compare the root of `massa-storage status --json` with theirs and see whether the massa-node follows the chain; a single one is broken or hostile, and nothing that it says of what it holds counts.',
  },
} as const satisfies Record<`PROTOCOL_${string}`, ErrorEntry>
