import { loadRegistryParams, readBaseSettings } from '../../config/index.ts'
import type { RegistryConfig } from '../../core/index.ts'

export type SettingName = 'shipped' | 'production'

/** What `config/base_registry.toml` names behind "production:", with a bound of ten times what is due. */
const PRODUCTION: Partial<RegistryConfig> = {
  challengeResponseTimeout: 160_000n,
  requireAnchors: true,
  minChallengeIntervalPeriods: 225n,
  stakePerGb: 5_400_000_000n,
  maxRewardPerPeriod: 10n ** 9n,
  placementLagEras: 42,
  adminDelayPeriods: 10_800n,
}

export function readSetting(name: SettingName): RegistryConfig {
  const shipped = loadRegistryParams(undefined)
  return name === 'shipped' ? shipped : { ...shipped, ...PRODUCTION }
}

/** A default of `config/base_config.toml`. */
export function readDefault(key: string): number {
  const { defaultText } = readBaseSettings().get(key) ?? {}
  if (defaultText === undefined) throw new RangeError(`no setting ${key}`)
  return Number(defaultText.replaceAll('_', ''))
}
