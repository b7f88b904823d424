import { InvalidModule, type WasmReader } from './wasm-reader.ts'

/*
 * Operators of the WebAssembly that a massa-node accepts: version 1 with sign extension, saturating conversion and
 * bulk memory. Threads, SIMD, reference types, multi-value, tail calls and the rest are switched off there.
 */

export const OPERATOR = {
  unreachable: 0x00,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  globalGet: 0x23,
  globalSet: 0x24,
  i64Const: 0x42,
  i64LessSigned: 0x53,
  i64Subtract: 0x7d,
} as const

/** First byte of the operators that came with saturating conversion and bulk memory. */
const PREFIX = 0xfc
const LAST_CONVERSION = 7
const MEMORY_COPY = 10
const MEMORY_FILL = 11

/** Wasm's letter for "no result" of a block. */
export const EMPTY_BLOCK = 0x40
const FIRST_VALUE_TYPE = 0x7c
const LAST_VALUE_TYPE = 0x7f

/** Before these, what has been executed is charged (facts: contract-platform 2.4). `if` is not among them. */
const ACCOUNTING: ReadonlySet<number> = new Set([
  OPERATOR.loop,
  OPERATOR.else,
  OPERATOR.end,
  OPERATOR.br,
  OPERATOR.brIf,
  OPERATOR.brTable,
  OPERATOR.return,
  OPERATOR.call,
  OPERATOR.callIndirect,
])

const IS_ACCOUNTING = Uint8Array.from({ length: 256 }, (_, operator) => (ACCOUNTING.has(operator) ? 1 : 0))

export function isAccountingPoint(operator: number): boolean {
  return IS_ACCOUNTING[operator] === 1
}

/** One of i32, i64, f32, f64. */
export function isValueType(byte: number): boolean {
  return byte >= FIRST_VALUE_TYPE && byte <= LAST_VALUE_TYPE
}

/** Moves past the immediates of an operator whose first byte was just read; refuses operators a node refuses. */
export function skipImmediates(reader: WasmReader, operator: number): void {
  if (operator >= 0x45 && operator <= 0xc4) return
  if (operator >= 0x28 && operator <= 0x3e) {
    reader.u32()
    reader.u32()
    return
  }
  if (operator >= 0x20 && operator <= 0x24) {
    reader.u32()
    return
  }
  switch (operator) {
    case 0x00:
    case 0x01:
    case OPERATOR.else:
    case OPERATOR.end:
    case OPERATOR.return:
    case 0x1a:
    case 0x1b:
      return
    case 0x02:
    case OPERATOR.loop:
    case OPERATOR.if:
      skipBlockType(reader)
      return
    case OPERATOR.br:
    case OPERATOR.brIf:
    case OPERATOR.call:
    case 0x3f:
    case 0x40:
      reader.u32()
      return
    case OPERATOR.brTable:
      for (let count = reader.count() + 1; count > 0; count--) reader.u32()
      return
    case OPERATOR.callIndirect:
      reader.u32()
      reader.u32()
      return
    case 0x41:
    case OPERATOR.i64Const:
      reader.skipInteger()
      return
    case 0x43:
      reader.skip(4)
      return
    case 0x44:
      reader.skip(8)
      return
    case PREFIX:
      skipPrefixed(reader)
      return
    default:
      throw new InvalidModule(`operator 0x${operator.toString(16)} at byte ${reader.position - 1} is not supported`)
  }
}

function skipBlockType(reader: WasmReader): void {
  const type = reader.u8()
  if (type !== EMPTY_BLOCK && !isValueType(type)) {
    throw new InvalidModule(
      `blocks, loops, and ifs may only produce a resulttype when multi-value is not enabled (at byte ${reader.position - 1})`,
    )
  }
}

/**
 * True for the operators that change what cannot be put back from outside: tables, and which segments are still there.
 *
 * @param next - byte behind the operator's first one
 */
export function isIrreversible(operator: number, next: number): boolean {
  return operator === PREFIX && next > LAST_CONVERSION && next !== MEMORY_COPY && next !== MEMORY_FILL
}

/** 0 to 7 saturating conversions, 8 to 14 bulk memory. */
function skipPrefixed(reader: WasmReader): void {
  const operator = reader.u32()
  if (operator <= LAST_CONVERSION) return
  if (operator > 14) throw new InvalidModule(`operator 0xfc ${operator} at byte ${reader.position} is not supported`)
  reader.u32()
  if (operator === 8 || operator === MEMORY_COPY || operator === 12 || operator === 14) reader.u32()
}
