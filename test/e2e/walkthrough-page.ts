/** One command of a page and the lines that it has to print. */
export interface PageStep {
  readonly command: string
  /** `…` stands for anything. */
  readonly expected: readonly string[]
}

/** Of all ```console blocks, in their order; a command begins with `$ `. */
export function readPageSteps(page: string): PageStep[] {
  const steps: { command: string; expected: string[] }[] = []
  for (const [, block = ''] of page.matchAll(/^```console\n(.*?)^```$/gms)) {
    for (const line of block.trimEnd().split('\n')) {
      if (line.startsWith('$ ')) steps.push({ command: line.slice(2), expected: [] })
      else steps.at(-1)?.expected.push(line)
    }
  }
  return steps
}

/** Expected lines that did not come, in the order of the output. */
export function findMissingLines(output: string, expected: readonly string[]): string[] {
  const lines = output.split('\n')
  let at = 0
  return expected.filter((text) => {
    const pattern = new RegExp(`^${text.split('…').map(escapeText).join('.*')}$`)
    const found = lines.findIndex((line, i) => i >= at && pattern.test(line))
    if (found < 0) return true
    at = found + 1
    return false
  })
}

function escapeText(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
