import assert from 'node:assert/strict'
import { isArchiveError, REGISTRY_CALLS } from '../../core/index.ts'
import { checkBytecode } from '../../storage-worker/check-bytecode.ts'
import { readShippedBytecode } from '../../storage-worker/index.ts'

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]

/** A module whose exports are functions that do nothing. */
function makeHollow(names: readonly string[]): Uint8Array {
  const leb = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)])
  const section = (id: number, bytes: readonly number[]): number[] => [id, ...leb(bytes.length), ...bytes]
  const exported = names.flatMap((name) => [...leb(name.length), ...Buffer.from(name), 0, 0])
  return Uint8Array.from([
    ...HEADER,
    ...section(1, [1, 0x60, 0, 0]),
    ...section(3, [1, 0]),
    ...section(7, [...leb(names.length), ...exported]),
    ...section(10, [1, 2, 0, 0x0b]),
  ])
}

describe('storage-worker/check-bytecode', () => {
  const shipped = readShippedBytecode()
  const refuses = (bytecode: Uint8Array, pattern: RegExp): void =>
    assert.throws(
      () => checkBytecode(bytecode, 'new.wasm'),
      (error) => isArchiveError(error, 'REGISTRY_CODE_INVALID') && pattern.test(error.message),
    )

  it('accepts the registry that ships, and the same with a section of notes behind it', () => {
    checkBytecode(shipped, 'new.wasm')
    checkBytecode(Buffer.concat([shipped, Uint8Array.of(0, 4, 3, 0x61, 0x62, 0x63)]), 'new.wasm')
  })

  it('error: what the chain would take and could never run again', () => {
    refuses(Uint8Array.of(...HEADER, 1, 200), /does not compile/)
    refuses(shipped.subarray(0, shipped.length - 1), /does not compile/)
  })

  it('error: a module with the functions of the registry that no node could run', () => {
    refuses(makeHollow(Object.keys(REGISTRY_CALLS)), /no memory memory, __new, __pin: no node could run it/)
  })

  it('error: a module that is no registry', () => {
    refuses(Uint8Array.from(HEADER), /no registry/)
  })
})
