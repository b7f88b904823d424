import type { Command } from 'commander'
import type { Context } from './context.ts'
import { EXIT_CODES } from './exit-codes.ts'

/** What a command does; the number is its exit code. */
export type Action = (context: Context, signal: AbortSignal) => Promise<number> | number
export type Run = (action: Action) => (command: Command) => Promise<void>

/** A command below another. @param example - as `massa-storage` is called */
export function add(parent: Command, name: string, description: string, example: string): Command {
  return explain(
    parent.command(name).description(description).exitOverride().configureHelp({ showGlobalOptions: true }),
    example,
  )
}

/** What each help ends with. */
export function explain(command: Command, example: string): Command {
  const codes = Object.values(EXIT_CODES).map(({ code, meaning }) => `  ${String(code).padEnd(4)} ${meaning}`)
  return command.addHelpText('after', () => {
    const shown = example.replace(/^massa-storage/, listPrefix(command).join(' '))
    return `\nExample:\n  ${shown}\n\nExit codes:\n${codes.join('\n')}`
  })
}

/** `massa-cli storage` for what `massa-storage` has at its top. */
function listPrefix(command: Command): string[] {
  const names: string[] = []
  for (let at: Command | null = command; at; at = at.parent) names.unshift(at.name())
  return names[1] === 'storage' ? names.slice(0, 2) : names.slice(0, 1)
}
