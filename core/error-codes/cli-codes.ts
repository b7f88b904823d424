import type { ErrorEntry } from './error-entry.ts'

/** cli: the command line. */
export const CLI_CODES = {
  CLI_DISABLED: {
    kind: 'input',
    when: '`start` is called while `enabled = false`.',
    action: 'Set it to true where the message says, or run `massa-storage config init`.',
  },
  CLI_NO_NODE: {
    kind: 'input',
    when: 'A command needs a massa-node and none is configured.',
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
  CLI_GATEWAY_FAILED: {
    kind: 'transient',
    when: 'An archive that was named with `--from` does not answer, refuses, or answers something else.',
    action: 'Look whether the address is that of an archive, and try again, or ask another one.',
  },
  CLI_NOT_FOUND: {
    kind: 'input',
    when: 'What was asked for is not in this archive.',
    action:
      'Look what is with `massa-storage status`, `list-chunks` or `challenges list`, or ask another archive with `get --from`.',
  },
  CLI_PEER_UNKNOWN: {
    kind: 'input',
    when: 'The peer of a command is not one that it can be done to.',
    action: 'Look at `massa-storage peers`, which lists peers and bans.',
  },
  CLI_NO_REGISTRY: {
    kind: 'input',
    when: 'A command needs the registry and `storage_registry_address` is empty.',
    action:
      'Set `storage_registry_address`, name it with `--address` (`get`: `--registry`), or deploy one with `massa-storage contract deploy`.',
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
  CLI_ROLES_UNKNOWN: {
    kind: 'transient',
    when: 'Chunks of a role are asked for, and nobody can tell which chunks this node is to hold.',
    action:
      'Do what the message says; without a running sidecar a massa-node of `node.grpc_urls` has to answer. `list-chunks` without `--role` needs neither.',
  },
  CLI_SIDECAR_UNREACHABLE: {
    kind: 'transient',
    when: 'A command needs the running sidecar and it does not answer.',
    action: 'Start it with `massa-storage start`, or check `data_dir`.',
  },
} as const satisfies Record<`CLI_${string}`, ErrorEntry>
