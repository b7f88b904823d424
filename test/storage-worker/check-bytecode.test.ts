import assert from 'node:assert/strict'
import { isArchiveError } from '../../core/index.ts'
import { checkBytecode } from '../../storage-worker/check-bytecode.ts'
import { readShippedBytecode } from '../../storage-worker/index.ts'

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]

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

  it('error: a module that is no registry', () => {
    refuses(Uint8Array.from(HEADER), /no registry/)
  })
})
