/** What stands where in a JSON value: by path, the kinds of values found there. */
export type JsonShape = ReadonlyMap<string, ReadonlySet<string>>

const KINDS: readonly (readonly [RegExp, string])[] = [
  [/^A[US]1\w{40,}$/, 'address'],
  [/^B1\w{40,}$/, 'block id'],
  [/^O1\w{40,}$/, 'operation id'],
  [/^E1\w{40,}$/, 'endorsement id'],
  [/^P1\w{40,}$/, 'public key'],
  [/^N1\w{40,}$/, 'node id'],
  [/^1\w{80,}$/, 'signature'],
  [/^\w{40,}$/, 'hash'],
  [/^\d+(\.\d+)?$/, 'decimal'],
]

/** Maps with an address as key count as one member. */
export function computeShape(value: unknown): JsonShape {
  const shape = new Map<string, Set<string>>()
  const visit = (at: string, item: unknown) => {
    shape.set(at, (shape.get(at) ?? new Set()).add(describe(item)))
    if (Array.isArray(item)) for (const one of item) visit(`${at}[]`, one)
    else if (typeof item === 'object' && item !== null) {
      for (const [key, one] of Object.entries(item)) visit(`${at}.${nameOf(key)}`, one)
    }
  }
  visit('', value)
  return shape
}

function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'list'
  if (typeof value === 'object') return `{${[...new Set(Object.keys(value).map(nameOf))].join(' ')}}`
  if (typeof value === 'string') return KINDS.find(([pattern]) => pattern.test(value))?.[1] ?? 'text'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'float'
  return typeof value
}

function nameOf(key: string): string {
  return /^A[US]1\w{40,}$/.test(key) ? '<address>' : key
}

/** Kinds at paths that only one of the two has: `path: kind`. */
export function diffShapes(wanted: JsonShape, found: JsonShape): { missing: string[]; extra: string[] } {
  return { missing: without(wanted, found), extra: without(found, wanted) }
}

function without(shape: JsonShape, other: JsonShape): string[] {
  return [...shape].flatMap(([path, kinds]) =>
    [...kinds].filter((kind) => !other.get(path)?.has(kind)).map((kind) => `${path}: ${kind}`),
  )
}
