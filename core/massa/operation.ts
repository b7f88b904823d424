import { blake3 } from '#crypto'
import { concatBytes } from '../bytes.ts'
import { ByteReader, ByteWriter } from '../codec.ts'
import { readAddress } from './atoms.ts'

/** Periods in which an operation may be included (facts: massa-node 3.1). */
export const OPERATION_VALIDITY_PERIODS = 10
/** Limits of the node (facts: massa-node 3.1). */
const MAX_BYTECODE_BYTES = 10_000_000
const MAX_PARAMETER_BYTES = 10_000_000
const MAX_FUNCTION_NAME_BYTES = 255
const MAX_DATASTORE_ENTRIES = 128
const MAX_DATASTORE_KEY_BYTES = 255
const MAX_DATASTORE_VALUE_BYTES = 500_000
/** Signature 65 and public key 33: what a signed operation or header has beside its content. */
export const SIGNED_OVERHEAD_BYTES = 98

export interface DatastoreEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** The five kinds of Massa operation; amounts in nanoMAS. */
export type OperationBody =
  | { readonly kind: 'transaction'; readonly recipient: Uint8Array; readonly amountNanoMas: bigint }
  | { readonly kind: 'roll-buy'; readonly rollCount: bigint }
  | { readonly kind: 'roll-sell'; readonly rollCount: bigint }
  | {
      readonly kind: 'execute-sc'
      readonly maxGas: bigint
      readonly maxCoinsNanoMas: bigint
      readonly bytecode: Uint8Array
      readonly datastore: readonly DatastoreEntry[]
    }
  | {
      readonly kind: 'call-sc'
      readonly maxGas: bigint
      readonly coinsNanoMas: bigint
      readonly target: Uint8Array
      readonly functionName: string
      readonly parameter: Uint8Array
    }

export interface Operation {
  readonly feeNanoMas: bigint
  readonly expirePeriod: bigint
  readonly body: OperationBody
}

/** Canonical operation content (facts: massa-node 2.5), without public key and signature. */
export function encodeOperationContent(operation: Operation): Uint8Array {
  const { body } = operation
  const writer = new ByteWriter(128).varint(operation.feeNanoMas).varint(operation.expirePeriod)
  switch (body.kind) {
    case 'transaction':
      return writer.varint(0).raw(body.recipient).varint(body.amountNanoMas).finish()
    case 'roll-buy':
      return writer.varint(1).varint(body.rollCount).finish()
    case 'roll-sell':
      return writer.varint(2).varint(body.rollCount).finish()
    case 'execute-sc':
      writer.varint(3).varint(body.maxGas).varint(body.maxCoinsNanoMas).bytes(body.bytecode)
      writer.varint(body.datastore.length)
      for (const { key, value } of body.datastore) writer.bytes(key).bytes(value)
      return writer.finish()
    case 'call-sc':
      writer.varint(4).varint(body.maxGas).varint(body.coinsNanoMas).raw(body.target)
      return writer.bytes(new TextEncoder().encode(body.functionName)).bytes(body.parameter).finish()
  }
}

export function parseOperationContent(bytes: Uint8Array): Operation {
  const reader = new ByteReader(bytes)
  const operation = readOperationContent(reader)
  reader.end()
  return operation
}

/** Who is paid or called. */
export function findTarget({ body }: Operation): Uint8Array | undefined {
  if (body.kind === 'transaction') return body.recipient
  return body.kind === 'call-sc' ? body.target : undefined
}

/** Reads an operation content that is followed by something else. */
export function readOperationContent(reader: ByteReader): Operation {
  const feeNanoMas = reader.varint()
  const expirePeriod = reader.varint()
  return { feeNanoMas, expirePeriod, body: readBody(reader) }
}

function readBody(reader: ByteReader): OperationBody {
  const type = reader.varintNumber(0xffff_ffff)
  switch (type) {
    case 0:
      return { kind: 'transaction', recipient: readAddress(reader), amountNanoMas: reader.varint() }
    case 1:
      return { kind: 'roll-buy', rollCount: reader.varint() }
    case 2:
      return { kind: 'roll-sell', rollCount: reader.varint() }
    case 3: {
      const maxGas = reader.varint()
      const maxCoinsNanoMas = reader.varint()
      const bytecode = reader.sized(MAX_BYTECODE_BYTES)
      const datastore: DatastoreEntry[] = []
      const count = reader.varintNumber(MAX_DATASTORE_ENTRIES)
      for (let i = 0; i < count; i++) {
        const key = reader.sized(MAX_DATASTORE_KEY_BYTES)
        datastore.push({ key, value: reader.sized(MAX_DATASTORE_VALUE_BYTES) })
      }
      return { kind: 'execute-sc', maxGas, maxCoinsNanoMas, bytecode, datastore }
    }
    case 4: {
      const maxGas = reader.varint()
      const coinsNanoMas = reader.varint()
      const target = readAddress(reader)
      const functionName = reader.utf8(reader.sized(MAX_FUNCTION_NAME_BYTES))
      const parameter = reader.sized(MAX_PARAMETER_BYTES)
      return { kind: 'call-sc', maxGas, coinsNanoMas, target, functionName, parameter }
    }
    default:
      throw reader.error(`operation type ${type} is not known`)
  }
}

// A block has up to 5,000 small operations that are only hashed; what is larger would stay in memory for good.
const SCRATCH_BYTES = 1024
const scratch = new ByteWriter(SCRATCH_BYTES)

/** Hash part of the operation id, which is also what the sender signs: BLAKE3(u64 chain id || public key || content). */
export function computeOperationHash(chainId: bigint, publicKey: Uint8Array, content: Uint8Array): Uint8Array {
  const size = 8 + publicKey.length + content.length
  const writer = size <= SCRATCH_BYTES ? scratch.reset() : new ByteWriter(size)
  return blake3(writer.u64(chainId).raw(publicKey).raw(content).written())
}

/** The 33-byte operation id. */
export function computeOperationId(chainId: bigint, publicKey: Uint8Array, content: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(0), computeOperationHash(chainId, publicKey, content))
}
