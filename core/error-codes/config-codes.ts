import type { ErrorEntry } from './error-entry.ts'

/** config: what the operator wrote. */
export const CONFIG_CODES = {
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
    when: '`config init` is to write into a file that has `[distributed_storage]` already.',
    action: 'Name another file, or use `--force`, which replaces that table and leaves all others as they are.',
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
  CONFIG_RETENTION_UNSET: {
    kind: 'input',
    when: 'Periods would be deleted for a `retention_periods` that nobody has set.',
    action:
      'Set `retention_periods` below [distributed_storage], or give `--set retention_periods=N`: 0 keeps all for ever. ' +
      '`massa-storage prune --dry-run` says what a number deletes.',
  },
  CONFIG_KEY_UNKNOWN: {
    kind: 'input',
    when: 'A file, an environment variable or a flag names a setting that does not exist.',
    action: 'Correct the name as the message says, or remove it; docs/CONFIG.md lists them all.',
  },
} as const satisfies Record<`CONFIG_${string}`, ErrorEntry>
