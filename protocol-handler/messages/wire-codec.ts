import { ArchiveError, ByteReader, ByteWriter, concatBytes } from '../../core/index.ts'

/** Of every message of docs/PROTOCOL.md. */
export const MESSAGE_VERSION = 1

/** Bytes of one kind of message. */
export interface WireCodec<T> {
  readonly name: string
  /** What `decode` takes at most, and what a stream may announce as length. */
  readonly maxBytes: number
  /** @throws ArchiveError CORE_NUMBER_OUT_OF_RANGE for what no peer would accept */
  encode(message: T): Uint8Array
  /** The same bytes in pieces: what is large in it is not copied. @throws as `encode` */
  encodePieces(message: T): readonly Uint8Array[]
  /** @throws ArchiveError PROTOCOL_MESSAGE_INVALID, PROTOCOL_VERSION_UNKNOWN */
  decode(bytes: Uint8Array): T
}

/**
 * A codec from what stands behind the version byte.
 *
 * Whatever decodes encodes to the same bytes: one message has one form, so that it can be signed and counted.
 */
export function wireCodec<T>(format: {
  readonly name: string
  readonly maxBytes: number
  readonly write: (writer: ByteWriter, message: T) => void
  /** Large bytes that stand behind what `write` has written. */
  readonly tail?: (message: T) => Uint8Array | undefined
  readonly read: (reader: ByteReader) => T
}): WireCodec<T> {
  const { name, maxBytes } = format
  const encodePieces = (message: T): readonly Uint8Array[] => {
    const writer = new ByteWriter(128).u8(MESSAGE_VERSION)
    format.write(writer, message)
    const tail = format.tail?.(message)
    const pieces = tail ? [writer.finish(), tail] : [writer.finish()]
    const sizeBytes = pieces.reduce((sum, { length }) => sum + length, 0)
    if (sizeBytes > maxBytes) {
      throw new ArchiveError('CORE_NUMBER_OUT_OF_RANGE', `${name} of ${sizeBytes} bytes, at most ${maxBytes}`)
    }
    return pieces
  }
  return {
    name,
    maxBytes,
    encode: (message) => concatBytes(...encodePieces(message)),
    encodePieces,
    decode(bytes) {
      const reader = new ByteReader(bytes, 'PROTOCOL_MESSAGE_INVALID')
      if (bytes.length > maxBytes) throw reader.error(`${name} of ${bytes.length} bytes, at most ${maxBytes}`)
      const version = reader.u8()
      if (version !== MESSAGE_VERSION) {
        throw new ArchiveError('PROTOCOL_VERSION_UNKNOWN', `${name} of version ${version}`, { version })
      }
      const message = format.read(reader)
      reader.end()
      return message
    },
  }
}
