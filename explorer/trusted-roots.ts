import type { RootTexts } from './worker-messages.ts'

const KEY = 'massa-storage/trusted-roots'
const LINE = /^(period|era)\s+(\d{1,15})\s+([0-9a-f]{64})$/

/** Where the browser keeps nothing for this page. */
let unkept: string | undefined

/** Roots that whoever reads here compared with another source; kept in this browser. One in a line: `era 41 6b5c...`. */
export function readTrustedText(): string {
  try {
    return unkept ?? localStorage.getItem(KEY) ?? ''
  } catch {
    return ''
  }
}

/** @returns lines that are no root; nothing is kept while there are some */
export function writeTrustedText(text: string): string[] {
  const lines = linesOf(text)
  const wrong = lines.filter((line) => !LINE.test(line))
  if (wrong.length > 0) return wrong
  const kept = lines.join('\n')
  try {
    localStorage.setItem(KEY, kept)
    unkept = undefined
  } catch {
    unkept = kept
  }
  return []
}

export function trustRoot(kind: 'period' | 'era', number: number, root: string): void {
  const others = linesOf(readTrustedText()).filter((line) => !line.startsWith(`${kind} ${number} `))
  writeTrustedText([...others, `${kind} ${number} ${root}`].join('\n'))
}

export function readTrustedRoots(): RootTexts {
  const roots = { periods: {} as Record<number, string>, eras: {} as Record<number, string> }
  for (const line of linesOf(readTrustedText())) {
    const [, kind, number, root] = LINE.exec(line) ?? []
    if (root !== undefined) roots[kind === 'era' ? 'eras' : 'periods'][Number(number)] = root
  }
  return roots
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim().replace(/\s+/g, ' ').toLowerCase())
    .filter((line) => line !== '')
}
