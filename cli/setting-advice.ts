import { kindOfOrigin, type LoadedConfig } from '../config/index.ts'

/**
 * The line, variable or option to change, in words that end a sentence: a variable or an option wins over a file, so that
 * a line of the file would change nothing.
 *
 * @param value - as TOML
 * @param text - the same as a variable or an option has it, where that differs
 */
export function adviseSetting(loaded: LoadedConfig, path: string, value: string, text: string = value): string {
  const origin = loaded.origins.get(path) ?? 'default'
  const file = loaded.file ?? 'config/config.toml'
  switch (kindOfOrigin(origin)) {
    case 'flag':
      return `use '--set ${path}=${text}': an option wins over ${file}`
    case 'environment':
      return `set ${origin}=${text} in the environment, which wins over ${file}`
    default: {
      const dot = path.lastIndexOf('.')
      const table = dot < 0 ? 'distributed_storage' : `distributed_storage.${path.slice(0, dot)}`
      return `set '${path.slice(dot + 1)} = ${value}' below [${table}] in ${file}`
    }
  }
}
