import { dirname } from 'node:path'
import { NetworkFiles } from '../../../devnet/up/network-files.ts'

/** Tells programs by their names which sidecar each is after, or belongs to: a JSON object. */
export const FELLOWS_ENV = 'ADVERSARY_FELLOWS'

/** Massa address of the sidecar of this network that a program is after. @throws Error when there is none */
export function findFellow(program: string): string {
  const fellows = JSON.parse(process.env[FELLOWS_ENV] ?? '{}') as Readonly<Record<string, string>>
  const sidecars = new NetworkFiles(dirname(process.cwd())).readDescription()?.sidecars ?? []
  const found = sidecars.find(({ name }) => name === fellows[program])
  if (!found) throw new Error(`nobody is cast for ${program}`)
  return found.address
}
