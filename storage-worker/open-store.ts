import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ArchiveError, isArchiveError, type StoreIdentity } from '../core/index.ts'
import { BALLAST_BYTES, Ballast } from './ballast.ts'
import { LevelChunkStore } from './chunk-store.ts'
import { type DaemonInfo, readDaemonInfo, removeDaemonInfo, writeDaemonInfo } from './daemon-info.ts'
import { DiskSpace } from './disk-space.ts'
import { GuardedLevel, type GuardedLevelOptions, type Level } from './guarded-level.ts'
import { BODIES_OPTIONS, createClassicLevel, INDEX_OPTIONS } from './level-options.ts'
import { MIGRATIONS, type Migration, planMigrations, runMigrations, SCHEMA_VERSION } from './migrations.ts'
import { checkTables, repairDatabase } from './repair-database.ts'
import { LevelSpool } from './spool.ts'
import { checkIdentity, readIdentity, writeIdentity } from './store-identity.ts'

export interface OpenStoreOptions {
  readonly dataDir: string
  /** What the store must be for; absent: whatever it is for, and a new one is refused (for commands). */
  readonly identity?: StoreIdentity
  /** In 10^9 bytes of disk; 0 or absent: none. */
  readonly quotaGb?: number
  /** New periods are refused when less is free; default 256 MiB. */
  readonly freeFloorBytes?: number
  /** Default 64 MiB; 0: none. */
  readonly ballastBytes?: number
  /**
   * When a database does not open, or has tables that LevelDB cannot read, make it from what is sound and rebuild the
   * index; `verifyArchive` then names what was lost.
   */
  readonly repair?: boolean
  /** Rebuild both databases although they open: verification found a damaged table in them. */
  readonly rebuild?: boolean
  /** For tests. */
  readonly migrations?: readonly Migration[]
  /** For tests: what the databases are made of. */
  readonly createLevel?: (location: string, options: object) => Level
}

/** Data directories that this process has open: refused before their files are touched. LevelDB's lock is for others. */
const openHere = new Set<string>()

/** An open archive. */
export interface Store {
  readonly dataDir: string
  readonly chunks: LevelChunkStore
  readonly spool: LevelSpool
  readonly disk: DiskSpace
  /** Tells other processes where the API listens. */
  announce(apiUrl: string): Promise<void>
  /** Finishes writes and lets go of the data directory. Idempotent. */
  close(): Promise<void>
}

/**
 * Opens the archive in `dataDir`, or begins one.
 *
 * The identity is checked before anything is opened; older layouts are migrated; what a crash left undone is finished.
 *
 * @throws ArchiveError STORE_IDENTITY_MISMATCH, STORE_IDENTITY_DAMAGED, STORE_SCHEMA_TOO_NEW, STORE_SCHEMA_TOO_OLD,
 *   STORE_LOCKED with `pid` and `apiUrl` of the other process, STORE_DATABASE_DAMAGED, STORE_DISK_FULL, STORE_OPEN_FAILED
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const dataDir = resolve(options.dataDir)
  const stored = await prepareIdentity({ ...options, dataDir })
  const steps = planMigrations(stored.schemaVersion, options.migrations ?? MIGRATIONS)
  const disk = new DiskSpace({
    dataDir,
    ...(options.freeFloorBytes === undefined ? {} : { floorBytes: options.freeFloorBytes }),
    ...(options.quotaGb === undefined ? {} : { quotaGb: options.quotaGb }),
  })
  const ballast = new Ballast(disk, options.ballastBytes ?? BALLAST_BYTES)
  const create = options.createLevel ?? createClassicLevel
  const levels = (['bodies', 'index'] as const).map((name) => {
    const location = join(dataDir, name)
    const levelOptions = name === 'bodies' ? BODIES_OPTIONS : INDEX_OPTIONS
    return { name, location, create: () => create(location, levelOptions), onDiskFull: () => ballast.release() }
  })
  const openOnce = async (isRepaired: boolean): Promise<Store> => {
    const opened: GuardedLevel[] = []
    try {
      for (const level of levels) {
        const database = await GuardedLevel.open(level).catch((error) => explainLock(error, dataDir))
        opened.push(database)
        checkTables(database)
      }
      const [bodies, index] = opened
      if (!bodies || !index) throw new ArchiveError('STORE_OPEN_FAILED', 'two databases are needed')
      await runMigrations(steps, { bodies, index }, { dataDir, stored })
      const chunks = new LevelChunkStore(stored.identity, { bodies, index, disk, ballast })
      await chunks.recover()
      if (isRepaired) await chunks.restoreIndex()
      await ballast.restore()
      await informOthers(dataDir, { pid: process.pid })
      return makeStore(dataDir, chunks, disk)
    } catch (error) {
      for (const level of opened) await level.close()
      throw error
    }
  }
  if (openHere.has(dataDir)) await explainLock(new ArchiveError('STORE_LOCKED', 'open in this process'), dataDir)
  openHere.add(dataDir)
  try {
    if (options.rebuild) {
      await rebuildDatabases(levels)
      return await openOnce(true)
    }
    return await openOnce(false).catch(async (error) => {
      const damage = asDamage(error)
      if (!options.repair || !isArchiveError(damage, 'STORE_DATABASE_DAMAGED')) throw damage
      await rebuildDatabases(levels)
      return openOnce(true)
    })
  } catch (error) {
    openHere.delete(dataDir)
    throw error
  }
}

async function rebuildDatabases(
  levels: readonly (GuardedLevelOptions & { readonly location: string })[],
): Promise<void> {
  for (const level of levels) await checkUnlocked(level)
  for (const level of levels) await repairDatabase(level.location)
}

/** What cannot be read while opening keeps the archive closed as much as what cannot be opened. */
function asDamage(error: unknown): unknown {
  if (!isArchiveError(error, 'STORE_READ_FAILED')) return error
  return new ArchiveError('STORE_DATABASE_DAMAGED', error.message, error.context, error)
}

