import { isArchiveError } from '../core/errors.ts'
import { escapeControls, escapeLines } from '../core/escape-controls.ts'

/** Why a command failed: a sentence and what to do, or one JSON object; a bug with its stack. */
export function describeFailure(error: unknown, json: boolean): string {
  if (isArchiveError(error) && error.kind !== 'bug') {
    const { code, message, action } = error
    return json
      ? escapeControls(JSON.stringify({ error: { code, message, hint: action } }))
      : `massa-storage: ${escapeLines(message)} (${code})\n${action}`
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  const code = isArchiveError(error) ? error.code : undefined
  return json
    ? escapeControls(JSON.stringify({ error: { code: code ?? 'BUG', message: stack } }))
    : `massa-storage: this is a bug, please report it${code === undefined ? '' : ` (${code})`}\n${escapeLines(stack)}`
}
