export { type BaseSetting, baseConfigPath, readBaseSettings } from './base-config.ts'
export { CONFIG_FILE_ENV, type ConfigFlags, envNameOf, kindOfOrigin, PASSWORD_ENV, SECRET_KEY_ENV } from './layers.ts'
export { type Config, type ConfigSources, findConfigFile, type LoadedConfig, loadConfig } from './load.ts'
export { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from './log-choices.ts'
export { makeFolder } from './make-folder.ts'
export { findNearestKey } from './nearest-key.ts'
export { findNetworkName, KNOWN_NETWORKS, type KnownNetworkName } from './networks.ts'
export { findPackageRoot, readPackageVersion } from './package-root.ts'
export {
  baseRegistryPath,
  checkParams,
  loadRegistryParams,
  productionRegistryPath,
  readRegistryParams,
  toSnakeCase,
} from './registry-params.ts'
export {
  formatInteger,
  listSettings,
  parseHostPort,
  type SettingDescription,
  type Settings,
} from './schema.ts'
export { type ConfigAnswers, checkConfigFile, renderConfigFile, writeConfigFile } from './write-config-file.ts'
export { checkSettingWritable, setInText, writeSetting } from './write-setting.ts'
