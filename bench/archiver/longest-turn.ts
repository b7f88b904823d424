import { closeSync, openSync, readSync } from 'node:fs'

/** Between two looks: a few small turns, or one long one. */
const RESOLUTION_MS = 2

/**
 * The most CPU time that the main thread spends in one turn of the event loop, and RESOLUTION_MS more at most: what the
 * program does, whoever else wants the machine. Linux only.
 */
export class LongestTurn {
  private readonly file = openSync('/proc/self/schedstat', 'r')
  private readonly text = Buffer.alloc(128)
  private next: NodeJS.Timeout | undefined
  private longestMs = 0

  start(): void {
    this.longestMs = 0
    let before = this.readMs()
    const look = () => {
      const now = this.readMs()
      this.longestMs = Math.max(this.longestMs, now - before)
      before = now
      this.next = setTimeout(look, RESOLUTION_MS)
    }
    this.next = setTimeout(look, RESOLUTION_MS)
  }

  /** Milliseconds. */
  stop(): number {
    clearTimeout(this.next)
    return this.longestMs
  }

  close(): void {
    closeSync(this.file)
  }

  private readMs(): number {
    const length = readSync(this.file, this.text, 0, this.text.length, 0)
    return Number(this.text.toString('latin1', 0, length).split(' ')[0]) / 1e6
  }
}
