/** C0, DEL, C1, line and paragraph separators, and all that Unicode lists as Bidi_Control. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/**
 * The text with every control character written as `\uXXXX`: data of a stranger then moves no cursor, begins no line and
 * turns no word around on a terminal. Of JSON without line breaks it is the same JSON.
 */
export function escapeControls(text: string): string {
  return text.replace(CONTROLS, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** The same for a text that may have several lines: those after the first are indented, so that none poses as ours. */
export function escapeLines(text: string): string {
  return text.split('\n').map(escapeControls).join('\n  ')
}
