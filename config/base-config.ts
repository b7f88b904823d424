import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DEFAULT_ORIGIN, type Layer, readFileLayer } from './layers.ts'
import { findPackageRoot } from './package-root.ts'

/** Path of the shipped file that holds every default. */
export function baseConfigPath(): string {
  return join(findPackageRoot(), 'config', 'base_config.toml')
}

export function readBaseLayer(): Layer {
  return readFileLayer(baseConfigPath(), DEFAULT_ORIGIN)
}

/** What the shipped file says of one setting. */
export interface BaseSetting {
  /** The comment above the key. */
  readonly comment: string
  /** As written, such as `1_048_576`. */
  readonly defaultText: string
}

/** Comment and default of every setting by dotted path, for docs and `config show`. Reads the layout that ours has. */
export function readBaseSettings(): Map<string, BaseSetting> {
  const settings = new Map<string, BaseSetting>()
  let table = ''
  let comment: string[] = []
  for (const line of readFileSync(baseConfigPath(), 'utf8').split('\n')) {
    const header = /^\s*\[distributed_storage(?:\.([a-z0-9_]+))?\]$/.exec(line)
    const key = /^\s*([a-z_]+) = (.+)$/.exec(line)
    const remark = /^\s*# (.+)$/.exec(line)
    if (remark?.[1] !== undefined) {
      comment.push(remark[1])
      continue
    }
    if (header !== null) table = header[1] === undefined ? '' : `${header[1]}.`
    if (key?.[1] !== undefined && key[2] !== undefined) {
      settings.set(table + key[1], { comment: comment.join(' '), defaultText: key[2] })
    }
    comment = []
  }
  return settings
}
