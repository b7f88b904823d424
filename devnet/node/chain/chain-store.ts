import { mkdirSync } from 'node:fs'
import { ClassicLevel } from 'classic-level'
import type { ArchiveError } from '../../../core/index.ts'
import { innermostOf, wrapDiskError } from '../../disk-error.ts'

export type StoreChange =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

/**
 * The database of a chain. Writes happen in the order in which they are asked for, each whole or not at all; a process
 * that is killed loses the last of them and nothing else.
 */
export class ChainStore {
  private readonly database: ClassicLevel<Uint8Array, Uint8Array>
  private tail: Promise<void> = Promise.resolve()
  private failure: { readonly cause: unknown } | undefined

  private readonly directory: string

  private constructor(directory: string, database: ClassicLevel<Uint8Array, Uint8Array>) {
    this.directory = directory
    this.database = database
  }

  /** Makes the directory when there is none. @throws ArchiveError DEVNET_CHAIN_UNAVAILABLE, DEVNET_DISK_FULL */
  static async open(directory: string): Promise<ChainStore> {
    try {
      mkdirSync(directory, { recursive: true })
      const encodings = { keyEncoding: 'view', valueEncoding: 'view' } as const
      const database = new ClassicLevel<Uint8Array, Uint8Array>(directory, encodings)
      await database.open()
      return new ChainStore(directory, database)
    } catch (cause) {
      throw explain(cause, directory, 'opened')
    }
  }

  /**
   * Resolves when it is written. After one that failed, none is written any more: all reject with its error.
   *
   * @throws ArchiveError DEVNET_CHAIN_UNAVAILABLE, DEVNET_DISK_FULL
   */
  write(changes: readonly StoreChange[]): Promise<void> {
    const done = this.tail.then(async () => {
      if (this.failure) throw this.failure.cause
      if (changes.length > 0) await this.batch(changes)
    })
    this.tail = done.catch((cause: unknown) => {
      this.failure ??= { cause }
    })
    return done
  }

  /** Everything asked for so far is written. */
  async written(): Promise<void> {
    await this.tail
    if (this.failure) throw this.failure.cause
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.database.get(key)
  }

  /** Keys that begin with this byte, in their order, without it. */
  async *list(space: number): AsyncGenerator<readonly [key: Uint8Array, value: Uint8Array]> {
    const range = { gte: Uint8Array.of(space), lt: Uint8Array.of(space + 1) }
    for await (const [key, value] of this.database.iterator(range)) yield [key.subarray(1), value]
  }

  async close(): Promise<void> {
    await this.tail
    await this.database.close()
  }

  private async batch(changes: readonly StoreChange[]): Promise<void> {
    try {
      await this.database.batch([...changes])
    } catch (cause) {
      // Anything else is a bug.
      throw (cause as { code?: unknown }).code === 'LEVEL_IO_ERROR' ? explain(cause, this.directory, 'written') : cause
    }
  }
}

function explain(cause: unknown, directory: string, what: 'opened' | 'written'): ArchiveError {
  const { code, message } = innermostOf(cause)
  const reason = code === 'LEVEL_LOCKED' ? 'it is open in another process' : message
  return wrapDiskError(cause, {
    code: 'DEVNET_CHAIN_UNAVAILABLE',
    message: `${directory} cannot be ${what}: ${reason}`,
    context: { directory },
  })
}
