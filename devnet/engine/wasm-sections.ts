import { isValueType, OPERATOR, skipImmediates } from './wasm-operators.ts'
import { InvalidModule, WasmReader } from './wasm-reader.ts'

export const SECTION = { type: 1, import: 2, function: 3, memory: 5, global: 6, export: 7, start: 8, code: 10 } as const
const KINDS = ['function', 'table', 'memory', 'global'] as const
const CUSTOM = 0
const TABLE = 4
const ELEMENT = 9
const DATA = 11
const DATA_COUNT = 12
/** Where a section may stand; the count of data segments comes before the code. */
const ORDER = new Map([1, 2, 3, 4, 5, 6, 7, 8, 9, DATA_COUNT, 10, 11].map((id, place) => [id, place]))
const MAGIC = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]
const FUNCTION_TYPE = 0x60
const FUNCTION_REFERENCE = 0x70

export type ExternalKind = (typeof KINDS)[number]

export interface Section {
  readonly id: number
  /** Of the contents, behind id and length. */
  readonly start: number
  readonly end: number
}

/** Parameters and result in letters: i32 `i`, i64 `I`, f32 `f`, f64 `F`; `'iI>i'` takes i32 and i64 and gives i32. */
export type Signature = string

export interface ParsedModule {
  readonly sections: readonly Section[]
  readonly types: readonly Signature[]
  readonly imports: readonly {
    readonly module: string
    readonly name: string
    readonly kind: ExternalKind
    readonly signature?: Signature
  }[]
  /** By function index, imported ones first. */
  readonly functionTypes: readonly number[]
  readonly importedFunctionCount: number
  readonly globalCount: number
  readonly definedGlobalCount: number
  /** Indexes of the module's own globals that its code may write to. */
  readonly mutableGlobals: readonly number[]
  readonly tableCount: number
  readonly memories: readonly { readonly minPages: number; readonly maxPages?: number }[]
  readonly exports: ReadonlyMap<string, { readonly kind: ExternalKind; readonly index: number }>
  readonly startFunction?: number
  readonly activeElementCount: number
  readonly passiveElementCount: number
  readonly passiveDataCount: number
  readonly customSections: ReadonlyMap<string, number>
  readonly functionNames: ReadonlyMap<number, string>
}

/** Everything of a module but its code. Throws InvalidModule. */
export function parseModule(bytes: Uint8Array): ParsedModule {
  const parser = new ModuleParser()
  const reader = new WasmReader(bytes)
  for (const byte of MAGIC) if (reader.u8() !== byte) throw new InvalidModule('magic header not detected')
  let place = -1
  while (!reader.isAtEnd) {
    const id = reader.u8()
    const length = reader.u32()
    const start = reader.position
    reader.skip(length)
    if (id !== CUSTOM) {
      const next = ORDER.get(id)
      if (next === undefined || next <= place) throw new InvalidModule(`section ${id} is unknown or out of order`)
      place = next
    }
    parser.readSection({ id, start, end: reader.position }, bytes)
  }
  return parser
}

class ModuleParser implements ParsedModule {
  readonly sections: Section[] = []
  readonly types: Signature[] = []
  readonly imports: { module: string; name: string; kind: ExternalKind; signature?: Signature }[] = []
  readonly functionTypes: number[] = []
  importedFunctionCount = 0
  globalCount = 0
  definedGlobalCount = 0
  readonly mutableGlobals: number[] = []
  tableCount = 0
  readonly memories: { minPages: number; maxPages?: number }[] = []
  readonly exports = new Map<string, { kind: ExternalKind; index: number }>()
  declare startFunction?: number
  activeElementCount = 0
  passiveElementCount = 0
  passiveDataCount = 0
  readonly customSections = new Map<string, number>()
  readonly functionNames = new Map<number, string>()

  readSection(section: Section, bytes: Uint8Array): void {
    this.sections.push(section)
    const reader = new WasmReader(bytes, section.start, section.end)
    if (section.id === CUSTOM) {
      this.readCustom(reader)
      return
    }
    if (section.id === SECTION.start) {
      this.startFunction = reader.u32()
      return
    }
    const read = this.itemReader(section.id)
    if (!read) return
    for (let count = reader.count(); count > 0; count--) read(reader)
    if (!reader.isAtEnd) throw new InvalidModule(`section ${section.id} has bytes left over`)
  }

