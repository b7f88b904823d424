import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, TomlError } from 'smol-toml'
import {
  ArchiveError,
  checkRegistryConfig,
  computeConfigBounds,
  isArchiveError,
  REGISTRY_CONFIG_FIELDS,
  type RegistryConfig,
} from '../core/index.ts'
import { formatValue, shorten } from './format-value.ts'
import { findNearestKey } from './nearest-key.ts'
import { findPackageRoot } from './package-root.ts'

const TABLE = 'storage_registry'
const NAMES = new Map(REGISTRY_CONFIG_FIELDS.map((field) => [toSnakeCase(field), field]))
/** Of 22 fields, 7 are u32 on the wire and numbers here. */
const SMALL: ReadonlySet<keyof RegistryConfig> = new Set<keyof RegistryConfig>([
  'samplesPerChallenge',
  'maxOpenChallengesPerNode',
  'strikesBeforeSlash',
  'replicationFactor',
  'anchorQuorumPpm',
  'passesPerStrike',
  'placementLagEras',
])
const U32_MAX = 0xffff_ffffn

/** Path of the shipped settings of a registry. */
export function baseRegistryPath(): string {
  return join(findPackageRoot(), 'config', 'base_registry.toml')
}

/** Path of what differs from them where coins have value. */
export function productionRegistryPath(): string {
  return join(findPackageRoot(), 'config', 'production_registry.toml')
}

/**
 * The settings that a TOML file gives in its table `[storage_registry]`: names as the contract's in snake_case.
 *
 * @throws ArchiveError CONFIG_PARAMS_MISSING, CONFIG_SYNTAX, CONFIG_KEY_UNKNOWN, CONFIG_VALUE_INVALID
 */
export function readRegistryParams(file: string): Partial<RegistryConfig> {
  const table = readTable(file)
  const values: Record<string, number | bigint | boolean> = {}
  for (const [name, value] of Object.entries(table)) {
    const field = NAMES.get(name)
    if (field === undefined) {
      const nearest = findNearestKey(name, [...NAMES.keys()])
      const advice =
        nearest === undefined ? `its settings are ${[...NAMES.keys()].join(', ')}` : `the nearest is ${nearest}`
      const message = `${file}: there is no setting ${name} of a registry; ${advice}`
      throw new ArchiveError('CONFIG_KEY_UNKNOWN', message, { file, key: name, nearest })
    }
    values[field] = checkType(value, { field, name, file })
  }
  return values as Partial<RegistryConfig>
}

/**
 * The settings to deploy with: the file's, and the shipped ones for what it leaves out; all within the contract's bounds.
 *
 * @param file - undefined for the shipped ones alone
 * @throws ArchiveError as `readRegistryParams`, and REGISTRY_CONFIG_INVALID naming the file
 */
export function loadRegistryParams(file: string | undefined): RegistryConfig {
  const config = { ...readRegistryParams(baseRegistryPath()), ...(file === undefined ? {} : readRegistryParams(file)) }
  checkParams(config as RegistryConfig, file ?? baseRegistryPath())
  return config as RegistryConfig
}

/** As `checkRegistryConfig`, in the words of the file. */
export function checkParams(config: RegistryConfig, file: string): void {
  try {
    checkRegistryConfig(config)
  } catch (error) {
    if (!isArchiveError(error, 'REGISTRY_CONFIG_INVALID')) throw error
    const field = String(error.context.field)
    const message = `${file}: ${error.message.replace(field, toSnakeCase(field))}`
    throw new ArchiveError('REGISTRY_CONFIG_INVALID', message, { ...error.context, file }, error)
  }
}

/** `minAllocatedGb` to `min_allocated_gb`. */
export function toSnakeCase(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function readTable(file: string): Readonly<Record<string, unknown>> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unreadable'
    throw new ArchiveError('CONFIG_PARAMS_MISSING', `cannot read ${file} (${reason})`, { file, reason }, cause)
  }
  const document = parseToml(text, file)
  const stray = Object.keys(document).find((key) => key !== TABLE)
  if (stray !== undefined) {
    throw new ArchiveError(
      'CONFIG_KEY_UNKNOWN',
      `${file}: '${stray}' does not belong here; settings stand below [${TABLE}]`,
      {
        file,
        key: stray,
      },
    )
  }
  const table = document[TABLE]
  if (typeof table !== 'object' || table === null || Array.isArray(table)) {
    throw new ArchiveError('CONFIG_VALUE_INVALID', `${file} has no table [${TABLE}]`, { file })
  }
  return table as Readonly<Record<string, unknown>>
}

function parseToml(text: string, file: string): Readonly<Record<string, unknown>> {
  try {
    return parse(text.replace(/^\uFEFF/, ''), { integersAsBigInt: true, unsafeKeyBehaviour: 'throw' })
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause
    const reason = (cause.message.split('\n')[0] ?? '').replace('Invalid TOML document: ', '')
    const { line, column } = cause
    throw new ArchiveError('CONFIG_SYNTAX', `${file}:${line}:${column}: ${reason}`, { file, line, column }, cause)
  }
}

/** Of one value alone, with the others as they allow the most. */
const LOOSEST = { maxAllocatedGb: 1_000_000n, requireAnchors: false, unbondingPeriods: 0n } as const

function checkType(
  value: unknown,
  { field, name, file }: { field: keyof RegistryConfig; name: string; file: string },
): number | bigint | boolean {
  if (field === 'requireAnchors' && typeof value === 'boolean') return value
  const isSmall = SMALL.has(field)
  if (field !== 'requireAnchors' && typeof value === 'bigint' && value >= 0n && (!isSmall || value <= U32_MAX)) {
    return isSmall ? Number(value) : value
  }
  const allowed = describeAllowed(field, value)
  throw new ArchiveError(
    'CONFIG_VALUE_INVALID',
    `${file}: ${name} = ${shorten(formatValue(value))} is not allowed; it must be ${allowed}`,
    {
      file,
      key: name,
      allowed,
    },
  )
}

function describeAllowed(field: keyof RegistryConfig, value: unknown): string {
  if (field === 'requireAnchors') return 'true or false'
  const { min, max } = computeConfigBounds(LOOSEST, field)
  const allowed = `a whole number from ${min} to ${max}`
  // TOML reads 1e9 as a float, which by then looks like 1000000000.0.
  return typeof value === 'number' ? `${allowed}, in digits without a point or an exponent` : allowed
}
