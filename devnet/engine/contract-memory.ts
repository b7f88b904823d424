import { asHostFault, bail } from './faults.ts'
import type { ContractModule } from './module-cache.ts'
import { describeTrap } from './trap-trace.ts'
import { GAS_EXPORT } from './wasm-meter.ts'
import { type WasmGlobal, type WasmInstance, type WasmMemory, wasm } from './webassembly.ts'

/*
 * AssemblyScript objects (facts: contract-platform 3.2): a pointer stands at the payload, the u32 before it is its
 * length in bytes. Strings are UTF-16LE.
 */

const LENGTH_BYTES = 4
const BUFFER_CLASS = 1
const STRING_CLASS = 2

/** One started contract: its memory, its gas, and how to put objects into it. */
export class ContractMemory {
  readonly module: ContractModule
  readonly instance: WasmInstance
  readonly gas: WasmGlobal
  /** Host functions are shut while the start function runs, so that a start depends on nothing. */
  isOpen = false
  private readonly memory: WasmMemory
  private bytes: Buffer

  constructor(module: ContractModule, instance: WasmInstance) {
    this.module = module
    this.instance = instance
    this.gas = instance.exports[GAS_EXPORT] as WasmGlobal
    this.memory = instance.exports.memory as WasmMemory
    this.bytes = Buffer.from(this.memory.buffer)
  }

  /** Takes the price of a host function. */
  charge(gas: bigint): void {
    if (!this.isOpen) throw bail('ABI calls are not available during instantiation')
    this.chargeAlways(gas)
  }

  chargeAlways(gas: bigint): void {
    const left = this.gas.value - gas
    if (left < 0n) throw bail('Out of gas')
    this.gas.value = left
  }

  /** A copy of the bytes at a pointer. */
  readBuffer(pointer: number): Uint8Array {
    const start = pointer >>> 0
    const length = this.readLength(start, LENGTH_BYTES)
    if (start + length > this.view().length) throw bail("Wrong offset: can't read buf")
    return Uint8Array.prototype.slice.call(this.view(), start, start + length)
  }

  /** Halves of surrogate pairs that stand alone become U+FFFD. */
  readString(pointer: number): string {
    const start = pointer >>> 0
    const length = this.readLength(start, LENGTH_BYTES) & ~1
    const view = this.view()
    if (start + length > view.length) throw bail("Wrong offset: can't read buf")
    return view.toString('utf16le', start, start + length).replace(/\p{Surrogate}/gu, '\ufffd')
  }

  writeBuffer(bytes: Uint8Array): number {
    const pointer = this.allocate(bytes.length, BUFFER_CLASS)
    const view = this.view()
    if (pointer + bytes.length > view.length) throw bail('memory access out of bounds')
    view.set(bytes, pointer)
    return pointer
  }

  /** Allocates two bytes for each byte of UTF-8, as a node does: right for ASCII, too much for the rest. */
  writeString(text: string): number {
    const pointer = this.allocate(2 * Buffer.byteLength(text), STRING_CLASS)
    const view = this.view()
    if (pointer + 2 * text.length > view.length) throw bail('memory access out of bounds')
    view.write(text, pointer, 'utf16le')
    this.enter('__pin', pointer)
    return pointer
  }

  get sizeBytes(): number {
    return this.view().length
  }

  /** All bytes, to be put back. */
  copyBytes(): Uint8Array {
    return Uint8Array.prototype.slice.call(this.view())
  }

  /** False when the memory has grown since they were copied. */
  putBytes(bytes: Uint8Array): boolean {
    const view = this.view()
    if (view.length !== bytes.length) return false
    view.set(bytes)
    return true
  }

  private allocate(length: number, classId: number): number {
    const pointer = this.enter('__new', length, classId)
    if (pointer < 0) throw bail('out of range integral type conversion attempted')
    return pointer
  }

  /** Calls one of the contract's own memory functions on behalf of a host function. */
  private enter(name: '__new' | '__pin', ...values: number[]): number {
    const run = this.instance.exports[name]
    const signature = this.module.findFunction(name)
    if (typeof run !== 'function' || signature !== (name === '__new' ? 'ii>i' : 'i>i')) {
      throw bail('Failed to get func in env')
    }
    try {
      return (run as (...values: number[]) => number)(...values)
    } catch (error) {
      const fault = asHostFault(error)
      if (fault) throw bail(`RuntimeError: ${fault.text}`)
      if (isTrap(error)) throw bail(describeTrap(error, this.module))
      throw error
    }
  }

  private readLength(start: number, headerBytes: number): number {
    if (start < headerBytes) throw bail('address calculation overflow')
    const view = this.view()
    if (start > view.length) throw bail('memory access out of bounds')
    return view.readUInt32LE(start - headerBytes)
  }

  /** Growing a memory leaves its old buffer without bytes. */
  private view(): Buffer {
    if (this.bytes.length === 0) this.bytes = Buffer.from(this.memory.buffer)
    return this.bytes
  }
}

/** True for what wasm code throws by itself. */
export function isTrap(error: unknown): error is Error {
  return (
    error instanceof wasm.RuntimeError ||
    (error instanceof RangeError && error.message.startsWith('Maximum call stack'))
  )
}
