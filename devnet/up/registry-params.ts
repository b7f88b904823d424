import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadRegistryParams, makeFolder, readRegistryParams, toSnakeCase } from '../../config/index.ts'
import { ArchiveError, computeRequiredStake, formatCoins } from '../../core/index.ts'
import { wrapDiskError } from '../disk-error.ts'
import type { Speed } from '../node/process/node-process.ts'
import { SIDECAR_NANO_MAS } from './faucet.ts'
import type { RegistryParams } from './network-files.ts'

/** What each sidecar offers. */
export const OFFERED_GB = 1
/** Of its coins a sidecar has this for fees, when it has its stake. */
const LEFT_FOR_FEES_NANO_MAS = 500_000_000_000n
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

/**
 * The settings of a file as `contract deploy --params` takes it, with which sidecars of a devnet can register.
 *
 * @throws ArchiveError DEVNET_PARAMS_INVALID; as `loadRegistryParams`
 */
export function readDevnetParams(file: string): RegistryParams {
  const { minAllocatedGb, ...config } = loadRegistryParams(file)
  const offered = BigInt(OFFERED_GB)
  if (minAllocatedGb > offered) {
    throw unfit(`${file}: sidecars of a devnet offer ${offered} GB, less than min_allocated_gb = ${minAllocatedGb}`)
  }
  const stake = computeRequiredStake(config, offered)
  const mostNanoMas = SIDECAR_NANO_MAS - LEFT_FOR_FEES_NANO_MAS
  if (stake > mostNanoMas) {
    const most = formatCoins(mostNanoMas)
    throw unfit(`${file}: sidecars of a devnet have ${most} MAS for their stake, which would be ${formatCoins(stake)}`)
  }
  // Within their bounds all are below 2^53.
  return Object.fromEntries(
    Object.entries(readRegistryParams(file)).map(([field, value]) => [
      toSnakeCase(field),
      typeof value === 'boolean' ? value : Number(value),
    ]),
  )
}

/** @throws ArchiveError DEVNET_PARAMS_INVALID where a registry has no room for so many */
export function checkSidecarCount({ max_nodes: most }: RegistryParams, sidecars: number): void {
  if (most === undefined || Number(most) >= sidecars) return
  throw unfit(`${sidecars} sidecars are more than max_nodes = ${most}`)
}

/**
 * What the registry of a devnet has other than the defaults.
 *
 * @param params - besides, or instead of, what a devnet usually has
 * @returns the file
 * @throws ArchiveError DEVNET_DIRECTORY_INVALID
 */
export function writeRegistryParams(
  { directory, speed }: { readonly directory: string; readonly speed: Speed },
  params: RegistryParams = {},
): string {
  const file = join(directory, 'registry.toml')
  const settings: RegistryParams = { challenge_response_timeout: computeResponseTimeout(speed), ...params }
  const lines = Object.entries(settings).map(([name, value]) => `    ${name} = ${value}\n`)
  const text = `[storage_registry]\n${lines.join('')}`
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

function unfit(message: string): ArchiveError {
  return new ArchiveError('DEVNET_PARAMS_INVALID', message)
}
