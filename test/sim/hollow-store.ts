import type { Period } from '../../core/index.ts'
import { MemoryStore } from './memory-store.ts'

/** The archive of a node that shams: everything of it says that the chunks are there, and none can be had. */
export class HollowStore extends MemoryStore {
  override async readChunk(_period: Period, _index: number): Promise<undefined> {
    return undefined
  }

  override async readSeals(_period: Period): Promise<undefined> {
    return undefined
  }
}
