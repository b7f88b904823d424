import { mkdirSync } from 'node:fs'
import { ClassicLevel } from 'classic-level'
import { ArchiveError } from '../../../core/index.ts'

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

  private constructor(database: ClassicLevel<Uint8Array, Uint8Array>) {
    this.database = database
  }

  /** Makes the directory when there is none. @throws ArchiveError DEVNET_CHAIN_UNAVAILABLE */
  static async open(directory: string): Promise<ChainStore> {
    try {
      mkdirSync(directory, { recursive: true })
      const encodings = { keyEncoding: 'view', valueEncoding: 'view' } as const
      const database = new ClassicLevel<Uint8Array, Uint8Array>(directory, encodings)
      await database.open()
      return new ChainStore(database)
    } catch (cause) {
      throw new ArchiveError('DEVNET_CHAIN_UNAVAILABLE', `${directory} cannot be opened`, { directory }, cause)
    }
  }

  /** Resolves when it is written. After one that failed, none is written any more: all reject with its error. */
  write(changes: readonly StoreChange[]): Promise<void> {
    const done = this.tail.then(async () => {
      if (this.failure) throw this.failure.cause
      if (changes.length > 0) await this.database.batch([...changes])
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
}
