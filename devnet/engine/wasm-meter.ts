import { MAX_INSTANCE_GAS, OPERATOR_GAS } from './gas-table.ts'
import { MAX_MEMORY_PAGES } from './wasm-limits.ts'
import {
  EMPTY_BLOCK,
  isAccountingPoint,
  isIrreversible,
  isValueType,
  OPERATOR,
  skipImmediates,
} from './wasm-operators.ts'
import { InvalidModule, WasmReader, WasmWriter } from './wasm-reader.ts'
import { type ParsedModule, SECTION, type Section } from './wasm-sections.ts'

/*
 * A module rewritten so that it counts its own gas, as a massa-node's does (facts: contract-platform 2.4): the gas left
 * is a global, and before every accounting point what was executed since the last one is taken from it. Below zero the
 * module traps.
 */

/** Export of the global that holds the gas left, as an i64; below zero the gas ran out. */
export const GAS_EXPORT = 'engine:gas'
/** Export of what was the start function: the engine runs it itself, to know its gas. */
export const START_EXPORT = 'engine:start'

/** Exports of the globals that the module's code may write to: this and their number. */
export const GLOBAL_EXPORT = 'engine:global:'

const GLOBAL_I64_MUTABLE = [0x7e, 0x01]
const KIND_FUNCTION = 0
const KIND_GLOBAL = 3

export interface MeteredBytes {
  readonly bytes: Uint8Array
  /** Where an instruction of the metered module stood in the original. */
  readonly offsets: OffsetMap
  /** Writing its memory and its globals back makes an instance as good as new. */
  readonly isResettable: boolean
}

export function meterModule(bytes: Uint8Array, module: ParsedModule): MeteredBytes {
  const writer = new WasmWriter(bytes.length * 2 + 64)
  writer.raw(bytes.subarray(0, 8))
  const offsets = new OffsetMap()
  const gasGlobal = module.globalCount
  let written = 0
  let isResettable = true
  const sectionsOf = new Map(module.sections.map((section) => [section.id, section]))
  // In the order of ids but for the count of data segments (12), which precedes the code.
  for (const id of [1, 2, 3, 4, 5, SECTION.global, SECTION.export, 9, 12, SECTION.code, 11]) {
    const section = sectionsOf.get(id)
    if (section) written++
    if (id === SECTION.global) writeSection(writer, id, meterGlobals(bytes, section, module))
    else if (id === SECTION.export) writeSection(writer, id, meterExports(bytes, section, module, gasGlobal))
    else if (!section) continue
    else if (id === SECTION.memory) writeSection(writer, id, capMemory(bytes, module, section))
    else if (id === SECTION.code) isResettable = meterCode(writer, bytes, section, { gasGlobal, offsets })
    else writeSection(writer, id, bytes.subarray(section.start, section.end))
  }
  const dropped = module.sections.filter(({ id }) => id === 0 || id === SECTION.start).length
  if (written + dropped !== module.sections.length) throw new InvalidModule('a section stands twice')
  return { bytes: writer.written().slice(), offsets, isResettable }
}

/** Pairs of positions; between two pairs both modules have the same bytes. */
export class OffsetMap {
  private readonly metered: number[] = []
  private readonly original: number[] = []

  add(metered: number, original: number): void {
    this.metered.push(metered)
    this.original.push(original)
  }

  /** Position in the original of an instruction at `metered`; `metered` itself when nothing is known of it. */
  find(metered: number): number {
    let low = 0
    let high = this.metered.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.metered[middle] ?? 0) <= metered) low = middle + 1
      else high = middle
    }
    const start = this.metered[low - 1]
    const original = this.original[low - 1]
    return start === undefined || original === undefined ? metered : original + (metered - start)
  }
}

function writeSection(writer: WasmWriter, id: number, contents: Uint8Array): void {
  writer.u8(id)
  writer.u32(contents.length)
  writer.raw(contents)
}

/** The section's items and some more. */
function extendVector(bytes: Uint8Array, section: Section | undefined, more: readonly WasmWriter[]): Uint8Array {
  const writer = new WasmWriter((section ? section.end - section.start : 0) + 64)
  const reader = section ? new WasmReader(bytes, section.start, section.end) : undefined
  writer.u32((reader?.u32() ?? 0) + more.length)
  if (reader) writer.raw(bytes.subarray(reader.position, reader.end))
  for (const item of more) writer.raw(item.written())
  return writer.written()
}

function meterGlobals(bytes: Uint8Array, section: Section | undefined, module: ParsedModule): Uint8Array {
  const gas = new WasmWriter(16)
  for (const byte of GLOBAL_I64_MUTABLE) gas.u8(byte)
  gas.u8(OPERATOR.i64Const)
  gas.positiveInteger(MAX_INSTANCE_GAS)
  gas.u8(OPERATOR.end)
  if (section === undefined && module.definedGlobalCount > 0) throw new InvalidModule('globals without a section')
  return extendVector(bytes, section, [gas])
}

