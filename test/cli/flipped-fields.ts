/** Something of JSON with one of its values changed in one bit, at most one such for each field. */
export interface Flip {
  readonly path: string
  readonly flipped: unknown
}

/** One flip in each text, number and null of something that is JSON. */
export function listFlips(json: unknown): Flip[] {
  const flips: Flip[] = []
  const visit = (value: unknown, path: string, replace: (other: unknown) => unknown): void => {
    if (typeof value !== 'object' || value === null) {
      flips.push({ path, flipped: replace(flip(value)) })
      return
    }
    const keys = Object.keys(value)
    for (const key of keys) {
      const put = (other: unknown) =>
        replace(
          Array.isArray(value)
            ? value.map((one, at) => (String(at) === key ? other : one))
            : { ...value, [key]: other },
        )
      visit((value as Record<string, unknown>)[key], `${path}.${key}`, put)
    }
  }
  visit(json, '', (other) => other)
  return flips
}

function flip(value: unknown): unknown {
  if (typeof value === 'number') return value ^ 1
  if (typeof value !== 'string') return 0
  const at = value.length >> 1
  return value.slice(0, at) + String.fromCharCode(value.charCodeAt(at) ^ 1) + value.slice(at + 1)
}