  private itemReader(id: number): ((reader: WasmReader) => void) | undefined {
    switch (id) {
      case SECTION.type:
        return (reader) => this.types.push(readSignature(reader))
      case SECTION.import:
        return (reader) => this.readImport(reader)
      case SECTION.function:
        return (reader) => this.functionTypes.push(reader.u32())
      case TABLE:
        return (reader) => this.readTable(reader)
      case SECTION.memory:
        return (reader) => this.memories.push(readLimits(reader))
      case SECTION.global:
        return (reader) => this.readGlobal(reader)
      case SECTION.export:
        return (reader) => this.exports.set(reader.name(), { kind: readKind(reader), index: reader.u32() })
      case ELEMENT:
        return (reader) => this.readElement(reader)
      case DATA:
        return (reader) => this.readData(reader)
      default:
        return undefined
    }
  }

  private readImport(reader: WasmReader): void {
    const module = reader.name()
    const name = reader.name()
    const kind = readKind(reader)
    switch (kind) {
      case 'function': {
        const type = reader.u32()
        this.functionTypes.push(type)
        this.importedFunctionCount++
        const signature = this.types[type]
        if (signature === undefined) throw new InvalidModule(`type ${type} does not exist`)
        this.imports.push({ module, name, kind, signature })
        return
      }
      case 'table':
        this.readTable(reader)
        break
      case 'memory':
        this.memories.push(readLimits(reader))
        break
      case 'global':
        readValueType(reader)
        reader.u8()
        this.globalCount++
    }
    this.imports.push({ module, name, kind })
  }

  private readTable(reader: WasmReader): void {
    if (reader.u8() !== FUNCTION_REFERENCE) throw new InvalidModule('reference types are not enabled')
    readLimits(reader)
    this.tableCount++
  }

  private readGlobal(reader: WasmReader): void {
    readValueType(reader)
    if (reader.u8() === 1) this.mutableGlobals.push(this.globalCount)
    skipConstant(reader)
    this.globalCount++
    this.definedGlobalCount++
  }

  private readElement(reader: WasmReader): void {
    const flags = reader.u32()
    if (flags > 3) throw new InvalidModule('reference types are not enabled')
    if (flags === 2) reader.u32()
    if ((flags & 1) === 0) skipConstant(reader)
    if (flags !== 0) reader.u8()
    for (let count = reader.count(); count > 0; count--) reader.u32()
    if ((flags & 1) === 0) this.activeElementCount++
    else this.passiveElementCount++
  }

  private readData(reader: WasmReader): void {
    const flags = reader.u32()
    if (flags > 2) throw new InvalidModule(`data segment of kind ${flags}`)
    if (flags === 2) reader.u32()
    if (flags === 1) this.passiveDataCount++
    else skipConstant(reader)
    reader.skip(reader.u32())
  }

  private readCustom(reader: WasmReader): void {
    const name = reader.name()
    this.customSections.set(name, reader.end - reader.position)
    if (name === 'name') readFunctionNames(reader, this.functionNames)
  }
}

/** Names are for people: a damaged name section names nothing, and is no reason to refuse the module. */
function readFunctionNames(reader: WasmReader, names: Map<number, string>): void {
  try {
    while (!reader.isAtEnd) {
      const id = reader.u8()
      const end = reader.u32() + reader.position
      if (id === 1) for (let count = reader.count(); count > 0; count--) names.set(reader.u32(), reader.name())
      else reader.skip(end - reader.position)
    }
  } catch (error) {
    if (!(error instanceof InvalidModule)) throw error
  }
}

function readSignature(reader: WasmReader): Signature {
  if (reader.u8() !== FUNCTION_TYPE) throw new InvalidModule('a type is not that of a function')
  let signature = ''
  for (let count = reader.count(); count > 0; count--) signature += readValueType(reader)
  const results = reader.count()
  if (results > 1)
    throw new InvalidModule('func type returns multiple values but the multi-value feature is not enabled')
  return results === 0 ? `${signature}>` : `${signature}>${readValueType(reader)}`
}

function readValueType(reader: WasmReader): string {
  const type = reader.u8()
  if (!isValueType(type)) throw new InvalidModule(`value type 0x${type.toString(16)} is not enabled`)
  return 'FfIi'[type - 0x7c] ?? ''
}

function readKind(reader: WasmReader): ExternalKind {
  const kind = KINDS[reader.u8()]
  if (!kind) throw new InvalidModule(`external of unknown kind at byte ${reader.position - 1}`)
  return kind
}

function readLimits(reader: WasmReader): { minPages: number; maxPages?: number } {
  const flags = reader.u8()
  if (flags > 1) throw new InvalidModule('shared or 64-bit memory is not enabled')
  const minPages = reader.u32()
  return flags === 0 ? { minPages } : { minPages, maxPages: reader.u32() }
}

function skipConstant(reader: WasmReader): void {
  for (;;) {
    const operator = reader.u8()
    if (operator === OPERATOR.end) return
    if (operator !== OPERATOR.globalGet && (operator < 0x41 || operator > 0x44)) {
      throw new InvalidModule('constant expression required')
    }
    skipImmediates(reader, operator)
  }
}
