import type { Shape, TypedJson } from './typed-json.ts'

/* Types of request parameters. A member that may be absent is one that may be null. */

const OPTIONAL = Symbol('optional')

export interface OptionalShape<T> extends Shape<T | undefined> {
  readonly [OPTIONAL]: true
}

type Members = Readonly<Record<string, Shape<unknown>>>
type Read<M extends Members> = { readonly [K in keyof M]: ReturnType<M[K]> }

export const u8: Shape<number> = (json) => Number(json.integer('u8', 256n))
export const u32: Shape<number> = (json) => Number(json.integer('u32', 2n ** 32n))
export const u64: Shape<bigint> = (json) => json.integer('u64')
/** A u64 that is good enough as a number: sizes, times, periods. */
export const u64Number: Shape<number> = (json) => Number(json.integer('u64'))
export const usize: Shape<number> = (json) => Number(json.integer('usize'))
export const boolean: Shape<boolean> = (json) => json.boolean()
export const string: Shape<string> = (json) => json.string()
export const bytes: Shape<Uint8Array> = (json) => json.bytes()

export function listOf<T>(shape: Shape<T>): Shape<T[]> {
  return (json) => json.list(shape)
}

export function optional<T>(shape: Shape<T>): OptionalShape<T> {
  return Object.assign((json: TypedJson) => json.optional(shape), { [OPTIONAL]: true as const })
}

export function isOptional(shape: Shape<unknown>): boolean {
  return OPTIONAL in shape
}

/** A map with these members; others are passed over. A list of them in order does as well. */
export function struct<M extends Members>(name: string, members: M): Shape<Read<M>> {
  const shapes = new Map(Object.entries(members))
  return (json) => {
    const found = new Map<string, unknown>()
    const next = json.peek()
    if (next === '[') readInOrder(json, { name, shapes, found })
    else if (next === '{') readMembers(json, { shapes, found })
    else json.failType(`struct ${name}`)
    return Object.fromEntries([...shapes.keys()].map((key) => [key, found.get(key)])) as Read<M>
  }
}

interface Target {
  readonly shapes: ReadonlyMap<string, Shape<unknown>>
  readonly found: Map<string, unknown>
}

function readMembers(json: TypedJson, { shapes, found }: Target): void {
  json.eachMember((key) => {
    const shape = shapes.get(key)
    if (!shape) return false
    if (found.has(key)) json.fail(`duplicate field \`${key}\``)
    found.set(key, shape(json))
    return true
  })
  for (const [key, shape] of shapes) {
    if (!found.has(key) && !isOptional(shape)) json.fail(`missing field \`${key}\``)
  }
}

function readInOrder(json: TypedJson, { name, shapes, found }: Target & { readonly name: string }): void {
  const left = [...shapes]
  json.list((item) => {
    const [key, shape] = left.shift() ?? []
    if (key === undefined || !shape) return item.fail('trailing characters')
    found.set(key, shape(item))
    return undefined
  })
  if (left.length === 0) return
  const elements = shapes.size === 1 ? 'element' : 'elements'
  json.fail(`invalid length ${found.size}, expected struct ${name} with ${shapes.size} ${elements}`)
}
