import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ArchiveError } from '../core/errors.ts'

const PACKAGE_NAME = 'massa-storage'

interface PackageManifest {
  readonly name?: string
  readonly version?: string
}

/**
 * The folder of our package.json, from the sources and from `dist` alike: files that ship beside the code are found from it.
 *
 * @param from - file URL to start at, this module by default
 * @throws ArchiveError `CONFIG_FILE_MISSING` when no folder above holds it
 */
export function findPackageRoot(from: string = import.meta.url): string {
  let folder = dirname(fileURLToPath(from))
  for (;;) {
    if (readManifest(folder)?.name === PACKAGE_NAME) return folder
    const parent = dirname(folder)
    if (parent === folder) {
      throw new ArchiveError('CONFIG_FILE_MISSING', `no package.json of ${PACKAGE_NAME} above ${fileURLToPath(from)}`)
    }
    folder = parent
  }
}

/** Version of this software, as in package.json. */
export function readPackageVersion(): string {
  return readManifest(findPackageRoot())?.version ?? 'unknown'
}

function readManifest(folder: string): PackageManifest | undefined {
  const path = join(folder, 'package.json')
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as PackageManifest) : undefined
}
