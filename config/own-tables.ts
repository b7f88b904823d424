import { isDeepStrictEqual } from 'node:util'
import { ArchiveError } from '../core/index.ts'
import { parseToml, ROOT_TABLE } from './layers.ts'
import { listStatements, type TomlStatement } from './toml-statements.ts'

/** First line of what `config init` writes. */
export const OWN_COMMENT = '# Settings of massa-storage that differ from the defaults; docs/CONFIG.md lists them all.'

/** @throws ArchiveError `CONFIG_SYNTAX` */
export function hasOwnTables(text: string, file: string): boolean {
  return ROOT_TABLE in parseToml(text, file)
}

/**
 * A text with our tables put where those stood that it had, or behind all others; every other byte stays.
 *
 * @param old - of a file that may be the massa-node's
 * @param own - as `renderConfigFile` gives it
 * @param file - for messages
 * @throws ArchiveError `CONFIG_SYNTAX`; `CONFIG_FILE_UNWRITABLE` when ours cannot be told from others
 */
export function putOwnTables(old: string, own: string, file: string): string {
  const before = parseToml(old, file)
  const lines = old.includes('\r\n') ? own.replaceAll('\n', '\r\n') : own
  const text = compose(old, lines)
  const isAsMeant = (): boolean => {
    const { [ROOT_TABLE]: found, ...others } = parseToml(text, file)
    const { [ROOT_TABLE]: _, ...kept } = before
    return isDeepStrictEqual(found, parseToml(own, file)[ROOT_TABLE]) && isDeepStrictEqual(others, kept)
  }
  if (isAsMeant()) return text
  const message = `cannot write [${ROOT_TABLE}] into ${file}: it stands there in an unusual way; take it out by hand`
  throw new ArchiveError('CONFIG_FILE_UNWRITABLE', message, { file })
}

function compose(old: string, own: string): string {
  const regions = listRegions(old)
  const [place] = regions
  let text = ''
  let at = 0
  for (const region of regions) {
    text += old.slice(at, region.start)
    if (region === place && region.isTable) text += own
    at = region.end
  }
  text += old.slice(at)
  if (place?.isTable) return text
  const eol = own.includes('\r\n') ? '\r\n' : '\n'
  const gap = text === '' ? '' : text.endsWith('\n') ? eol : `${eol}${eol}`
  return `${text}${gap}${own}`
}

interface Region {
  start: number
  end: number
  /** Else it is a key before all tables, behind which no table may be put: others may follow. */
  readonly isTable: boolean
}

/** Ours, with the comments between; those behind the last statement belong to what follows. */
function listRegions(text: string): Region[] {
  const regions: Region[] = []
  let previous: TomlStatement | undefined
  for (const statement of listStatements(text)) {
    const open = previous?.owner === ROOT_TABLE ? regions.at(-1) : undefined
    if (statement.owner === ROOT_TABLE) {
      const isTable = statement.kind === 'header'
      if (open && (open.isTable || !isTable)) open.end = statement.end
      else regions.push({ start: startOf(text, statement), end: statement.end, isTable })
    }
    previous = statement
  }
  return regions
}

/** With our own comment above, which would be written again. */
function startOf(text: string, { start }: TomlStatement): number {
  const comment = [`${OWN_COMMENT}\n`, `${OWN_COMMENT}\r\n`].find((line) => text.slice(0, start).endsWith(line))
  return start - (comment?.length ?? 0)
}
