import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryLevel } from 'memory-level'
import { GuardedLevel as Guarded, type GuardedLevel, type Level } from '../../storage-worker/guarded-level.ts'
import { type OpenStoreOptions, openStore, type Store } from '../../storage-worker/index.ts'
import { TEST_IDENTITY } from './synthetic-period.ts'

/** A folder that is gone after the test. */
export class TempFolders {
  private readonly made: string[] = []

  async make(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'massa-storage-test-'))
    this.made.push(folder)
    return folder
  }

  async clean(): Promise<void> {
    for (const folder of this.made.splice(0)) await rm(folder, { recursive: true, force: true })
  }
}

/** Opens without floor and ballast, so that the disk of the machine does not matter. */
export function openTestStore(dataDir: string, options: Partial<OpenStoreOptions> = {}): Promise<Store> {
  return openStore({ dataDir, identity: TEST_IDENTITY, freeFloorBytes: 0, ballastBytes: 0, ...options })
}

export function createMemoryLevel(): Level {
  return new MemoryLevel<Uint8Array, Uint8Array>({
    storeEncoding: 'view',
    keyEncoding: 'view',
    valueEncoding: 'view',
  }) as unknown as Level
}

export function openMemoryLevel(name: string): Promise<GuardedLevel> {
  // The same instance at every reopening: memory survives it there.
  const level = createMemoryLevel()
  return Guarded.open({ name, create: () => level })
}
