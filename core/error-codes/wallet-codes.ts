import type { ErrorEntry } from './error-entry.ts'

/** wallet: the file that holds the key. */
export const WALLET_CODES = {
  WALLET_FILE_INVALID: {
    kind: 'input',
    when: 'A file is no wallet of the Massa format, or its address, public key and secret key do not belong together.',
    action:
      'Use the file as massa-client or `massa-storage wallet create` wrote it; one that was changed is not to be trusted.',
  },
  WALLET_PASSWORD_WRONG: {
    kind: 'input',
    when: 'A wallet does not open with the password, or its encrypted part is damaged.',
    action: 'Try again with the right password; nobody can restore a lost one.',
  },
  WALLET_PASSWORD_MISSING: {
    kind: 'input',
    when: 'A wallet needs its password, and there is none and no terminal to ask at.',
    action:
      'Name a file with `--password-file`, or set MASSA_STORAGE_PASSWORD or the systemd credential `wallet-password`.',
  },
  WALLET_PASSWORD_INVALID: {
    kind: 'input',
    when: 'A password is empty or too long, its file cannot be read, or it was typed differently the second time.',
    action: 'Correct it as the message says.',
  },
  WALLET_FILE_EXISTS: {
    kind: 'input',
    when: 'A wallet would be written over a file that is there.',
    action: 'Choose another `--file`; nothing overwrites a wallet.',
  },
  WALLET_FILE_UNWRITABLE: {
    kind: 'input',
    when: 'A wallet cannot be written.',
    action: 'Check the permissions and free space of the folder that the message names, or choose another `--file`.',
  },
} as const satisfies Record<`WALLET_${string}`, ErrorEntry>
