import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ArchiveError, type ErrorCode, HOLES_MARK, isArchiveError, type StoreIdentity } from '../core/index.ts'
import { explainHeld, openUnlessHeld } from './await-holder.ts'
import { BALLAST_BYTES, Ballast } from './ballast.ts'
import { ChallengeHistory } from './challenge/challenge-history.ts'
import { DrawSignatures } from './challenge/draw-signatures.ts'
import { checkFiles } from './check-files.ts'
import type { OnRead } from './chunk-reader.ts'
import { LevelChunkStore } from './chunk-store.ts'
import { readClosingSizes, writeClosingSizes } from './closing-sizes.ts'
import { readDaemonInfo, removeDaemonInfo, writeDaemonInfo } from './daemon-info.ts'
import { isBlank } from './database-files.ts'
import { DiskSpace } from './disk-space.ts'
import { explainAccess } from './explain-access.ts'
import { GuardedLevel, type Level, type StoreLevel } from './guarded-level.ts'
import { addIdentityCopy, claimArchive, isEmptyArchive, recoverIdentity } from './identity-copy.ts'
import { isDiskFull } from './level-errors.ts'
import { BODIES_OPTIONS, createClassicLevel, INDEX_OPTIONS } from './level-options.ts'
import { MIGRATIONS, type Migration, planMigrations, runMigrations, SCHEMA_VERSION } from './migrations.ts'
import { PlacementArchive } from './placement/placement-archive.ts'
import { checkTables } from './repair-database.ts'
import { RewardHistory } from './rewards/reward-history.ts'
import { OperationJournal } from './sending/operation-journal.ts'
import { LevelSpool } from './spool.ts'
import { checkStoreFiles, describeMended, nameDamages, rebuildDatabases } from './store-databases.ts'
import { checkIdentity, IDENTITY_FILE, readIdentity, type StoredIdentity, writeIdentity } from './store-identity.ts'
import type { Damage } from './verify-report.ts'

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
   * index; `verifyArchive` then names what was lost. When `store.json` is damaged, write it from what the databases say.
   */
  readonly repair?: boolean
  /** With `repair`, for archives of which neither copy nor chunks tell their size. */
  readonly chunkSizeBytes?: number
  /** Rebuild both databases although they open: verification found a damaged table in them. */
  readonly rebuild?: boolean
  /** Ends the wait for a holder of the lock that has not said yet who it is. */
  readonly signal?: AbortSignal
  /** For tests: the longest such wait. */
  readonly lockWaitMs?: number
  /** Told of values as they are read; not by verification and scrub, which tell by themselves. */
  readonly onRead?: OnRead
  /** For tests. */
  readonly migrations?: readonly Migration[]
  /** For tests: what the databases are made of. */
  readonly createLevel?: (location: string, options: object) => Level
}

/** Data directories that this process has open: refused before their files are touched. LevelDB's lock is for others. */
const openHere = new Set<string>()

interface Databases {
  readonly bodies: GuardedLevel
  readonly index: GuardedLevel
}

/** Absent of `stored`: `store.json` is damaged and to be repaired, for which the databases must be open. */
interface Preparation {
  readonly stored: StoredIdentity | undefined
  /** Nothing was ever written here: the databases are to be made. */
  readonly isNew?: boolean
  /** The archive is for something else: refused unless it is empty. */
  readonly mismatch?: ArchiveError
}

/** An open archive. */
export interface Store {
  readonly dataDir: string
  readonly chunks: LevelChunkStore
  readonly spool: LevelSpool
  readonly challenges: ChallengeHistory
  readonly drawSignatures: DrawSignatures
  readonly operations: OperationJournal
  readonly placements: PlacementArchive
  readonly rewards: RewardHistory
  readonly disk: DiskSpace
  /** What opening it with `repair` wrote anew. */
  readonly mended: readonly Damage[]
  /** Looks at the files beside the tables; see `checkFiles`. */
  checkFiles(repair: boolean): Promise<Damage[]>
  /** Tells other processes where the API listens. @throws ArchiveError STORE_DISK_FULL */
  announce(apiUrl: string): Promise<void>
  /** Finishes writes and lets go of the data directory. Idempotent. */
  close(): Promise<void>
}

