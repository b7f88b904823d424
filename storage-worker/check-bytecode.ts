import { ArchiveError, REGISTRY_CALLS } from '../core/index.ts'

interface ModuleExport {
  readonly name: string
  readonly kind: string
}

/** The part of V8's WebAssembly that is used here. TypeScript has its types only among those of browsers. */
interface WebAssemblyApi {
  readonly Module: { new (bytes: Uint8Array): object; exports(module: object): readonly ModuleExport[] }
}
const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyApi }

/** What a node reaches into a contract with, and out of which arguments and results come. */
const RUNTIME_EXPORTS: readonly (readonly [name: string, kind: string])[] = [
  ['memory', 'memory'],
  ...['__new', '__pin', '__unpin', '__collect'].map((name) => [name, 'function'] as const),
]

/**
 * Refuses code after which no call would run any more: neither the chain nor the registry looks further than its header, and
 * nothing could be undone. Whether it starts on a node, only a trial run there tells (`tryCode`).
 *
 * @throws ArchiveError REGISTRY_CODE_INVALID: it does not compile, or lacks a function of the registry or what a node needs
 */
export function checkBytecode(bytecode: Uint8Array, path: string): void {
  const kinds = new Map(listExports(bytecode, path).map(({ name, kind }) => [name, kind]))
  const calls = Object.keys(REGISTRY_CALLS).map((name) => [name, 'function'] as const)
  const isMissing = ([name, kind]: readonly [string, string]): boolean => kinds.get(name) !== kind
  refuseMissing(calls.filter(isMissing), path, 'it is no registry')
  refuseMissing(RUNTIME_EXPORTS.filter(isMissing), path, 'no node could run it')
}

/** Names of the functions that a contract can be called by. @throws ArchiveError REGISTRY_CODE_INVALID */
export function listExportedFunctions(bytecode: Uint8Array, where: string): string[] {
  return listExports(bytecode, where)
    .filter(({ name, kind }) => kind === 'function' && !name.startsWith('__'))
    .map(({ name }) => name)
}

function refuseMissing(missing: readonly (readonly [string, string])[], path: string, why: string): void {
  if (missing.length === 0) return
  const names = missing.slice(0, 3).map(([name, kind]) => (kind === 'function' ? name : `${kind} ${name}`))
  const message = `${path} has no ${names.join(', ')}: ${why}`
  throw new ArchiveError('REGISTRY_CODE_INVALID', message, { path, missing: missing.length })
}

function listExports(bytecode: Uint8Array, path: string): readonly ModuleExport[] {
  try {
    return WebAssembly.Module.exports(new WebAssembly.Module(bytecode))
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ArchiveError('REGISTRY_CODE_INVALID', `${path} does not compile (${reason})`, { path }, cause)
  }
}
