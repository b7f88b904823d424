import { StringDecoder } from 'node:string_decoder'

/** Lines of UTF-8 that comes in pieces. */
export class SplitLines {
  private readonly onLine: (line: string) => void
  private readonly decoder = new StringDecoder('utf8')
  private rest = ''

  constructor(onLine: (line: string) => void) {
    this.onLine = onLine
  }

  push(bytes: Buffer): void {
    const lines = (this.rest + this.decoder.write(bytes)).split('\n')
    this.rest = lines.pop() ?? ''
    for (const line of lines) this.onLine(line)
  }

  /** The last line, if it has no end. */
  end(): void {
    const last = this.rest + this.decoder.end()
    if (last !== '') this.onLine(last)
    this.rest = ''
  }
}
