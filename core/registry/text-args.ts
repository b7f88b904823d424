import { ArchiveError } from '../errors.ts'
import {
  type ArgsCodec,
  type ArgsField,
  type ArgsWriter,
  bool,
  bytes,
  decodeArgs,
  encodeArgs,
  integerCodec,
  list,
  text,
} from './args.ts'
import { REGISTRY_CALLS, type RegistryCallName } from './calls.ts'
import { REGISTRY_VIEWS, type RegistryViewName } from './views.ts'

/* Arguments as somebody writes them on a command line: by the signatures of the registry, or with their type before them. */

/** A function of the registry and what it takes. */
export type RegistryFunction =
  | { readonly kind: 'call'; readonly name: RegistryCallName; readonly fields: readonly ArgsField[] }
  | { readonly kind: 'view'; readonly name: RegistryViewName; readonly fields: readonly ArgsField[] }

const FUNCTIONS: readonly RegistryFunction[] = [
  ...Object.entries(REGISTRY_VIEWS).map(
    ([name, { args }]) => ({ kind: 'view', name, fields: args.fields }) as RegistryFunction,
  ),
  ...Object.entries(REGISTRY_CALLS).map(([name, { fields }]) => ({ kind: 'call', name, fields }) as RegistryFunction),
]

export const REGISTRY_FUNCTION_NAMES: readonly string[] = FUNCTIONS.map(({ name }) => name)

/** `get_node_info` is `getNodeInfo`; a name without an underscore stays as it is. */
export function toCamelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** By its name in camelCase or snake_case. */
export function findRegistryFunction(name: string): RegistryFunction | undefined {
  const wanted = toCamelCase(name)
  return FUNCTIONS.find((known) => known.name === wanted)
}

/** `registerStorageNode(allocatedGb u64, [retentionPeriods u64], [stake u64])` */
export function formatFunction({ name, fields }: Pick<RegistryFunction, 'name' | 'fields'>): string {
  const words = fields.map((field) => {
    const text = `${field.name} ${field.type}`
    return field.isOptional ? `[${text}]` : text
  })
  return `${name}(${words.join(', ')})`
}

/**
 * Values of a function's arguments by their names.
 *
 * @throws ArchiveError CONTRACT_ARGUMENT_INVALID naming the argument, or the signature when their number is wrong
 */
export function parseArguments(
  known: Pick<RegistryFunction, 'name' | 'fields'>,
  texts: readonly string[],
): Record<string, unknown> {
  const { fields } = known
  const least = fields.filter(({ isOptional }) => !isOptional).length
  if (texts.length < least || texts.length > fields.length) {
    throw invalid(`${texts.length} arguments given: the function is ${formatFunction(known)}`)
  }
  return Object.fromEntries(
    texts.map((value, i) => {
      const field = fields[i] as ArgsField
      return [field.name, named(field.name, () => field.parse(value))]
    }),
  )
}

/** A text in UTF-8, which contracts other than the registry take. */
const utf8: ArgsCodec<string> = {
  ...text,
  write: (writer, value) => {
    writer.sized(new TextEncoder().encode(value))
  },
  read: (reader) => {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(reader.sized())
    } catch {
      throw reader.error('a text is not UTF-8')
    }
  },
}

function floatCodec(bits: 32 | 64): ArgsCodec<number> {
  const sizeBytes = bits / 8
  return {
    type: `f${bits}`,
    parse: (value) => {
      if (!/^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(value)) throw invalid(`'${value.slice(0, 80)}' is not a number`)
      return Number(value)
    },
    write: (writer: ArgsWriter, value) => {
      const view = new DataView(new ArrayBuffer(sizeBytes))
      if (bits === 32) view.setFloat32(0, value, true)
      else view.setFloat64(0, value, true)
      writer.raw(new Uint8Array(view.buffer))
    },
    read: (reader) => {
      const part = reader.raw(sizeBytes)
      const view = new DataView(part.buffer, part.byteOffset, sizeBytes)
      return bits === 32 ? view.getFloat32(0, true) : view.getFloat64(0, true)
    },
  }
}

const SCALARS: ReadonlyMap<string, ArgsCodec<unknown>> = new Map(
  [
    ...[8, 16, 32, 64, 128, 256].map((bits) => integerCodec(bits, false)),
    ...[8, 16, 32, 64, 128].map((bits) => integerCodec(bits, true)),
    floatCodec(32),
    floatCodec(64),
    bool,
    utf8,
    bytes,
  ].map((codec) => [codec.type, codec as unknown as ArgsCodec<unknown>]),
)

/** The types that stand before an argument; each may have `[]` after it. */
export const ARGUMENT_TYPES: readonly string[] = [...SCALARS.keys()]

function findType(type: string): ArgsCodec<unknown> {
  const isList = type.endsWith('[]')
  const codec = SCALARS.get(isList ? type.slice(0, -2) : type)
  if (codec === undefined) {
    throw invalid(
      `'${type.slice(0, 40)}' is none of the types ${ARGUMENT_TYPES.join(', ')}, each also with [] after it`,
    )
  }
  return isList ? (list(codec) as ArgsCodec<unknown>) : codec
}

/**
 * Bytes of arguments such as `u64:5`, `string:x`, `u8[]:1,2`; `raw:` is hex that stands as it is.
 *
 * @throws ArchiveError CONTRACT_ARGUMENT_INVALID
 */
export function encodeTypedArguments(texts: readonly string[]): Uint8Array {
  const all: ArgsCodec<readonly string[]> = {
    ...list(text),
    write: (writer) => {
      for (const [i, value] of texts.entries()) named(`argument ${i + 1}`, () => writeTyped(writer, value))
    },
  }
  return encodeArgs(all, texts)
}

function writeTyped(writer: ArgsWriter, argument: string): void {
  const at = argument.indexOf(':')
  if (at < 0) throw invalid(`'${argument.slice(0, 80)}' has no type before it, such as u64:5 or string:x`)
  const [type, value] = [argument.slice(0, at), argument.slice(at + 1)]
  if (type === 'raw') writer.raw(bytes.parse(value))
  else {
    const codec = findType(type)
    codec.write(writer, codec.parse(value))
  }
}

/**
 * The value that a function returned as this type.
 *
 * @throws ArchiveError CONTRACT_ARGUMENT_INVALID for no type; CORE_BYTES_INVALID when the bytes are none of it
 */
export function decodeTyped(type: string, input: Uint8Array): unknown {
  return decodeArgs(findType(type), input)
}

function named<T>(name: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof ArchiveError) || error.code !== 'CONTRACT_ARGUMENT_INVALID') throw error
    throw invalid(`${name}: ${error.message}`)
  }
}

function invalid(message: string): ArchiveError {
  return new ArchiveError('CONTRACT_ARGUMENT_INVALID', message)
}
