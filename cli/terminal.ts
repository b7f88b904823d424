import { createInterface } from 'node:readline/promises'
import { escapeControls } from '../core/escape-controls.ts'

/** Somebody at a terminal who can be asked. */
export interface Terminal {
  /** The line that was typed, without spaces around it. @throws an AbortError on Ctrl-C, at the end of the input and by `signal` */
  question(text: string, signal?: AbortSignal): Promise<string>
  say(text: string): void
  close(): void
}

/** undefined where nobody can answer: questions go to stderr, answers come from stdin, which must be a terminal. */
export function openTerminal(): Terminal | undefined {
  if (process.stdin.isTTY !== true) return undefined
  const readline = createInterface({ input: process.stdin, output: process.stderr })
  const closed = new AbortController()
  readline.once('close', () => closed.abort())
  return {
    question: async (text, signal) => {
      const ended = signal ? AbortSignal.any([closed.signal, signal]) : closed.signal
      return (await readline.question(escapeControls(text), { signal: ended })).trim()
    },
    say: (text) => void process.stderr.write(`${escapeControls(text)}\n`),
    close: () => readline.close(),
  }
}
