import { readFileSync } from 'node:fs'
import { parse, stringify } from 'smol-toml'
import { ArchiveError } from '../core/index.ts'
import { ROOT_TABLE } from './layers.ts'
import { checkReplaceable, guardWriting, replaceFile } from './replace-file.ts'

/**
 * Sets one text below `[distributed_storage]`, by its dotted path, in a configuration file and leaves everything else as it is, comments and
 * all. A file that is not there is made. The file is replaced whole: it is never seen half written.
 *
 * @throws ArchiveError CONFIG_FILE_UNWRITABLE
 */
export function writeSetting(file: string, key: string, value: string): void {
  replaceFile(file, setChecked(readIfPresent(file) ?? '', { file, key, value }))
}

/**
 * Finds out whether `writeSetting` can, for whoever must know before something else is done.
 *
 * @throws ArchiveError CONFIG_FILE_UNWRITABLE
 */
export function checkSettingWritable(file: string, key: string): void {
  setChecked(readIfPresent(file) ?? '', { file, key, value: 'any' })
  checkReplaceable(file)
}

/** The setting may stand there in a way that only a parser sees: then somebody has to write it by hand. */
function setChecked(old: string, { file, key, value }: { file: string; key: string; value: string }): string {
  const text = setInText(old, key, value)
  let found: unknown
  try {
    found = [ROOT_TABLE, ...key.split('.')].reduce<unknown>(
      (table, name) => (table as Record<string, unknown> | undefined)?.[name],
      parse(text, { integersAsBigInt: true }),
    )
  } catch {
    // Found to be something else below.
  }
  if (found === value) return text
  const message = `cannot write ${key} into ${file}: it stands there in an unusual way; set it by hand, alone on its line`
  throw new ArchiveError('CONFIG_FILE_UNWRITABLE', message, { file, key })
}

/** The text of the file with the setting in it. @param key - dotted path below `[distributed_storage]` */
export function setInText(text: string, key: string, value: string): string {
  const at = key.lastIndexOf('.') + 1
  const wanted = at === 0 ? ROOT_TABLE : `${ROOT_TABLE}.${key.slice(0, at - 1)}`
  const line = stringify({ [key.slice(at)]: value }).trim()
  const lines = text.split('\n')
  let table = ''
  let header: number | undefined
  for (const [i, current] of lines.entries()) {
    const name = /^\s*\[+\s*([^\]]+?)\s*\]/.exec(current)?.[1]
    if (name !== undefined) table = name
    if (name === wanted) header = i
    const match = /^(\s*)([A-Za-z0-9_-]+)\s*=\s*(?:"[^"]*"|'[^']*')(\s*#.*)?\s*$/.exec(current)
    if (table === wanted && match?.[2] === key.slice(at)) {
      lines[i] = `${match[1] ?? ''}${line}${match[3] ?? ''}`
      return lines.join('\n')
    }
  }
  if (header !== undefined) {
    const indent = /^\s*/.exec(lines[header] ?? '')?.[0] ?? ''
    lines.splice(header + 1, 0, `${indent}    ${line}`)
    return lines.join('\n')
  }
  const before = text === '' || text.endsWith('\n') ? text : `${text}\n`
  return `${before}${before === '' ? '' : '\n'}[${wanted}]\n    ${line}\n`
}

function readIfPresent(file: string): string | undefined {
  return guardWriting(file, () => {
    try {
      return readFileSync(file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  })
}
