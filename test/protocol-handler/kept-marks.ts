import type { ArchiveError } from '../../core/index.ts'

/** What a spool keeps, and how often it was made to. */
export class KeptMarks {
  readonly values = new Map<string, Uint8Array>()
  writes = 0
  failure: ArchiveError | undefined

  async putMark(name: string, bytes: Uint8Array): Promise<void> {
    if (this.failure) throw this.failure
    this.writes++
    this.values.set(name, bytes)
  }

  async readMark(name: string): Promise<Uint8Array | undefined> {
    if (this.failure) throw this.failure
    return this.values.get(name)
  }

  async sync(): Promise<void> {}
}
