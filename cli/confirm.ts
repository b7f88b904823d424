import { createInterface } from 'node:readline/promises'
import { ArchiveError } from '../core/index.ts'
import type { Output } from './output.ts'

/**
 * Asks before coins are spent. Only the word `yes` says yes.
 *
 * @throws ArchiveError CLI_NOT_CONFIRMED for any other answer, and where there is nobody to ask
 */
export async function confirmSpending(output: Output, question: string, options: ConfirmOptions): Promise<void> {
  if (options.yes) return
  if (process.stdin.isTTY !== true || output.json) {
    throw new ArchiveError('CLI_NOT_CONFIRMED', 'this spends coins, and there is no terminal to ask at')
  }
  const readline = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await readline.question(`${question} [yes/no]: `, { signal: options.signal })
    if (answer.trim().toLowerCase() !== 'yes')
      throw new ArchiveError('CLI_NOT_CONFIRMED', 'not confirmed: nothing was spent')
  } finally {
    readline.close()
  }
}

export interface ConfirmOptions {
  readonly yes?: boolean | undefined
  readonly signal: AbortSignal
}