function meterExports(
  bytes: Uint8Array,
  section: Section | undefined,
  module: ParsedModule,
  gasGlobal: number,
): Uint8Array {
  for (const name of module.exports.keys()) {
    if (name.startsWith('engine:')) throw new InvalidModule(`export ${name} is the engine's own`)
  }
  const more = [exportOf(GAS_EXPORT, KIND_GLOBAL, gasGlobal)]
  if (module.startFunction !== undefined) more.push(exportOf(START_EXPORT, KIND_FUNCTION, module.startFunction))
  for (const index of module.mutableGlobals) more.push(exportOf(`${GLOBAL_EXPORT}${index}`, KIND_GLOBAL, index))
  return extendVector(bytes, section, more)
}

function exportOf(name: string, kind: number, index: number): WasmWriter {
  const writer = new WasmWriter(32)
  writer.name(name)
  writer.u8(kind)
  writer.u32(index)
  return writer
}

/** A memory without a maximum gets the node's. */
function capMemory(bytes: Uint8Array, module: ParsedModule, section: Section): Uint8Array {
  const [memory] = module.memories
  if (!memory || memory.maxPages !== undefined) return bytes.subarray(section.start, section.end)
  const writer = new WasmWriter(16)
  writer.u32(1)
  writer.u8(1)
  writer.u32(memory.minPages)
  writer.u32(Math.max(MAX_MEMORY_PAGES, memory.minPages))
  return writer.written()
}

/** @returns whether nothing in it is irreversible */
function meterCode(
  writer: WasmWriter,
  bytes: Uint8Array,
  section: Section,
  { gasGlobal, offsets }: { readonly gasGlobal: number; readonly offsets: OffsetMap },
): boolean {
  const reader = new WasmReader(bytes, section.start, section.end)
  const count = reader.count()
  const contents = new WasmWriter((section.end - section.start) * 2 + 16)
  contents.u32(count)
  const pairs: [metered: number, original: number][] = []
  const charge = new Charge(gasGlobal)
  let isReversible = true
  for (let i = 0; i < count; i++) {
    const size = reader.u32()
    const end = reader.position + size
    const body = new WasmReader(bytes, reader.position, end)
    reader.skip(size)
    const metered = new WasmWriter(size * 2 + 64)
    const { pairs: ownPairs, isReversible: own } = meterBody(metered, body, charge)
    isReversible &&= own
    contents.u32(metered.length)
    for (const [at, original] of ownPairs) pairs.push([contents.length + at, original])
    contents.raw(metered.written())
  }
  if (!reader.isAtEnd) throw new InvalidModule('the code section has bytes left over')
  writer.u8(SECTION.code)
  writer.u32(contents.length)
  for (const [at, original] of pairs) offsets.add(writer.length + at, original)
  writer.raw(contents.written())
  return isReversible
}

function meterBody(
  writer: WasmWriter,
  reader: WasmReader,
  charge: Charge,
): { readonly pairs: [number, number][]; readonly isReversible: boolean } {
  const pairs: [number, number][] = []
  let isReversible = true
  let copied = reader.position
  for (let groups = reader.count(); groups > 0; groups--) {
    reader.u32()
    if (!isValueType(reader.u8())) throw new InvalidModule('a local of a type that is not enabled')
  }
  pairs.push([0, copied])
  let executed = 0
  while (!reader.isAtEnd) {
    const start = reader.position
    const operator = reader.u8()
    skipImmediates(reader, operator)
    if (isIrreversible(operator, reader.bytes[start + 1] ?? 0)) isReversible = false
    executed++
    if (!isAccountingPoint(operator)) continue
    writer.raw(reader.bytes.subarray(copied, start))
    charge.write(writer, executed * OPERATOR_GAS)
    pairs.push([writer.length, start])
    copied = start
    executed = 0
  }
  writer.raw(reader.bytes.subarray(copied, reader.end))
  return { pairs, isReversible }
}

/** gas -= cost; if (gas < 0) unreachable */
class Charge {
  private readonly before: Uint8Array
  private readonly after: Uint8Array

  constructor(gasGlobal: number) {
    const before = new WasmWriter(8)
    before.u8(OPERATOR.globalGet)
    before.u32(gasGlobal)
    before.u8(OPERATOR.i64Const)
    const after = new WasmWriter(24)
    after.u8(OPERATOR.i64Subtract)
    after.u8(OPERATOR.globalSet)
    after.u32(gasGlobal)
    after.u8(OPERATOR.globalGet)
    after.u32(gasGlobal)
    for (const byte of [OPERATOR.i64Const, 0, OPERATOR.i64LessSigned, OPERATOR.if, EMPTY_BLOCK]) after.u8(byte)
    for (const byte of [OPERATOR.unreachable, OPERATOR.end]) after.u8(byte)
    this.before = before.written().slice()
    this.after = after.written().slice()
  }

  write(writer: WasmWriter, gas: number): void {
    writer.raw(this.before)
    writer.positiveInteger(gas)
    writer.raw(this.after)
  }
}
