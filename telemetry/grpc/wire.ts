import { ByteReader, ByteWriter } from '../../core/index.ts'

/*
 * Protobuf on the wire, where a message is passed on as it was recorded but for a field or two: decoding and encoding
 * it again would lose the fields that the schema of this project leaves out.
 */

const LENGTH_DELIMITED = 2

export interface WireField {
  readonly number: number
  /** The whole field, tag included. */
  readonly bytes: Uint8Array
  /** Content of a length-delimited field, absent for others. */
  readonly payload?: Uint8Array
}

/** The top-level fields of a message in their order. @throws ArchiveError CORE_PROTOBUF_INVALID */
export function readWireFields(message: Uint8Array): WireField[] {
  const reader = new ByteReader(message, 'CORE_PROTOBUF_INVALID')
  const fields: WireField[] = []
  while (reader.remaining > 0) {
    const start = reader.position
    const tag = reader.varintNumber(0xffff_ffff)
    const type = tag & 7
    const payload = readPayload(reader, type)
    const bytes = message.subarray(start, reader.position)
    fields.push({ number: tag >>> 3, bytes, ...(payload === undefined ? {} : { payload }) })
  }
  return fields
}

/**
 * The message with the length-delimited fields of `replacements` put in place of what it had under these numbers,
 * in ascending order of field numbers as encoders write them.
 */
export function replaceWireFields(message: Uint8Array, replacements: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const kept = readWireFields(message).filter((field) => !replacements.has(field.number))
  const added = [...replacements].map(([number, payload]) => ({ number, bytes: encodeWireField(number, payload) }))
  const fields = [...kept, ...added].sort((a, b) => a.number - b.number)
  const writer = new ByteWriter(message.length + 64)
  for (const field of fields) writer.raw(field.bytes)
  return writer.finish()
}

/** A length-delimited field. */
export function encodeWireField(number: number, payload: Uint8Array): Uint8Array {
  return new ByteWriter(payload.length + 8)
    .varint(number * 8 + LENGTH_DELIMITED)
    .bytes(payload)
    .finish()
}

function readPayload(reader: ByteReader, type: number): Uint8Array | undefined {
  switch (type) {
    case 0:
      reader.varint()
      return undefined
    case 1:
      reader.raw(8)
      return undefined
    case LENGTH_DELIMITED:
      return reader.sized(0x7fff_ffff)
    case 5:
      reader.raw(4)
      return undefined
    default:
      throw reader.error(`wire type ${type}`)
  }
}
