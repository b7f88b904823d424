import { sha256 } from '#crypto'
import { computeAddress, formatAddress, parsePublicKey, parseSignature, verifyText } from '../../core/index.ts'
import { REGISTRY_WASM, type World } from './registry-world.ts'

/*
 * The shipped wasm in V8 alone, unmetered: host functions are a map and a few numbers, nothing is priced, checked or
 * rolled back. For what the engine does not let a test see, and as the baseline of the engine's speed.
 */

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly __new: (bytes: number, classId: number) => number
  readonly [name: string]: unknown
}
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: Exports }
}
const { Module, Instance } = (globalThis as unknown as { readonly WebAssembly: WebAssemblyApi }).WebAssembly
const registryModule = new Module(REGISTRY_WASM)
const BUFFER_CLASS = 1
const STRING_CLASS = 2

/** What a call of the registry finds outside of it. */
export interface Surroundings {
  readonly chainId: bigint
  readonly contract: string
  readonly caller: string
  readonly period: bigint
  readonly timestampMs: bigint
  readonly balanceNanoMas: bigint
  /** Instead of SHA-256. */
  readonly sha256?: (input: Uint8Array) => Uint8Array
  /** Instead of the check of a signature. */
  readonly isSigned?: (text: string) => boolean
  /** Instead of the address of a public key. */
  readonly addressOf?: (publicKey: string) => string
}

export class BareRegistry {
  /** By key as a latin-1 text. */
  readonly entries = new Map<string, Uint8Array>()
  readonly events: string[] = []
  around: Surroundings
  private exports: Exports

  constructor(around: Surroundings) {
    this.around = around
    this.exports = this.makeInstance()
  }

  /** With the entries that the registry has in a world. */
  static copyOf({ engine, contract }: World, caller: string): BareRegistry {
    const bare = new BareRegistry({
      chainId: 77n,
      contract,
      caller,
      period: BigInt(engine.slot.period),
      timestampMs: engine.timestampMs,
      balanceNanoMas: engine.ledger.balance(contract),
    })
    for (const key of engine.ledger.keys(contract)) {
      bare.entries.set(Buffer.from(key).toString('latin1'), engine.ledger.value(contract, key) ?? new Uint8Array())
    }
    return bare
  }

  /** A call in a fresh instance, as on the chain. Throws the text of a refusal. */
  call(functionName: string, parameter: Uint8Array): void {
    this.exports = this.makeInstance()
    this.callAgain(functionName, parameter)
  }

  /** A call in the instance of the last one: its memory only grows. */
  callAgain(functionName: string, parameter: Uint8Array): void {
    const run = this.exports[functionName] as (argument: number) => unknown
    run(this.putBuffer(parameter))
  }

  private makeInstance(): Exports {
    return new Instance(registryModule, { env: this.environment, massa: this.hostFunctions }).exports
  }

  private readonly environment = {
    abort: (message: number) => {
      throw new Error(this.readText(message))
    },
  }

  private readonly hostFunctions = {
    assembly_script_get_call_stack: () => this.putText(`["${this.around.caller}","${this.around.contract}"]`),
    assembly_script_caller_has_write_access: () => 0,
    assembly_script_has_data: (key: number) => (this.entries.has(this.readKey(key)) ? 1 : 0),
    assembly_script_get_data: (key: number) => {
      const value = this.entries.get(this.readKey(key))
      if (!value) throw new Error('data entry not found')
      return this.putBuffer(value)
    },
    assembly_script_set_data: (key: number, value: number) => {
      this.entries.set(this.readKey(key), this.readBuffer(value).slice())
    },
    assembly_script_delete_data: (key: number) => {
      this.entries.delete(this.readKey(key))
    },
    assembly_script_validate_address: () => 1,
    assembly_script_get_balance: () => this.around.balanceNanoMas,
    assembly_script_get_call_coins: () => 0n,
    assembly_script_get_current_period: () => this.around.period,
    assembly_script_get_time: () => this.around.timestampMs,
    assembly_script_get_current_thread: () => 0,
    assembly_script_chain_id: () => this.around.chainId,
    assembly_script_generate_event: (text: number) => {
      this.events.push(this.readText(text))
    },
    assembly_script_transfer_coins: () => {},
    assembly_script_hash_sha256: (input: number) => {
      const hash = this.around.sha256 ?? sha256
      return this.putBuffer(hash(this.readBuffer(input)))
    },
    assembly_script_signature_verify: (text: number, signature: number, publicKey: number) => {
      const isSigned =
        this.around.isSigned?.(this.readText(text)) ??
        verifyText(this.readText(text), {
          signature: parseSignature(this.readText(signature)),
          publicKey: parsePublicKey(this.readText(publicKey)),
        })
      return isSigned ? 1 : 0
    },
    assembly_script_address_from_public_key: (publicKey: number) => {
      const key = this.readText(publicKey)
      return this.putText(this.around.addressOf?.(key) ?? formatAddress(computeAddress(parsePublicKey(key))))
    },
    assembly_script_get_bytecode: () => this.putBuffer(REGISTRY_WASM),
    assembly_script_set_bytecode: () => {},
  }

  private readBuffer(pointer: number): Uint8Array {
    const { buffer } = this.exports.memory
    return new Uint8Array(buffer, pointer, new DataView(buffer).getUint32(pointer - 4, true))
  }

  private readText(pointer: number): string {
    const { buffer, byteOffset, byteLength } = this.readBuffer(pointer)
    return Buffer.from(buffer, byteOffset, byteLength).toString('utf16le')
  }

  private readKey(pointer: number): string {
    const { buffer, byteOffset, byteLength } = this.readBuffer(pointer)
    return Buffer.from(buffer, byteOffset, byteLength).toString('latin1')
  }

  private putBuffer(bytes: Uint8Array): number {
    const pointer = this.exports.__new(bytes.length, BUFFER_CLASS)
    new Uint8Array(this.exports.memory.buffer).set(bytes, pointer)
    return pointer
  }

  private putText(text: string): number {
    const pointer = this.exports.__new(2 * text.length, STRING_CLASS)
    Buffer.from(this.exports.memory.buffer).write(text, pointer, 'utf16le')
    return pointer
  }
}
