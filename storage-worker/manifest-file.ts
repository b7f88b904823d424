import { readFileSync } from 'node:fs'
import { readLogRecords } from './log-file.ts'

/*
 * What a manifest of LevelDB says is there (leveldb db/version_edit.cc). A log that it names and that is gone LevelDB does
 * not miss, and tables that it does not name LevelDB deletes.
 */

const COMPARATOR = 1
const LOG_NUMBER = 2
const NEXT_FILE = 3
const LAST_SEQUENCE = 4
const COMPACT_POINTER = 5
const DELETED_TABLE = 6
const NEW_TABLE = 7
const PREVIOUS_LOG = 9

/** Files that hold what is in a database. */
export interface DatabaseVersion {
  /** The log that is written to; 0: none, as a repair leaves it. A newer one may be there, too. */
  readonly log: number
  /** By number, with their sizes in bytes. */
  readonly tables: ReadonlyMap<number, number>
}

/** Reads a manifest in which `findLogDamage` found nothing; `undefined` when it holds something that no LevelDB writes. */
export function readVersion(path: string): DatabaseVersion | undefined {
  const tables = new Map<number, number>()
  let log = 0
  for (const record of readLogRecords(readFileSync(path))) {
    const edit = new EditReader(record)
    while (!edit.isAtEnd) {
      const tag = edit.readNumber()
      if (tag === COMPARATOR) edit.skipBytes()
      else if (tag === LOG_NUMBER) log = edit.readNumber()
      else if (tag === NEXT_FILE || tag === LAST_SEQUENCE || tag === PREVIOUS_LOG) edit.readNumber()
      else if (tag === COMPACT_POINTER) {
        edit.readNumber()
        edit.skipBytes()
      } else if (tag === DELETED_TABLE) {
        edit.readNumber()
        tables.delete(edit.readNumber())
      } else if (tag === NEW_TABLE) {
        edit.readNumber()
        const number = edit.readNumber()
        tables.set(number, edit.readNumber())
        edit.skipBytes()
        edit.skipBytes()
      } else return undefined
    }
    if (edit.isPastEnd) return undefined
  }
  return { log, tables }
}

class EditReader {
  private readonly bytes: Uint8Array
  private at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length
  }

  get isPastEnd(): boolean {
    return this.at > this.bytes.length
  }

  /** Seven bits per byte, lowest first. File numbers and sizes are far below 2^53. */
  readNumber(): number {
    let value = 0
    for (let unit = 1; ; unit *= 128) {
      const byte = this.bytes[this.at++] ?? 0
      value += (byte & 0x7f) * unit
      if (byte < 0x80) return value
    }
  }

  skipBytes(): void {
    const length = this.readNumber()
    this.at += length
  }
}
