import type { ErrorEntry } from './error-entry.ts'

/** contract: the storage-registry from outside. */
export const CONTRACT_CODES = {
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
  CONTRACT_REWARDS_DIFFERENT: {
    kind: 'permanent',
    when: "What `rewards explain` computes from the registry's records is not what the registry itself says that a node would have.",
    action: 'Do not trust either before you know why: the registry may run other code than this release knows.',
  },
  CONTRACT_ARGUMENT_INVALID: {
    kind: 'input',
    when: 'An argument of a contract call is not of its type, or there are too few or too many.',
    action:
      'Correct it as the message says; for contracts other than the registry write the type before it, such as `u64:5` or `string:x`.',
  },
  CONTRACT_FUNCTION_UNKNOWN: {
    kind: 'input',
    when: 'A contract has no function of this name, or it has a command of its own.',
    action: 'Correct the name, or use the command that the message names.',
  },
  CONTRACT_EXISTS: {
    kind: 'input',
    when: 'A registry would be deployed although the configuration names one.',
    action: 'Use `--force` to deploy another; the configuration will name the new one.',
  },
  CONTRACT_DEPLOYING: {
    kind: 'input',
    when: 'The note about a deployment that was sent cannot be read, belongs to another account, or tells of other settings.',
    action:
      'Run the command that sent it again; or look whether it is on the chain, then remove the file that the message names.',
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
  CONTRACT_NODE_WEIGHTLESS: {
    kind: 'input',
    when: 'A node would register for a limited time with a registry that requires anchors, which counts only nodes that keep for ever. Nothing was sent.',
    action: 'Keep for ever as the message says, with a disk for it; for less this registry pays nothing.',
  },
  CONTRACT_NO_DELAY: {
    kind: 'input',
    when: 'A change is announced to a registry whose delay is 0: the first call would apply it.',
    action: 'Use `apply`.',
  },
} as const satisfies Record<`CONTRACT_${string}`, ErrorEntry>
