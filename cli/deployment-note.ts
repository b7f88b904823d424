import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { makeFolder } from '../config/index.ts'
import { ArchiveError } from '../core/index.ts'
import type { SignedOperation } from '../storage-worker/index.ts'

/** A deployment that was signed and whose address is not yet in the configuration. */
export interface DeploymentNote {
  readonly signed: SignedOperation
  readonly admin: string
  /** SHA-256 of the settings of the registry, hex */
  readonly settingsHash: string
  /** Of code and records. */
  readonly priceNanoMas: bigint
}

const amount = z.string().regex(/^\d{1,20}$/)
const schema = z.strictObject({
  // Notes of earlier versions have a field more.
  signed: z.object({
    operationId: z.string(),
    sender: z.string(),
    balanceNanoMas: amount.transform(BigInt),
    expirePeriod: z.int(),
    feeNanoMas: amount.transform(BigInt),
    maxGas: amount.transform(BigInt),
  }),
  admin: z.string(),
  settingsHash: z.string(),
  priceNanoMas: amount.transform(BigInt),
})

/** Where the note stands: beside the configuration that the address will be written into. */
export function deploymentNotePath(configFile: string, chainId: bigint): string {
  return join(dirname(configFile), `deployment-${chainId}.json`)
}

/** @throws ArchiveError CONTRACT_DEPLOYING when it cannot be read */
export function readDeploymentNote(path: string): DeploymentNote | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new ArchiveError('CONTRACT_DEPLOYING', `${path} tells of a deployment and cannot be read`, { path }, cause)
  }
}

/**
 * Puts the note on disk before the operation leaves. Two processes cannot both: the second one sends nothing.
 *
 * @throws ArchiveError CONFIG_FILE_UNWRITABLE, CONTRACT_DEPLOYING
 */
export function writeDeploymentNote(path: string, note: DeploymentNote): void {
  try {
    makeFolder(dirname(path))
    const handle = openSync(path, 'wx', 0o600)
    try {
      writeSync(
        handle,
        `${JSON.stringify(note, (_key, value) => (typeof value === 'bigint' ? `${value}` : value), 2)}\n`,
      )
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    if (reason === 'EEXIST') {
      throw new ArchiveError('CONTRACT_DEPLOYING', `another process is deploying: it wrote ${path}`, { path }, cause)
    }
    throw new ArchiveError('CONFIG_FILE_UNWRITABLE', `cannot write ${path} (${reason})`, { path, reason }, cause)
  }
}

export function removeDeploymentNote(path: string): void {
  rmSync(path, { force: true })
}
