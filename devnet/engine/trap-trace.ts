import type { ContractModule } from './module-cache.ts'
import { skipImmediates } from './wasm-operators.ts'
import { InvalidModule, WasmReader } from './wasm-reader.ts'
import { wasm } from './webassembly.ts'

/** V8's word for a trap -> the node's. */
const TRAPS: readonly (readonly [RegExp, string])[] = [
  [/^unreachable/, 'unreachable'],
  [/^memory access out of bounds/, 'out of bounds memory access'],
  [/^(divide|remainder) by zero/, 'integer divide by zero'],
  [/^divide result unrepresentable/, 'integer overflow'],
  [/^float unrepresentable/, 'invalid conversion to integer'],
  [/^table index is out of bounds|^table access out of bounds/, 'undefined element: out of bounds table access'],
  [/^null function|signature mismatch|^indirect call signature/, 'indirect call type mismatch'],
  [/^Maximum call stack/, 'call stack exhausted'],
]
const FRAME = /wasm-function\[(\d+)\]:0x([0-9a-f]+)/
/** Frames of a trace: far more than a contract's own code needs. */
const MAX_FRAMES = 200

/**
 * The node's text for a trap: message, and each function on the contract's stack with its place in the bytecode.
 *
 * Exact where recorded (`unreachable`); the frames end where the contract was entered.
 */
export function describeTrap(error: Error, module: ContractModule): string {
  const trap = TRAPS.find(([pattern]) => pattern.test(error.message))?.[1] ?? error.message
  let text = `RuntimeError: ${trap}`
  // A node gives no trace of a stack that is full.
  if (!(error instanceof wasm.RuntimeError)) return text
  let inside = false
  for (const line of (error.stack ?? '').split('\n')) {
    const frame = FRAME.exec(line)
    if (!frame) {
      if (inside) break
      continue
    }
    const index = Number(frame[1])
    const at = module.offsets.find(Number.parseInt(frame[2] ?? '0', 16))
    // Below the trap itself a node names the place to return to, V8 that of the call.
    const offset = inside ? findNext(module.bytecode, at) : at
    inside = true
    text += `\n    at ${module.functionNames.get(index) ?? '<unnamed>'} (<module>[${index}]:0x${offset.toString(16)})`
  }
  return text
}

/** Place of the instruction after the one at `offset`. */
function findNext(bytecode: Uint8Array, offset: number): number {
  const reader = new WasmReader(bytecode, offset)
  try {
    skipImmediates(reader, reader.u8())
  } catch (error) {
    if (error instanceof InvalidModule) return offset
    throw error
  }
  return reader.position
}

/** Runs `call` with room for long stack traces, which V8 otherwise cuts after ten frames. */
export function withLongTraces<T>(call: () => T): T {
  const before = Error.stackTraceLimit
  Error.stackTraceLimit = MAX_FRAMES
  try {
    return call()
  } finally {
    Error.stackTraceLimit = before
  }
}
