import { createHash } from 'node:crypto'
import { fromHex } from '../../core/index.ts'

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** One file of test/vectors, read by name and type; a field of another type throws. */
export class VectorCase {
  private readonly fields: { [name: string]: Json }

  constructor(json: Json) {
    if (json === null || typeof json !== 'object' || Array.isArray(json)) throw new Error('a case is an object')
    this.fields = json
  }

  has(name: string): boolean {
    return Object.hasOwn(this.fields, name)
  }

  json(name: string): Json {
    const value = this.fields[name]
    if (value === undefined) throw new Error(`no field ${name}`)
    return value
  }

  text(name: string): string {
    const value = this.json(name)
    if (typeof value !== 'string') throw new Error(`${name} is no text`)
    return value
  }

  number(name: string): number {
    const value = this.json(name)
    if (typeof value === 'string') return Number(value)
    if (typeof value !== 'number') throw new Error(`${name} is no number`)
    return value
  }

  bigint(name: string): bigint {
    return BigInt(this.text(name))
  }

  bytes(name: string): Uint8Array {
    return toBytes(this.json(name))
  }

  list(name: string): Json[] {
    const value = this.json(name)
    if (!Array.isArray(value)) throw new Error(`${name} is no list`)
    return value
  }

  cases(name: string): VectorCase[] {
    return this.list(name).map((item) => new VectorCase(item))
  }

  numbers(name: string): number[] {
    return this.list(name).map(Number)
  }

  /** A list of byte strings, written out or as a filling cut into leaves. */
  byteList(name: string): Uint8Array[] {
    const value = this.json(name)
    if (Array.isArray(value)) return value.map(toBytes)
    const size = new VectorCase(value).number('leafSize')
    const bytes = toBytes(value)
    return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))
  }
}

function toBytes(value: Json): Uint8Array {
  if (typeof value === 'string') return fromHex(value)
  const filling = new VectorCase(value)
  if (filling.text('fill') !== 'sha256-counter') throw new Error(`unknown filling ${filling.text('fill')}`)
  const bytes = Buffer.alloc(Math.ceil(filling.number('length') / 32) * 32)
  const counter = Buffer.alloc(4)
  for (let i = 0; i * 32 < bytes.length; i++) {
    counter.writeUInt32BE(i)
    bytes.set(createHash('sha256').update(filling.text('seed')).update(counter).digest(), i * 32)
  }
  return new Uint8Array(bytes.subarray(0, filling.number('length')))
}
