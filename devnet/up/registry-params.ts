import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder } from '../../config/index.ts'
import { wrapDiskError } from '../disk-error.ts'
import type { Speed } from '../node/process/node-process.ts'

const TIMEOUT_MS = 60_000
/** The most that a registry takes. */
const MAX_TIMEOUT_MS = 3_600_000
/** About what three sidecars on two cores let a chain in turbo do. */
const TURBO = 60

/**
 * Chain time runs faster than the machine does: a node is to have as long as beside a real chain, by the clock on the wall.
 *
 * @returns ms of chain time to answer a challenge
 */
export function computeResponseTimeout(speed: Speed): number {
  const factor = speed === 'turbo' ? TURBO : Math.max(1, speed)
  return Math.min(MAX_TIMEOUT_MS, Math.round(TIMEOUT_MS * factor))
}

/** What the registry of a devnet has other than the defaults. @returns the file @throws ArchiveError DEVNET_DIRECTORY_INVALID */
export function writeRegistryParams({
  directory,
  speed,
}: {
  readonly directory: string
  readonly speed: Speed
}): string {
  const file = join(directory, 'registry.toml')
  const text = `[storage_registry]\n    challenge_response_timeout = ${computeResponseTimeout(speed)}\n`
  try {
    makeFolder(directory, 0o700)
    writeFileSync(file, `# Written by \`massa-storage devnet up\` before it deploys.\n${text}`, { mode: 0o600 })
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    throw wrapDiskError(cause, {
      code: 'DEVNET_DIRECTORY_INVALID',
      message: `cannot write ${file} (${reason})`,
      context: { file, reason },
    })
  }
  return file
}
