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
    // In one write: nothing is seen half.
    this.stream.write(`${this.erasure()}${lines.map((line) => `${line}\n`).join('')}`)
    this.drawn = lines
  }

  printAbove(line: string): void {
    this.stream.write(`${this.erasure()}${escapeControls(line)}\n${this.drawn.map((drawn) => `${drawn}\n`).join('')}`)
  }

  /** What is drawn now stays. */
  keep(): void {
    this.drawn = []
  }

  private erasure(): string {
    return this.drawn.length === 0 ? '' : `\x1b[${this.drawn.length}A\x1b[J`
  }
}
