import { ArchiveError, REGISTRY_CALLS } from '../core/index.ts'

/** The part of V8's WebAssembly that is used here. TypeScript has its types only among those of browsers. */
interface WebAssemblyApi {
  readonly Module: { new (bytes: Uint8Array): object; exports(module: object): readonly { readonly name: string }[] }
}
const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyApi }

/**
 * Refuses code after which no call would run any more: neither the chain nor the registry looks further than its header, and
 * nothing could be undone.
 *
 * @throws ArchiveError REGISTRY_CODE_INVALID: it does not compile, or lacks a function of the registry
 */
export function checkBytecode(bytecode: Uint8Array, path: string): void {
  const names = new Set(listExports(bytecode, path))
  const missing = Object.keys(REGISTRY_CALLS).filter((name) => !names.has(name))
  if (missing.length > 0) {
    throw new ArchiveError(
      'REGISTRY_CODE_INVALID',
      `${path} has no ${missing.slice(0, 3).join(', ')}: it is no registry`,
      {
        path,
        missing: missing.length,
      },
    )
  }
}

function listExports(bytecode: Uint8Array, path: string): string[] {
  try {
    return WebAssembly.Module.exports(new WebAssembly.Module(bytecode)).map(({ name }) => name)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ArchiveError('REGISTRY_CODE_INVALID', `${path} does not compile (${reason})`, { path }, cause)
  }
}
