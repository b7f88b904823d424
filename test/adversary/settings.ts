import { loadRegistryParams, productionRegistryPath, readBaseSettings } from '../../config/index.ts'
import type { RegistryConfig } from '../../core/index.ts'

export type SettingName = 'shipped' | 'production'

/** The page's; whoever deploys sets his own. It bounds nothing here. */
const MAX_REWARD_NANO_MAS = 10n ** 9n

export function readSetting(name: SettingName): RegistryConfig {
  if (name === 'shipped') return loadRegistryParams(undefined)
  return { ...loadRegistryParams(productionRegistryPath()), maxRewardPerPeriod: MAX_REWARD_NANO_MAS }
}

/** A default of `config/base_config.toml`. */
export function readDefault(key: string): number {
  const { defaultText } = readBaseSettings().get(key) ?? {}
  if (defaultText === undefined) throw new RangeError(`no setting ${key}`)
  return Number(defaultText.replaceAll('_', ''))
}
