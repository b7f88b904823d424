import type { ErrorEntry } from './error-entry.ts'

/** devnet: recordings of a node, fake nodes. */
export const DEVNET_CODES = {
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
  DEVNET_RECORDING_EMPTY: {
    kind: 'input',
    when: 'A recording of a massa-node shows no period whole: nothing of it can be archived.',
    action: 'Record for some minutes more: a period takes 16 s, and what decides its last slots comes in later ones.',
  },
  DEVNET_ENGINE_REQUEST_INVALID: {
    kind: 'input',
    when: 'The contract engine is asked for something that no operation could express, such as a bad address or an amount below zero.',
    action: 'Correct what the message names.',
  },
  DEVNET_HOST_FUNCTION_MISSING: {
    kind: 'permanent',
    when: 'A contract calls a host function that a massa-node has and the contract engine has not: the operation fails, and its text ends with this code.',
    action: 'Try the contract on a real node; the text names the function.',
  },
  DEVNET_ACCOUNTS_INVALID: {
    kind: 'input',
    when: 'The file of `devnet node --accounts` cannot be read, or is no JSON object of addresses with their nanoMAS.',
    action: 'Give a file such as {"AU1...": "1000000000"}: nanoMAS as texts of digits.',
  },
  DEVNET_CHAIN_MISMATCH: {
    kind: 'input',
    when: 'A directory holds another devnet chain than the one that is to go on: other chain id, genesis, seed or stakers.',
    action: 'Use the options that it was made with, or another directory.',
  },
  DEVNET_CHAIN_UNAVAILABLE: {
    kind: 'input',
    when: 'The directory of a devnet chain cannot be opened or written: another process has it open, it may not be written to, or the disk fails.',
    action: 'Stop the other devnet, put right what the message names, or use another directory.',
  },
  DEVNET_DISK_FULL: {
    kind: 'transient',
    when: 'The disk of a devnet is full: its chain, or a file that describes the network, cannot be written.',
    action:
      'Free disk space, or use a directory on another disk; the chain goes on from what was written last. `devnet up` starts its node again by itself.',
  },
  DEVNET_PROGRAM_INVALID: {
    kind: 'input',
    when: '`devnet up --sidecar NAME=FILE` names a sidecar that the network has not, or a program that is no file.',
    action: 'Name a sidecar that the message lists, and a JavaScript file that Node can run.',
  },
  DEVNET_RUNNING: {
    kind: 'input',
    when: '`devnet up` is to use a directory whose network is running.',
    action: 'Look at it with `massa-storage devnet status`, or end it with `massa-storage devnet down`.',
  },
  DEVNET_NOT_RUNNING: {
    kind: 'input',
    when: 'A devnet command finds no running network: none was started, it has ended, or several run and none is named.',
    action: 'Start one with `massa-storage devnet up`; name its directory with `--data-dir` if it has one.',
  },
  DEVNET_NO_ANSWER: {
    kind: 'transient',
    when: 'A devnet that runs, or its node, does not answer in time: it is paused, or the machine is very busy.',
    action: 'Try again; a paused node goes on with `massa-storage devnet resume node`.',
  },
  DEVNET_DIRECTORY_INVALID: {
    kind: 'input',
    when: 'The directory of a devnet holds something else, cannot be written to, or what describes the network is damaged.',
    action: 'Use another directory, or an empty one.',
  },
  DEVNET_PARAMS_INVALID: {
    kind: 'input',
    when: 'The settings of `devnet up --registry-params` fit no devnet, whose sidecars could not register, or its registry is deployed already, with others.',
    action:
      'Correct what the message names, or use another directory; settings of a registry that is deployed are changed by `massa-storage contract config`.',
  },
  DEVNET_COMMAND_REFUSED: {
    kind: 'input',
    when: 'A running devnet refuses a command: it has no such sidecar, or a value is out of range.',
    action: 'Correct what the message names; `massa-storage devnet status` lists the sidecars.',
  },
  DEVNET_SETTING_UP: {
    kind: 'transient',
    when: '`devnet add`, `remove`, `kill` or `pause` comes while the network is still being set up: what it is made of does not change then.',
    action:
      'Try again when `devnet up` shows what to try next, or `massa-storage devnet status` no longer says "setting up".',
  },
  DEVNET_ADD_UNFINISHED: {
    kind: 'transient',
    when: '`devnet add` has waited for long, and the sidecar is not registered yet: the chain is slow, or stands still. It goes on being added.',
    action: 'Look at it with `massa-storage devnet status`; adding once more makes another one.',
  },
  DEVNET_STEP_FAILED: {
    kind: 'permanent',
    when: 'A process that `devnet up` needs has ended, or does not get ready in time.',
    action: 'Read the log that the message names.',
  },
  DEVNET_PORT_BUSY: {
    kind: 'input',
    when: 'A port that the devnet needs is taken: another process listens there, or has a connection from it.',
    action: 'Free the port, or say `--auto-ports`, which takes others that are free.',
  },
  DEVNET_LISTEN_FAILED: {
    kind: 'input',
    when: 'A devnet server cannot listen on the address it was given.',
    action: 'Use a free port, or port 0 for any.',
  },
} as const satisfies Record<`DEVNET_${string}`, ErrorEntry>
