/*
 * The few parts of V8's WebAssembly that the engine uses. TypeScript has their types only among those of browsers.
 */

export interface WasmGlobal {
  value: bigint
}

/** A global of any type. */
export interface WasmCell {
  value: number | bigint
}

export interface WasmMemory {
  readonly buffer: ArrayBuffer
}

export interface WasmInstance {
  readonly exports: Readonly<Record<string, unknown>>
}

export type WasmModule = object

interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => WasmModule
  readonly Instance: new (module: WasmModule, imports: object) => WasmInstance
  readonly RuntimeError: new (message?: string) => Error
}

export const wasm = (globalThis as unknown as { readonly WebAssembly: WebAssemblyApi }).WebAssembly