function makeStore(dataDir: string, chunks: LevelChunkStore, disk: DiskSpace): Store {
  let closing: Promise<void> | undefined
  const close = async () => {
    await chunks.close()
    await chunks.index.close()
    await removeDaemonInfo(dataDir)
    await chunks.bodies.close()
    openHere.delete(dataDir)
  }
  return {
    dataDir,
    chunks,
    spool: new LevelSpool(chunks.index),
    disk,
    announce: (apiUrl) => informOthers(dataDir, { pid: process.pid, apiUrl }),
    close() {
      closing ??= close()
      return closing
    },
  }
}

async function prepareIdentity(options: OpenStoreOptions) {
  const { dataDir, identity } = options
  const stored = await readIdentity(dataDir)
  if (stored) {
    if (identity) checkIdentity(stored.identity, identity)
    return stored
  }
  if (existsSync(join(dataDir, 'bodies'))) {
    throw new ArchiveError('STORE_IDENTITY_DAMAGED', `store.json is missing beside a database in ${dataDir}`, {
      dataDir,
    })
  }
  if (!identity) {
    throw new ArchiveError('STORE_IDENTITY_MISMATCH', `there is no archive in ${dataDir}`, { dataDir })
  }
  await mkdir(dataDir, { recursive: true })
  const fresh = { identity, schemaVersion: SCHEMA_VERSION }
  await writeIdentity(dataDir, fresh)
  return fresh
}

/** LevelDB takes its lock before it looks at anything; `repair` takes none. */
async function checkUnlocked(options: GuardedLevelOptions): Promise<void> {
  try {
    await (await GuardedLevel.open(options)).close()
  } catch (error) {
    if (isArchiveError(error, 'STORE_LOCKED')) throw error
  }
}

/** A full disk must not keep an archive from being opened and read. */
async function informOthers(dataDir: string, info: DaemonInfo): Promise<void> {
  await writeDaemonInfo(dataDir, info).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOSPC') throw error
  })
}

async function explainLock(error: unknown, dataDir: string): Promise<never> {
  if (!isArchiveError(error, 'STORE_LOCKED')) throw error
  const holder = await readDaemonInfo(dataDir)
  const who = holder ? `process ${holder.pid}` : 'another process'
  const where = holder?.apiUrl ? `, ${holder.apiUrl}` : ''
  throw new ArchiveError(
    'STORE_LOCKED',
    `${dataDir} is in use by ${who}${where}`,
    { dataDir, pid: holder?.pid, apiUrl: holder?.apiUrl },
    error,
  )
}
