import { once } from 'node:events'
import { styleText } from 'node:util'
import { escapeControls } from '../core/escape-controls.ts'

export interface OutputOptions {
  readonly json: boolean
  readonly quiet: boolean
  /** NO_COLOR of the environment. */
  readonly noColor: boolean
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
}

type Colour = Parameters<typeof styleText>[0]

/**
 * Everything that commands print: answers on stdout, remarks and progress on stderr.
 *
 * Control characters are escaped here, whoever they come from: a line of ours is one line and has none.
 */
export class Output {
  readonly json: boolean
  readonly quiet: boolean
  private readonly colour: boolean
  private readonly stdout: NodeJS.WriteStream
  private readonly stderr: NodeJS.WriteStream

  constructor(options: OutputOptions) {
    this.json = options.json
    this.quiet = options.quiet
    this.stdout = options.stdout
    this.stderr = options.stderr
    this.colour = options.stdout.isTTY === true && !options.noColor && !options.json
  }

  /** The answer for people; nothing with --json. */
  line(text = ''): void {
    if (!this.json) this.stdout.write(`${escapeControls(text)}\n`)
  }

  /** A line that begins in a colour, where there are colours. */
  markedLine(colour: Colour, mark: string, rest = ''): void {
    if (this.json) return
    const shown = escapeControls(mark)
    const coloured = this.colour ? styleText(colour, shown, { validateStream: false }) : shown
    this.stdout.write(`${coloured}${escapeControls(rest)}\n`)
  }

  /** The answer for programs, one JSON value; nothing without --json. */
  value(value: unknown): void {
    if (this.json) this.stdout.write(`${escapeControls(JSON.stringify(value))}\n`)
  }

  /** Lines of an answer that is data for programs, with --json or without; resolves when there is room for more. */
  async data(lines: readonly string[], lineEnd = '\n'): Promise<void> {
    const text = lines.map((line) => escapeControls(line) + lineEnd).join('')
    if (!this.stdout.write(text)) await once(this.stdout, 'drain')
  }

  /** Not the answer: advice, progress in words. Silent with --quiet and --json. */
  remark(text: string): void {
    if (!this.json && !this.quiet) this.stderr.write(`${escapeControls(text)}\n`)
  }

  /** What must not be overlooked: also with --quiet, not with --json. */
  warn(text: string): void {
    if (!this.json) this.stderr.write(`Warning: ${escapeControls(text)}\n`)
  }

  /** A table for people, columns aligned; right-aligned where `right` says so. */
  table(rows: readonly (readonly string[])[], right: readonly boolean[] = []): void {
    const widths: number[] = []
    // What is escaped is longer.
    const shown = rows.map((row) => row.map(escapeControls))
    for (const row of shown) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
    for (const row of shown) {
      const cells = row.map((cell, i) => (right[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      this.line(cells.join('  ').trimEnd())
    }
  }

  /** Columns of the terminal; undefined when the answer goes elsewhere, where nothing is cut. */
  get columns(): number | undefined {
    return this.stdout.isTTY ? this.stdout.columns : undefined
  }

  progress(title: string): Progress {
    const mode = this.json ? 'json' : this.quiet ? 'none' : this.stderr.isTTY ? 'bar' : 'lines'
    return new Progress(title, mode, this.stderr)
  }
}

const BAR_CELLS = 28
const BAR_INTERVAL_MS = 100
const LINE_INTERVAL_MS = 10_000
/** What is done within this time shows no progress. */
const GRACE_MS = 1_000

/** How far a long command is: a bar on a terminal, a line every ten seconds elsewhere, NDJSON with --json. */
export class Progress {
  private readonly title: string
  private readonly mode: 'bar' | 'lines' | 'json' | 'none'
  private readonly stderr: NodeJS.WriteStream
  private readonly nowMs: () => number
  private readonly startedMs: number
  private shownMs = Number.NEGATIVE_INFINITY
  private shown = false

  /** @param nowMs - of a clock that never goes back */
  constructor(
    title: string,
    mode: 'bar' | 'lines' | 'json' | 'none',
    stderr: NodeJS.WriteStream,
    nowMs: () => number = () => performance.now(),
  ) {
    this.nowMs = nowMs
    this.startedMs = nowMs()
    this.title = title
    this.mode = mode
    this.stderr = stderr
  }

  update(done: number, total: number, detail = ''): void {
    const nowMs = this.nowMs()
    const elapsedMs = nowMs - this.startedMs
    if (this.mode === 'none' || elapsedMs < GRACE_MS) return
    if (nowMs - this.shownMs < (this.mode === 'bar' ? BAR_INTERVAL_MS : LINE_INTERVAL_MS)) return
    this.shownMs = nowMs
    this.shown = true
    const share = total > 0 ? Math.min(1, done / total) : 0
    const restMs = share > 0 ? (elapsedMs / share) * (1 - share) : undefined
    if (this.mode === 'json') {
      this.stderr.write(
        `${JSON.stringify({ progress: { title: this.title, done, total, elapsedMs: Math.round(elapsedMs) } })}\n`,
      )
      return
    }
    const filled = Math.round(share * BAR_CELLS)
    const rest = restMs === undefined ? '' : `, ${formatDuration(restMs)} left`
    const text = escapeControls(`${this.title} ${Math.floor(share * 100)}%${detail && ` ${detail}`}${rest}`)
    if (this.mode === 'lines') this.stderr.write(`${text}\n`)
    else {
      const bar = `[${'='.repeat(filled)}${' '.repeat(BAR_CELLS - filled)}] ${text}`
      // A bar that wraps leaves its first line behind: only the line of the cursor is wiped.
      this.stderr.write(`\r\x1b[2K${bar.slice(0, (this.stderr.columns || 80) - 1)}`)
    }
  }

  end(): void {
    if (this.shown && this.mode === 'bar') this.stderr.write('\r\x1b[2K')
  }
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return unit === 0 ? `${bytes} B` : `${value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`
}

export function formatDuration(durationMs: number): string {
  if (durationMs < 9_950) return `${(durationMs / 1000).toFixed(1)} s`
  const seconds = Math.round(durationMs / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
}

export function formatCount(count: number, noun: string, plural = `${noun}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? noun : plural}`
}
