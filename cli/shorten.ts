/** The beginning of a text that has no room; in a pipe and on a wide terminal it is whole. */
export function shorten(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, Math.max(0, characters - 2))}..`
}
