import type { ErrorEntry } from './error-entry.ts'

/** placement: who holds what in an era, read from the registry's final records. */
export const PLACEMENT_CODES = {
  PLACEMENT_REGISTRY_MISSING: {
    kind: 'input',
    when: 'The final state of the massa-node has no storage-registry at the configured address.',
    action:
      'Check `storage_registry_address` and that the node is on the right network; a registry that was just deployed is there once it is final.',
  },
  PLACEMENT_RECORD_UNREADABLE: {
    kind: 'permanent',
    when: 'A record of the registry has a version or shape that this release does not know.',
    action: 'Upgrade massa-storage: the contract is newer. Until then the last placement stays in force.',
  },
  PLACEMENT_ANSWER_INVALID: {
    kind: 'permanent',
    when: 'A massa-node answers with keys of the registry that were not asked for, or out of order.',
    action: 'The node is broken or hostile: use another one.',
  },
  PLACEMENT_TOO_LARGE: {
    kind: 'permanent',
    when: 'The registry has more nodes, or larger records, than this release reads.',
    action: 'Check that `storage_registry_address` is a storage-registry; if it is, upgrade massa-storage.',
  },
  PLACEMENT_UNSETTLED: {
    kind: 'transient',
    when: 'Nodes came or went, or an era ended, each time the records of the registry were read.',
    action: 'Nothing to do: it is tried again.',
  },
  PLACEMENT_TIMEOUT: {
    kind: 'transient',
    when: 'Reading the records of the registry took too long in all.',
    action: 'Nothing to do: it is tried again; if it lasts, see whether the massa-node is overloaded.',
  },
  PLACEMENT_NOT_IN_FORCE: {
    kind: 'transient',
    when: 'A command needs to know who holds what, and no placement is in force.',
    action:
      'Set `storage_registry_address`; with a registry wait until the 8th period of an era (128 periods), or see `massa-storage status` for what keeps it from being read.',
  },
  PLACEMENT_ERA_OTHER: {
    kind: 'input',
    when: 'The placement of an era is asked for in which the chain is not: records tell only of the present one.',
    action: 'Leave `--era` out, or name the era of the message.',
  },
} as const satisfies Record<`PLACEMENT_${string}`, ErrorEntry>