/**
 * Opens the archive in `dataDir`, or begins one with `identity` where nothing is.
 *
 * Databases are made before `store.json` is, and never beside it: what it stands beside is damaged when it is gone. An
 * archive that holds nothing is for whoever opens it with an identity. Older layouts are migrated; what a crash left
 * undone is finished.
 *
 * @throws ArchiveError STORE_MISSING without `identity`, STORE_IDENTITY_MISMATCH, STORE_IDENTITY_DAMAGED,
 *   STORE_SCHEMA_TOO_NEW, STORE_SCHEMA_TOO_OLD, STORE_LOCKED with `pid` and `apiUrl` of the other process, for which it
 *   waits a few seconds while a process that just got the lock has not noted them,
 *   STORE_DATABASE_DAMAGED, STORE_DISK_FULL, STORE_READ_ONLY, STORE_ACCESS_DENIED, STORE_OPEN_FAILED,
 *   CONFIG_VALUE_INVALID for a path that no file can have
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const dataDir = resolve(options.dataDir)
  const open = async () => openPrepared({ ...options, dataDir }, await prepareIdentity({ ...options, dataDir }))
  // By LevelDB: that this process has it is known.
  const isLocked = (error: unknown) => isArchiveError(error, 'STORE_LOCKED') && error.context.pid === undefined
  try {
    const { lockWaitMs: limitMs, signal } = options
    return await openUnlessHeld({ dataDir, limitMs, signal }, open, isLocked)
  } catch (error) {
    throw explainAccess(error, dataDir)
  }
}

async function openPrepared(options: OpenStoreOptions, preparation: Preparation): Promise<Store> {
  const { dataDir } = options
  const { stored, isNew, mismatch } = preparation
  const plan = (version: number) => planMigrations(version, options.migrations ?? MIGRATIONS)
  if (stored) plan(stored.schemaVersion)
  const disk = new DiskSpace({
    dataDir,
    ...(options.freeFloorBytes === undefined ? {} : { floorBytes: options.freeFloorBytes }),
    ...(options.quotaGb === undefined ? {} : { quotaGb: options.quotaGb }),
  })
  const ballast = new Ballast(disk, options.ballastBytes ?? BALLAST_BYTES)
  const create = options.createLevel ?? createClassicLevel
  const levelsOf = (createIfMissing: boolean) =>
    (['bodies', 'index'] as const).map((name): StoreLevel => {
      const location = join(dataDir, name)
      const levelOptions = { ...(name === 'bodies' ? BODIES_OPTIONS : INDEX_OPTIONS), createIfMissing }
      return { name, location, create: () => create(location, levelOptions), onDiskFull: () => ballast.release() }
    })
  const levels = levelsOf(false)
  const mended: Damage[] = stored ? [] : [makeMended(IDENTITY_FILE, 'STORE_IDENTITY_DAMAGED')]
  let isNoted = false
  const inform = async () => {
    isNoted = true
    await informOthers(dataDir)
  }
  const forget = async () => {
    if (isNoted) await removeDaemonInfo(dataDir).catch(() => undefined)
    isNoted = false
  }
  const openOnce = async (isRepaired: boolean): Promise<Store> => {
    const opened: GuardedLevel[] = []
    try {
      await checkStoreFiles(levels, readClosingSizes(dataDir))
      for (const level of levels) {
        const database = await GuardedLevel.open(level)
        // Who has the lock of the first has the archive.
        if (opened.push(database) === 1) await inform()
        checkTables(database)
      }
      const [bodies, index] = opened
      if (!bodies || !index) throw new ArchiveError('STORE_OPEN_FAILED', 'two databases are needed')
      const known = stored ?? (await restoreIdentity({ bodies, index }, { ...options, dataDir }))
      const migrate = () => runMigrations(plan(known.schemaVersion), { bodies, index }, { dataDir, stored: known })
      await migrate().catch(async (error: NodeJS.ErrnoException) => {
        // A full disk must not keep an archive from being opened after an upgrade.
        if (error.code !== 'ENOSPC' && !isArchiveError(error, 'STORE_DISK_FULL')) throw error
        await ballast.release()
        await migrate()
      })
      if (mismatch && !(await isEmptyArchive({ bodies, index }))) throw mismatch
      const identity = (mismatch && options.identity) ?? known.identity
      if (mismatch) await claimArchive(index, dataDir, identity)
      else await keepIdentityCopy(index, { identity, schemaVersion: SCHEMA_VERSION })
      const chunks = new LevelChunkStore(identity, { bodies, index, disk, ballast, onRead: options.onRead })
      await chunks.recover()
      if (isRepaired) {
        await chunks.restoreIndex()
        await new LevelSpool(index).deleteMark(HOLES_MARK)
      }
      await ballast.restore()
      return makeStore(dataDir, chunks, disk, mended)
    } catch (error) {
      // As long as the lock is held: the next holder's note is not ours to delete.
      if (opened.length > 0) await forget()
      for (const level of opened.reverse()) await level.close()
      throw error
    }
  }
  if (openHere.has(dataDir)) throw explainHeld(dataDir, { ...(await readDaemonInfo(dataDir)), pid: process.pid })
  openHere.add(dataDir)
  try {
    if (isNew && stored) {
      for (const level of levelsOf(true)) {
        await (await GuardedLevel.open(level)).close()
      }
      await writeIdentity(dataDir, stored)
    }
    if (options.rebuild) {
      const tables = await rebuildDatabases(levels, { dataDir, creating: levelsOf(true), onUnlocked: inform })
      mended.push(...tables.map(describeMended))
      return await openOnce(true)
    }
    return await openOnce(false).catch(async (error) => {
      const damage = asDamage(error)
      if (!options.repair || !isArchiveError(damage, 'STORE_DATABASE_DAMAGED')) throw damage
      const named = nameDamages(levels, damage, readClosingSizes(dataDir))
      const tables = await rebuildDatabases(levels, { dataDir, creating: levelsOf(true), onUnlocked: inform })
      mended.push(...tables.map(describeMended))
      for (const what of named) {
        if (!tables.some((table) => what.startsWith(table.what))) mended.push(makeMended(what, damage.code))
      }
      return openOnce(true)
    })
  } catch (error) {
    await forget()
    openHere.delete(dataDir)
    throw error
  }
}

/** What cannot be read while opening keeps the archive closed as much as what cannot be opened. */
function asDamage(error: unknown): unknown {
  if (!isArchiveError(error, 'STORE_READ_FAILED')) return error
  return new ArchiveError('STORE_DATABASE_DAMAGED', error.message, error.context, error)
}

