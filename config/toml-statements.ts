/** One header or one `key = value` of a TOML text, as far as it must be known whose it is. */
export interface TomlStatement {
  readonly kind: 'header' | 'pair'
  /** First name of the table that it opens or stands in; of a pair before any table, of its key. */
  readonly owner: string
  /** Offset of its first line. */
  readonly start: number
  /** Offset behind its last line and the end of that. */
  readonly end: number
}

/**
 * The statements of a TOML text, in their order; what lies between them is blank or comment.
 *
 * @param text - that a parser has accepted: of any other the result says nothing
 */
export function listStatements(text: string): TomlStatement[] {
  const statements: TomlStatement[] = []
  let table: string | undefined
  let at = 0
  while (at < text.length) {
    const start = at
    const first = skip(text, start, /[ \t]*/y)
    const char = text[first]
    if (char === undefined || char === '#' || char === '\n' || char === '\r') {
      at = endOfLine(text, first)
      continue
    }
    if (char === '[') {
      table = readName(text, skip(text, first, /\[+[ \t]*/y))
      at = endOfLine(text, first)
      statements.push({ kind: 'header', owner: table, start, end: at })
      continue
    }
    at = endOfPair(text, first)
    statements.push({ kind: 'pair', owner: table ?? readName(text, first), start, end: at })
  }
  return statements
}

function skip(text: string, at: number, what: RegExp): number {
  what.lastIndex = at
  return at + (what.exec(text)?.[0].length ?? 0)
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end + 1
}

/** Behind the line on which the value ends: strings and arrays may have many. */
function endOfPair(text: string, from: number): number {
  let at = from
  let depth = 0
  while (at < text.length) {
    const char = text[at]
    if (char === '#') at = endOfLine(text, at) - 1
    else if (char === '"' || char === "'") at = endOfString(text, at) - 1
    else if (char === '[' || char === '{') depth++
    else if (char === ']' || char === '}') depth--
    if (text[at] === '\n' && depth === 0) return at + 1
    at++
  }
  return text.length
}

const STRINGS = [/"""(?:[^\\]|\\.)*?"{3,5}/sy, /'''.*?'{3,5}/sy, /"(?:[^"\\\n]|\\.)*"/y, /'[^'\n]*'/y]

/** Behind its last quote. */
function endOfString(text: string, at: number): number {
  for (const string of STRINGS) {
    const end = skip(text, at, string)
    if (end > at) return end
  }
  return at + 1
}

/** The first part of a dotted name. */
function readName(text: string, at: number): string {
  const raw = text.slice(at, skip(text, at, /"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[\w-]+/y))
  if (raw.startsWith("'")) return raw.slice(1, -1)
  if (!raw.startsWith('"')) return raw
  return /^"[^"\\]*"$/.test(raw) ? raw.slice(1, -1) : raw
}
