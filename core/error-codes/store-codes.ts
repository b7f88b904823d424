import type { ErrorEntry } from './error-entry.ts'

/** storage-worker: the archive on disk. */
export const STORE_CODES = {
  STORE_MISSING: {
    kind: 'input',
    when: 'A command is to read the archive of a data directory that holds none.',
    action: 'Name the folder of an archive with `--data-dir` or `data_dir`; `massa-storage start` begins one.',
  },
  STORE_IDENTITY_MISMATCH: {
    kind: 'input',
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
    when: 'A key in the data directory (`archiver.key`, `peer.key`) is no secret key, is gone, or others may read it.',
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
    action:
      "Check the disk, then run `massa-storage verify --repair`: it brings back what can be read of a damaged table, says how much that is, and keeps a table that had more in the database's `damaged` folder.",
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
  STORE_KEY_TOO_LONG: {
    kind: 'bug',
    when: 'A key of the index is longer than those that tables are checked for.',
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
  STORE_HISTORY_DIFFERENT: {
    kind: 'permanent',
    when: 'The index of ids and addresses has not what the archive has of a period: what stands there may not be found.',
    action: 'Run `massa-storage verify --repair`, or `massa-storage index rebuild`.',
  },
  STORE_VALUE_MISSING: {
    kind: 'permanent',
    when: 'A value of a period is not on disk although the period is archived.',
    action: 'Run `massa-storage verify --repair`.',
  },
  STORE_HISTORY_INCOMPLETE: {
    kind: 'transient',
    when: 'The index of ids is being made, or compared with the archive: what it does not have yet may be archived all the same.',
    action: 'Ask again. `massa-storage status` says how many periods are indexed.',
  },
  STORE_CHUNK_AWAY: {
    kind: 'transient',
    when: 'What is asked for stands in a chunk that this disk does not hold, and nobody gives it.',
    action:
      'Have it fetched from who holds it: `massa-storage get --fetch`, or `api.fetch = true` for everybody. Where nobody gives it, ' +
      '`massa-storage chunk locate` shows which nodes are to hold it, and what they say.',
  },
  STORE_VALUE_ORPHANED: {
    kind: 'permanent',
    when: 'A value on disk belongs to no manifest, or is one that is not held any more.',
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
  STORE_PART_INVALID: {
    kind: 'permanent',
    when: 'Chunks or SEALS from elsewhere are not those of the period whose manifest they came with.',
    action: 'Nothing was stored; find out which source is wrong.',
  },
  STORE_HOLDING_INVALID: {
    kind: 'permanent',
    when: 'What says which chunks of a period are not held cannot be read, although it is as it was written.',
    action: 'Run `massa-storage verify --repair`.',
  },
  STORE_PERIOD_CONFLICT: {
    kind: 'permanent',
    when: 'A period to be written is archived already, with other content.',
    action: 'The archive was not changed; find out which source is wrong.',
  },
  STORE_FILE_UNREADABLE: {
    kind: 'input',
    when: 'An archive file (.mhs) is not there, is no file, or may not be read.',
    action: 'Check its path, and who may read it.',
  },
  STORE_FILE_UNREACHABLE: {
    kind: 'transient',
    when: 'The server of an archive file does not answer, is in trouble, or breaks off.',
    action: 'Try again later: an import goes on where it ended.',
  },
  STORE_FILE_NO_RANGES: {
    kind: 'input',
    when: 'The server of an archive file gives files only as a whole.',
    action: 'Get the file by other means, and name it in place of the address.',
  },
  STORE_FILE_SERVER_WRONG: {
    kind: 'permanent',
    when: 'The server of an archive file answers something else than the bytes that were asked for.',
    action: 'Nothing of the answer was used. Try again, or get the file from another place.',
  },
  STORE_FILE_ROOT_OTHER: {
    kind: 'input',
    when: 'An archive file has another root than the one that was asked for.',
    action: 'Get the file with that root; of this one nothing was stored.',
  },
  STORE_FILE_ERA_OTHER: {
    kind: 'input',
    when: 'An era of an archive file has another root than the one that is trusted.',
    action: 'Compare the root with somebody who knows it, or get another file; of this one nothing was stored.',
  },
  STORE_FILE_UNLINKED: {
    kind: 'permanent',
    when: 'Blocks of an archive file contradict what stands above or below them, in the file or in this archive.',
    action:
      'One of the two is not of this chain: `massa-storage eras verify` compares the archive with what is anchored. ' +
      'What was stored fits what is archived above it.',
  },
  STORE_FILE_UNBOUND: {
    kind: 'permanent',
    when: 'An archive file holds an operation whose bytes its id does not bind, and no root that is trusted binds it.',
    action: 'Ask somebody you trust for the root of the file or of the era: `--root`, `--trust-root`.',
  },
  STORE_FILE_EXISTS: {
    kind: 'input',
    when: 'The file that an export is to write is there already.',
    action: 'Name another file with `--out`, or remove that one.',
  },
  STORE_FILE_NOT_WRITTEN: {
    kind: 'transient',
    when: 'The file of an export cannot be written: no room, no such folder, no permission.',
    action: 'Nothing is left of it. Name another place with `--out`, or make room, and export again.',
  },
  STORE_EXPORT_INCOMPLETE: {
    kind: 'input',
    when: 'A period that is to be exported is not archived here, or not all of it.',
    action:
      'Choose periods that are with `--from` and `--to`: `massa-storage status` and `massa-storage list-chunks` say which.',
  },
} as const satisfies Record<`STORE_${string}`, ErrorEntry>
