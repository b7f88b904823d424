import assert from 'node:assert/strict'
import { toHex } from '../../core/index.ts'
import { verifyCapabilities, verifyHavePage } from '../../protocol-handler/index.ts'
import type { Json, VectorCase } from '../core/vector-case.ts'
import { SAMPLES } from './sample-messages.ts'

type Signed = Parameters<typeof verifyCapabilities>[0]
type SignedAnswer = { readonly page?: Parameters<typeof verifyHavePage>[0] }

/** What the codec of `message` reads in `bytes`, as JSON; it must write the same bytes again. */
export function runProtocol(vector: VectorCase): Json {
  const name = vector.text('message')
  const codec = SAMPLES.find((sample) => sample.codec.name === name)?.codec
  assert(codec, `no codec ${name}`)
  const message = codec.decode(vector.bytes('bytes'))
  assert.equal(toHex(codec.encode(message)), vector.text('bytes'))
  // The generator signs what is meant to be good; of the others only the form counts.
  if (vector.text('desc').startsWith('each field')) {
    if (name === 'StorageCapabilities') assert(verifyCapabilities(message as Signed))
    if (name === 'HaveResponse')
      assert((message as SignedAnswer).page && verifyHavePage((message as Required<SignedAnswer>).page))
  }
  return toJson(message)
}

function toJson(value: unknown): Json {
  if (value instanceof Uint8Array) return toHex(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number' || typeof value === 'string') return value
  if (value === undefined) return null
  if (Array.isArray(value)) return value.map(toJson)
  assert(typeof value === 'object' && value !== null)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]))
}
