import type { Period } from '../../core/index.ts'
import { MemoryStore } from './memory-store.ts'

/** What a registered node does that says it holds what it must: shows nothing of it, or shows something else. */
export type ShamKind = 'sham' | 'forger'

/** Everything of this archive says that the chunks are there, and none can be had. */
class HollowStore extends MemoryStore {
  override async readChunk(_period: Period, _index: number): Promise<undefined> {
    return undefined
  }

  override async readSeals(_period: Period): Promise<undefined> {
    return undefined
  }
}

/** Of every chunk another one is given, and of SEALS others as long. */
class ForgedStore extends MemoryStore {
  override async readChunk(period: Period, index: number): Promise<Uint8Array | undefined> {
    return forge(await super.readChunk(period, index))
  }

  override async readSeals(period: Period): Promise<Uint8Array | undefined> {
    return forge(await super.readSeals(period))
  }
}

export const SHAM_STORES = { sham: HollowStore, forger: ForgedStore } as const

/** The last byte is another one. */
function forge(bytes: Uint8Array | undefined): Uint8Array | undefined {
  const forged = bytes && Uint8Array.from(bytes)
  const last = forged?.length ?? 0
  if (forged) forged[last - 1] = (forged[last - 1] ?? 0) ^ 1
  return forged
}
