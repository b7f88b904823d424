import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { KEY_FILES } from './key-files.ts'
import { replaceFile } from './store-identity.ts'

/*
 * A log that was cut off looks as one that a crash cut off, and a manifest too. So what both were long when a store was
 * last closed stands in `sizes.json`. LevelDB lengthens and deletes them and uses no number twice: whatever came since, a
 * file that is shorter is damaged.
 */

export const SIZES_FILE = 'sizes.json'

/** Bytes of each file, named from the data directory on, with `/`. */
export type ClosingSizes = ReadonlyMap<string, number>

/** What stands in `sizes.json`; nothing when it is missing or damaged. */
export function readClosingSizes(dataDir: string): ClosingSizes {
  try {
    const { files, checksum } = JSON.parse(readFileSync(join(dataDir, SIZES_FILE), 'utf8')) as Record<string, unknown>
    const entries = Object.entries(files as Record<string, number>)
    return checksum === computeChecksum(entries) ? new Map(entries) : new Map()
  } catch {
    // It lets damage be found: without it the archive opens all the same.
    return new Map()
  }
}

/**
 * Notes how long logs and manifests are, synced before. The store is still open, and nothing more is written.
 *
 * @remarks leaves the older note where this one cannot be written: it stays true
 */
export async function writeClosingSizes(dataDir: string): Promise<void> {
  const known = readClosingSizes(dataDir)
  const sizes = new Map<string, number>()
  try {
    for (const folder of ['bodies', 'index']) {
      for (const name of readdirSync(join(dataDir, folder)).filter(isGrowing)) {
        sizes.set(`${folder}/${name}`, await readSyncedSize(join(dataDir, folder, name)))
      }
    }
    // A key that was lost stays noted: readers miss it as long as no other is made.
    for (const file of KEY_FILES) if (existsSync(join(dataDir, file)) || known.has(file)) sizes.set(file, 0)
    await replaceSizes(dataDir, sizes)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
  }
}

/** Before a repair, which makes manifests with numbers that were used. That there was a key stays noted. */
export async function forgetClosingSizes(dataDir: string): Promise<void> {
  const known = readClosingSizes(dataDir)
  const keys = KEY_FILES.filter((file) => known.has(file))
  if (keys.length > 0) await replaceSizes(dataDir, new Map(keys.map((file) => [file, 0])))
  else await rm(join(dataDir, SIZES_FILE), { force: true })
}

/** Files of a database that are shorter than they were when the store was closed. */
export function listShortened(location: string, sizes: ReadonlyMap<string, number>): string[] {
  return [...sizes].flatMap(([name, size]) => {
    const found = statSync(join(location, name), { throwIfNoEntry: false })
    return found && found.size < size ? [name] : []
  })
}

/** Those of one database, named as in its folder. */
export function sizesOf(sizes: ClosingSizes, database: string): Map<string, number> {
  const prefix = `${database}/`
  return new Map(
    [...sizes].flatMap(([name, size]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), size]] : [])),
  )
}

async function replaceSizes(dataDir: string, sizes: ClosingSizes): Promise<void> {
  const entries = [...sizes]
  const text = JSON.stringify({ files: Object.fromEntries(entries), checksum: computeChecksum(entries) })
  await replaceFile(dataDir, SIZES_FILE, `${text}\n`)
}

function isGrowing(name: string): boolean {
  return /^(\d+\.log|MANIFEST-\d+)$/.test(name)
}

async function readSyncedSize(path: string): Promise<number> {
  const file = await open(path, 'r+')
  try {
    const { size } = await file.stat()
    if (size > 0) await file.sync()
    return size
  } finally {
    await file.close()
  }
}

function computeChecksum(entries: readonly (readonly [string, number])[]): string {
  return createHash('sha256').update(JSON.stringify(entries)).digest('hex')
}
