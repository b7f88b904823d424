import { ArchiveError } from '../core/index.ts'
import type { Context } from './context.ts'

export interface Spending {
  /** What is asked about, in lines: price, change, conditions. */
  readonly terms: readonly string[]
  readonly question: string
}

export interface ConfirmOptions {
  readonly yes?: boolean | undefined
  readonly signal: AbortSignal
}

/**
 * Says what coins would be spent for, and asks. Only the word `yes` says yes. Whoever is asked sees the terms, also with
 * --quiet.
 *
 * @throws ArchiveError CLI_NOT_CONFIRMED for any other answer, and where there is nobody to ask
 */
export async function confirmSpending(
  context: Pick<Context, 'output' | 'openTerminal'>,
  { terms, question }: Spending,
  { yes, signal }: ConfirmOptions,
): Promise<void> {
  const { output } = context
  const terminal = yes || output.json ? undefined : context.openTerminal()
  try {
    for (const line of terms) {
      if (terminal) terminal.say(line)
      else output.remark(line)
    }
    if (yes) return
    if (!terminal) throw new ArchiveError('CLI_NOT_CONFIRMED', 'this spends coins, and there is no terminal to ask at')
    const answer = await terminal.question(`${question} [yes/no]: `, signal)
    if (answer.toLowerCase() !== 'yes') throw new ArchiveError('CLI_NOT_CONFIRMED', 'not confirmed: nothing was spent')
  } finally {
    terminal?.close()
  }
}