function makeStore(dataDir: string, chunks: LevelChunkStore, disk: DiskSpace, mended: readonly Damage[]): Store {
  let closing: Promise<void> | undefined
  const close = async () => {
    try {
      await chunks.close()
      await writeClosingSizes(dataDir)
    } finally {
      try {
        await chunks.index.close()
      } finally {
        await removeDaemonInfo(dataDir).catch(() => undefined)
        await chunks.bodies.close()
        openHere.delete(dataDir)
      }
    }
  }
  return {
    dataDir,
    chunks,
    spool: new LevelSpool(chunks.index, disk),
    challenges: new ChallengeHistory(chunks.index),
    drawSignatures: new DrawSignatures(chunks.index),
    operations: new OperationJournal(chunks.index),
    placements: new PlacementArchive(chunks.index),
    rewards: new RewardHistory(chunks.index),
    disk,
    mended,
    checkFiles: (repair) => checkFiles(dataDir, chunks, repair),
    announce: (apiUrl) => announce(dataDir, apiUrl),
    close() {
      closing ??= close()
      return closing
    },
  }
}

async function prepareIdentity(options: OpenStoreOptions): Promise<Preparation> {
  const { dataDir, identity, repair } = options
  try {
    const stored = await readIdentity(dataDir)
    if (stored) {
      const mismatch = identity && findMismatch(stored.identity, identity)
      return { stored, ...(mismatch ? { mismatch } : {}) }
    }
    // A start that ended before it was done leaves databases in which nothing is.
    if (!isBlank(join(dataDir, 'bodies')) || !isBlank(join(dataDir, 'index'))) {
      throw damagedIdentity(dataDir, `store.json is missing beside a database in ${dataDir}`)
    }
  } catch (error) {
    if (repair && isArchiveError(error, 'STORE_IDENTITY_DAMAGED')) return { stored: undefined }
    throw error
  }
  if (!identity) {
    throw new ArchiveError('STORE_MISSING', `there is no archive in ${dataDir}`, { dataDir })
  }
  await mkdir(dataDir, { recursive: true })
  return { stored: { identity, schemaVersion: SCHEMA_VERSION }, isNew: true }
}

function findMismatch(found: StoreIdentity, wanted: StoreIdentity): ArchiveError | undefined {
  try {
    checkIdentity(found, wanted)
    return undefined
  } catch (error) {
    if (isArchiveError(error, 'STORE_IDENTITY_MISMATCH')) return error
    throw error
  }
}

/** Writes `store.json` from what the databases say. */
async function restoreIdentity(databases: Databases, options: OpenStoreOptions): Promise<StoredIdentity> {
  const { dataDir, identity, chunkSizeBytes } = options
  const found = await recoverIdentity(databases, chunkSizeBytes)
  if (!found) {
    throw damagedIdentity(dataDir, `nothing in ${dataDir} says what it is for: it holds no period, move it away`)
  }
  if (identity) checkIdentity(found.identity, identity)
  await writeIdentity(dataDir, found)
  return found
}

/** A full disk must not keep an archive from being opened: the copy is written at the next opening then. */
async function keepIdentityCopy(index: GuardedLevel, stored: StoredIdentity): Promise<void> {
  try {
    await addIdentityCopy(index, stored)
  } catch (error) {
    if (!isArchiveError(error, 'STORE_DISK_FULL') && !isArchiveError(error, 'STORE_WRITE_FAILED')) throw error
  }
}

function makeMended(what: string, code: ErrorCode): Damage {
  return { what, code, repairable: true, repaired: true }
}

function damagedIdentity(dataDir: string, message: string): ArchiveError {
  return new ArchiveError('STORE_IDENTITY_DAMAGED', message, { dataDir })
}

/** A full disk must not keep an archive from being opened and read: nobody is named then. */
async function informOthers(dataDir: string): Promise<void> {
  await writeDaemonInfo(dataDir).catch((error) => {
    if (!isDiskFull(error)) throw error
  })
}

async function announce(dataDir: string, apiUrl: string): Promise<void> {
  await writeDaemonInfo(dataDir, apiUrl).catch((error) => {
    if (!isDiskFull(error)) throw error
    throw new ArchiveError('STORE_DISK_FULL', 'there is no room to note where the API listens', { dataDir }, error)
  })
}
