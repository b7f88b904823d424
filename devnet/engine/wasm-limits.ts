import { InvalidModule } from './wasm-reader.ts'
import type { ParsedModule } from './wasm-sections.ts'

/*
 * What a massa-node lets a module have (massa-models, config/constants.rs, MAX_RUNTIME_MODULE_*). It checks them before
 * it compiles, so that no module can exhaust its memory.
 */

export const MAX_MEMORY_PAGES = 64
export const MAX_FUNCTIONS = 512 + 256
export const MAX_EXPORTS = 512 + 512
export const MAX_IMPORTS = 256 + 1
export const MAX_SIGNATURE_VALUES = 64 + 8
export const MAX_FUNCTION_NAME_BYTES = 256
export const MAX_TABLES = 16
export const MAX_MEMORIES = 1
export const MAX_GLOBALS = 512
export const MAX_TABLE_INITIALIZERS = 512
export const MAX_PASSIVE_SEGMENTS = 512
export const MAX_CUSTOM_SECTIONS = 1
export const MAX_CUSTOM_SECTION_BYTES = 1_000_000

/** Throws InvalidModule for a module that a node blocks for its size or shape. */
export function checkModuleLimits(module: ParsedModule): void {
  const counts: readonly (readonly [string, number, number])[] = [
    ['exports', module.exports.size, MAX_EXPORTS],
    ['functions', module.functionTypes.length, MAX_FUNCTIONS],
    ['imports', module.imports.length, MAX_IMPORTS],
    ['table initializers', module.activeElementCount, MAX_TABLE_INITIALIZERS],
    ['passive elements', module.passiveElementCount, MAX_PASSIVE_SEGMENTS],
    ['passive data', module.passiveDataCount, MAX_PASSIVE_SEGMENTS],
    ['global initializers', module.definedGlobalCount, MAX_GLOBALS],
    ['tables', module.tableCount, MAX_TABLES],
    ['memories', module.memories.length, MAX_MEMORIES],
    ['globals', module.globalCount, MAX_GLOBALS],
    ['custom sections', module.customSections.size, MAX_CUSTOM_SECTIONS],
  ]
  for (const [what, count, limit] of counts) {
    if (count > limit) throw blocked(`The WASM file has too many ${what} (contains: ${count}, limit: ${limit})`)
  }
  for (const signature of module.types) {
    if (signature.length - 1 > MAX_SIGNATURE_VALUES) {
      throw blocked('The WASM file contains a function with too many parameters and return values')
    }
  }
  for (const name of module.functionNames.values()) {
    if (Buffer.byteLength(name) > MAX_FUNCTION_NAME_BYTES) throw blocked('The WASM file has too long function names')
  }
  for (const [name, sizeBytes] of module.customSections) {
    if (sizeBytes > MAX_CUSTOM_SECTION_BYTES) {
      throw blocked(`The WASM file custom section '${name}' with size ${sizeBytes} is too big`)
    }
  }
}

function blocked(message: string): InvalidModule {
  return new InvalidModule(
    `Error in middleware CondomMiddleware: ${message}. Blocked to prevent compile-time memory bloat`,
  )
}
