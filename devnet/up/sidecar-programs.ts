import { statSync } from 'node:fs'
import { ArchiveError } from '../../core/index.ts'

/** By name of a sidecar: absolute path of the JavaScript file that runs in place of our own command line. */
export type SidecarPrograms = ReadonlyMap<string, string>

/**
 * @param names - of the sidecars that the network has
 * @throws ArchiveError DEVNET_PROGRAM_INVALID
 */
export function checkSidecarPrograms(programs: SidecarPrograms, names: readonly string[]): void {
  for (const [name, file] of programs) {
    const refuse = (message: string) => new ArchiveError('DEVNET_PROGRAM_INVALID', message, { name, file })
    if (!names.includes(name)) throw refuse(`there is no ${name}: the network has ${names.join(', ')}`)
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw refuse(`the program of ${name} is no file: ${file}`)
  }
}
