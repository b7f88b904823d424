/*
 * Small modules made by hand, for what no compiler would write. Numbers stay below 128 wherever they are one byte.
 */

const I32 = 0x7f
const FUNCTION_REFERENCE = 0x70
const TYPES = { i: 0x7f, I: 0x7e, f: 0x7d, F: 0x7c } as const

export interface BuiltFunction {
  /** As `'iI>i'`. */
  readonly type: string
  readonly export?: string
  /** Operators, without the last `end`. */
  readonly code: readonly number[]
}

export interface BuiltModule {
  readonly imports?: readonly { readonly module: string; readonly name: string; readonly type: string }[]
  readonly functions?: readonly BuiltFunction[]
  readonly memory?: { readonly min: number; readonly max?: number } | undefined
  /** Index of the start function, imported ones counted. */
  readonly start?: number
  readonly customSections?: readonly string[]
  readonly globals?: number
  /** More exports of the first function. */
  readonly aliases?: number
  /** Without `at` passive. */
  readonly data?: readonly { readonly at?: number; readonly bytes: readonly number[] }[]
  /** Entries of the table. */
  readonly table?: number
  /** Indexes of functions; without `at` passive. */
  readonly elements?: readonly { readonly at?: number; readonly functions: readonly number[] }[]
}

/** `__new` that always gives 1,024, and `__pin`: enough for a host function to write one object. */
export const ALLOCATOR: readonly BuiltFunction[] = [
  // i32.const 1020; local.get 0; i32.store; i32.const 1024
  { type: 'ii>i', export: '__new', code: [0x41, ...leb(1020), 0x20, 0, 0x36, 2, 0, 0x41, ...leb(1024)] },
  { type: 'i>i', export: '__pin', code: [0x20, 0] },
]

export function buildModule(module: BuiltModule): Uint8Array {
  const { imports = [], functions = [], customSections = [], globals = 0, aliases = 0 } = module
  const { data = [], table = 0, elements = [] } = module
  const memory = 'memory' in module ? module.memory : { min: 1 }
  const exported = functions.flatMap((fn, i) =>
    fn.export === undefined ? [] : [[...name(fn.export), 0, ...leb(imports.length + i)]],
  )
  for (let i = 0; i < aliases; i++) exported.push([...name(`alias${i}`), 0, ...leb(imports.length)])
  if (memory) exported.push([...name('memory'), 2, 0])
  const bytes = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
  const section = (id: number, items: readonly (readonly number[])[]) => {
    if (items.length > 0) bytes.push(id, ...sized([...leb(items.length), ...items.flat()]))
  }
  section(
    1,
    [...imports, ...functions].map(({ type }) => typeOf(type)),
  )
  section(
    2,
    imports.map((entry, i) => [...name(entry.module), ...name(entry.name), 0, ...leb(i)]),
  )
  section(
    3,
    functions.map((_, i) => leb(imports.length + i)),
  )
  if (table > 0) section(4, [[FUNCTION_REFERENCE, 0, ...leb(table)]])
  if (memory)
    section(5, [memory.max === undefined ? [0, ...leb(memory.min)] : [1, ...leb(memory.min), ...leb(memory.max)]])
  section(
    6,
    Array.from({ length: globals }, () => [I32, 1, 0x41, 0, 0x0b]),
  )
  section(7, exported)
  if (module.start !== undefined) bytes.push(8, ...sized(leb(module.start)))
  section(
    9,
    elements.map((segment) => {
      const start = segment.at === undefined ? [1, 0] : [0, 0x41, ...leb(segment.at), 0x0b]
      return [...start, ...sized(segment.functions)]
    }),
  )
  if (data.length > 0) bytes.push(12, ...sized(leb(data.length)))
  section(
    10,
    functions.map(({ code }) => sized([0, ...code, 0x0b])),
  )
  section(
    11,
    data.map((segment) => {
      const start = segment.at === undefined ? [1] : [0, 0x41, ...leb(segment.at), 0x0b]
      return [...start, ...sized(segment.bytes)]
    }),
  )
  for (const custom of customSections) bytes.push(0, ...sized([...name(custom), 1, 2, 3]))
  return Uint8Array.from(bytes)
}

/** Positive integers, signed or not: one more byte than needed does no harm where signs matter. */
export function leb(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest > 0x3f) {
    bytes.push((rest & 0x7f) | 0x80)
    rest = Math.floor(rest / 128)
  }
  return [...bytes, rest]
}

function typeOf(type: string): number[] {
  const [params = '', results = ''] = type.split('>')
  const values = (letters: string) => [
    letters.length,
    ...[...letters].map((letter) => TYPES[letter as keyof typeof TYPES]),
  ]
  return [0x60, ...values(params), ...values(results)]
}

function name(text: string): number[] {
  const bytes = [...Buffer.from(text)]
  return [...leb(bytes.length), ...bytes]
}

function sized(bytes: readonly number[]): number[] {
  return [...leb(bytes.length), ...bytes]
}

const SEND_MESSAGE = 'iiIiIiIIIiii>'

/** Its `run` sends a message, which the engine cannot. */
export const MESSENGER: Uint8Array = buildModule({
  imports: [{ module: 'massa', name: 'assembly_script_send_message', type: SEND_MESSAGE }],
  functions: [{ type: '>', export: 'run', code: callOf(SEND_MESSAGE.slice(0, -1), 0) }],
})

/** Its `run` takes an i64, where a node gives a pointer. */
export const TAKES_I64: Uint8Array = buildModule({ functions: [...ALLOCATOR, { type: 'I>', export: 'run', code: [] }] })

/** Calls a function with zeros. */
function callOf(parameters: string, index: number): number[] {
  return [...[...parameters].flatMap((letter) => [letter === 'i' ? 0x41 : 0x42, 0]), 0x10, index]
}
