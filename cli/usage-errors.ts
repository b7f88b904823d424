import { ERROR_CODES } from '../core/error-codes.ts'
import { escapeControls, escapeLines } from '../core/escape-controls.ts'

const HINT = ERROR_CODES.CLI_USAGE.action
/** Longer values are cut: they were pasted by mistake. */
const MAX_MESSAGE_CHARS = 300

/** What commander says of wrong usage, as every other error of ours looks. */
export function usageErrorAsText(text: string): string {
  const { message, suggestion } = readUsageError(text)
  return `massa-storage: ${escapeLines(message)} (CLI_USAGE)\n${suggestion ?? HINT}\n`
}

/** The same for programs: one JSON object and a newline. */
export function usageErrorAsJson(text: string): string {
  const { message, suggestion } = readUsageError(text)
  const hint = suggestion === undefined ? HINT : `${suggestion} ${HINT}`
  return `${escapeControls(JSON.stringify({ error: { code: 'CLI_USAGE', message, hint } }))}\n`
}

function readUsageError(text: string): { message: string; suggestion: string | undefined } {
  const [, sentence = '', suggestion] = /^(?:error: )?([\s\S]*?)(?:\n\((Did you mean [^\n]*)\))?\s*$/.exec(text) ?? []
  const message = sentence === '(outputHelp)' ? 'the command is not complete' : nameOptionOnce(sentence)
  return {
    message: message.length > MAX_MESSAGE_CHARS ? `${message.slice(0, MAX_MESSAGE_CHARS)}...` : message,
    suggestion,
  }
}

/** Our parsers quote the value and say what is wrong with it; commander says both once more before it. */
function nameOptionOnce(sentence: string): string {
  const match =
    /^(?:option '([^']+)' argument|command-argument value) '[\s\S]*' is invalid(?: for argument '[^']*')?\. ([\s\S]+?)\.?$/.exec(
      sentence,
    )
  if (!match) return sentence.replace(/\.$/, '')
  const [, option, reason = ''] = match
  return option === undefined ? reason : `${option}: ${reason}`
}
