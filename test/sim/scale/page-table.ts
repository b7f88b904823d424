/* Tables of a page of Markdown, and how numbers stand in them. */

export type Row = readonly string[]

export function table(head: Row, rows: readonly Row[], align: '---' | '---:' = '---:'): string[] {
  const line = (cells: Row): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : align))), ...rows.map(line)]
}

/**
 * Whether a page says the same as another that has more columns and rows.
 *
 * Lines that are in no table have to be the same. A row is found by its first cell, a column by its head.
 *
 * @returns the first line that is not found, or found otherwise
 */
export function findDifference(part: string, whole: string): string | undefined {
  const [parts, wholes] = [readPage(part), readPage(whole)]
  for (const [i, { text, rows }] of parts.entries()) {
    const other = wholes[i]
    if (other?.text !== text) return text
    const [head = [], ...lines] = rows
    const [otherHead = []] = other.rows
    for (const cells of [head, ...lines]) {
      const found = other.rows.find(([name]) => name === cells[0])
      if (!head.every((column, at) => found?.[otherHead.indexOf(column)] === cells[at])) return cells.join(' | ')
    }
  }
  return wholes.length > parts.length ? wholes[parts.length]?.text : undefined
}

/** Text, and the table behind it. */
interface Block {
  text: string
  readonly rows: string[][]
}

function readPage(page: string): Block[] {
  const blocks: Block[] = []
  let block: Block = { text: '', rows: [] }
  for (const line of page.split('\n')) {
    if (line.startsWith('| ')) {
      block.rows.push(line.slice(2, -2).split(' | '))
      continue
    }
    if (block.rows.length > 0) {
      blocks.push(block)
      block = { text: '', rows: [] }
    }
    block.text += `${line}\n`
  }
  return [...blocks, block]
}

export function whole(value: number): string {
  return Math.round(value).toLocaleString('en')
}

export function fixed2(value: number): string {
  return value.toFixed(2)
}

export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`
}

export function significant(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 2 })
}

/** @param sizeBytes - in units of 1,000, with three digits */
export function size(sizeBytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, sizeBytes)) / 3))
  return `${Number((sizeBytes / 1_000 ** power).toPrecision(3)).toLocaleString('en')} ${units[power]}`
}
