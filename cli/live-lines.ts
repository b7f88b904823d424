import { escapeControls } from '../core/escape-controls.ts'

/** Lines at the bottom of a terminal that are drawn anew, below those that stay. */
export class LiveLines {
  private readonly stream: NodeJS.WriteStream
  private drawn: readonly string[] = []

  constructor(stream: NodeJS.WriteStream) {
    this.stream = stream
  }

  /** @param lines - none as long as the terminal is wide: one that wraps would leave its beginning behind */
  draw(lines: readonly string[]): void {
    const erasure = this.erasure()
    this.drawn = this.fit(lines)
    // In one write: nothing is seen half.
    this.stream.write(`${erasure}${this.drawn.map((line) => `${line}\n`).join('')}`)
  }

  printAbove(line: string): void {
    this.stream.write(`${this.erasure()}${escapeControls(line)}\n${this.drawn.map((drawn) => `${drawn}\n`).join('')}`)
  }

  /** What is drawn now stays. */
  keep(): void {
    this.drawn = []
  }

  /** What scrolls out of a terminal cannot be drawn over. */
  private fit(lines: readonly string[]): readonly string[] {
    // One line is the cursor's, one says what is missing.
    const room = Math.max(0, (this.stream.rows ?? Number.POSITIVE_INFINITY) - 2)
    if (lines.length <= room + 1) return lines
    return [...lines.slice(0, room), `(${lines.length - room} more)`]
  }

  private erasure(): string {
    return this.drawn.length === 0 ? '' : `\x1b[${this.drawn.length}A\x1b[J`
  }
}
