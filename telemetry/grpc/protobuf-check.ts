import protobuf from 'protobufjs'

/* What prost, the decoder of a massa-node, refuses, in its words: protobufjs takes some of it and says other things. */

const WIRE_TYPES = ['Varint', 'SixtyFourBit', 'LengthDelimited', 'StartGroup', 'EndGroup', 'ThirtyTwoBit'] as const
const VARINT = 0
const SIXTY_FOUR_BIT = 1
const LENGTH_DELIMITED = 2
const START_GROUP = 3
const END_GROUP = 4
const MAX_DEPTH = 100
const MAX_KEY = 0xffff_ffffn
const WIDE_TYPES = ['uint64', 'int64', 'sint64'] as const
/** Of 32 bits: zeros may follow, up to ten bytes. prost takes any number of them, protobufjs none or all. */
const NARROW_BYTES = 5
const LONGEST_BYTES = 10
const STRICT_UTF8 = new TextDecoder('utf-8', { fatal: true })

/** @returns undefined for bytes that prost decodes as the type, else what it says */
export function findProtobufFault(type: protobuf.Type, bytes: Uint8Array): string | undefined {
  const reader = new Reader(bytes)
  try {
    while (reader.remaining > 0) readField(type, reader, 0)
    return undefined
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return error.message
  }
}

class Fault extends Error {}

class Reader {
  position = 0
  private readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get remaining(): number {
    return this.bytes.length - this.position
  }

  varint(isWide: boolean): bigint {
    const start = this.position
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.bytes[this.position++]
      if (byte === undefined) break
      if (shift === 63n && byte > 1) break
      value |= BigInt(byte & 0x7f) << shift
      if (byte >= 0x80) continue
      const length = this.position - start
      if (!isWide && length > NARROW_BYTES && length < LONGEST_BYTES) break
      return value
    }
    throw new Fault('invalid varint')
  }

  take(length: bigint | number): Uint8Array {
    if (BigInt(length) > BigInt(this.remaining)) throw new Fault('buffer underflow')
    const start = this.position
    this.position += Number(length)
    return this.bytes.subarray(start, this.position)
  }
}

function readKey(reader: Reader): { readonly tag: number; readonly wireType: number } {
  const key = reader.varint(false)
  if (key > MAX_KEY) throw new Fault(`invalid key value: ${key}`)
  const wireType = Number(key & 7n)
  if (wireType >= WIRE_TYPES.length) throw new Fault(`invalid wire type value: ${wireType}`)
  const tag = Number(key >> 3n)
  if (tag === 0) throw new Fault('invalid tag value: 0')
  return { tag, wireType }
}

function readField(type: protobuf.Type, reader: Reader, depth: number): void {
  const { tag, wireType } = readKey(reader)
  const field = type.fieldsById[tag]
  try {
    if (!field) skip(tag, wireType, reader, depth)
    else readValue(field.resolve(), wireType, reader, depth)
  } catch (error) {
    if (!(error instanceof Fault) || !field) throw error
    throw new Fault(`${type.name}.${toSnakeCase(field.partOf?.name ?? field.name)}: ${error.message}`)
  }
}

function readValue(field: protobuf.Field, wireType: number, reader: Reader, depth: number): void {
  const expected = expectedWireType(field)
  const isPacked = field.repeated && expected === VARINT && wireType === LENGTH_DELIMITED
  if (wireType !== expected && !isPacked) {
    throw new Fault(`invalid wire type: ${WIRE_TYPES[wireType]} (expected ${WIRE_TYPES[expected]})`)
  }
  const inner = field.resolvedType
  const isWide = WIDE_TYPES.some((type) => type === field.type)
  if (isPacked) readDelimited(reader, () => reader.varint(isWide))
  else if (expected === VARINT) reader.varint(isWide)
  else if (inner instanceof protobuf.Type) {
    if (depth === MAX_DEPTH) throw new Fault('recursion limit reached')
    readDelimited(reader, () => readField(inner, reader, depth + 1))
  } else {
    const content = reader.take(reader.varint(false))
    if (field.type === 'string' && !isUtf8(content)) throw new Fault('invalid string value: data is not UTF-8 encoded')
  }
}

/** What lies inside may claim more than there is: it is found out behind the end. */
function readDelimited(reader: Reader, readOne: () => void): void {
  const length = reader.varint(false)
  if (length > BigInt(reader.remaining)) throw new Fault('buffer underflow')
  const end = reader.position + Number(length)
  while (reader.position < end) readOne()
  if (reader.position !== end) throw new Fault('delimited length exceeded')
}

function skip(tag: number, wireType: number, reader: Reader, depth: number): void {
  if (depth === MAX_DEPTH) throw new Fault('recursion limit reached')
  if (wireType === VARINT) reader.varint(true)
  else if (wireType === LENGTH_DELIMITED) reader.take(reader.varint(false))
  else if (wireType === START_GROUP) skipGroup(tag, reader, depth)
  else if (wireType === END_GROUP) throw new Fault('unexpected end group tag')
  else reader.take(wireType === SIXTY_FOUR_BIT ? 8 : 4)
}

function skipGroup(tag: number, reader: Reader, depth: number): void {
  let inner = readKey(reader)
  for (; inner.wireType !== END_GROUP; inner = readKey(reader)) skip(inner.tag, inner.wireType, reader, depth + 1)
  if (inner.tag !== tag) throw new Fault('unexpected end group tag')
}

function expectedWireType(field: protobuf.Field): number {
  const isDelimited = field.resolvedType instanceof protobuf.Type || field.type === 'string' || field.type === 'bytes'
  return isDelimited ? LENGTH_DELIMITED : VARINT
}

function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    STRICT_UTF8.decode(bytes)
    return true
  } catch {
    return false
  }
}
