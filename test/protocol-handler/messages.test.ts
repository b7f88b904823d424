import assert from 'node:assert/strict'
import fc from 'fast-check'
import { concatBytes, isArchiveError, toHex } from '../../core/index.ts'
import type { WireCodec } from '../../protocol-handler/index.ts'
import * as room from '../../protocol-handler/index.ts'
import { SAMPLES } from './sample-messages.ts'

/** Decodes to something that encodes to the same bytes, or is refused with a code of the protocol. */
function isRefused(codec: WireCodec<unknown>, bytes: Uint8Array): boolean {
  let message: unknown
  try {
    message = codec.decode(bytes)
  } catch (error) {
    assert.ok(isArchiveError(error), String(error))
    assert.ok(error.code === 'PROTOCOL_MESSAGE_INVALID' || error.code === 'PROTOCOL_VERSION_UNKNOWN', error.code)
    return true
  }
  assert.equal(toHex(codec.encode(message)), toHex(bytes))
  return false
}

describe('protocol-handler/messages', () => {
  it('every codec of the room has its samples', () => {
    const codecs = Object.entries(room).flatMap(([name, value]) => (name.endsWith('Codec') ? [value] : []))
    assert.deepEqual(new Set(codecs), new Set(SAMPLES.map(({ codec }) => codec)))
  })

  for (const { codec, messages } of SAMPLES) {
    describe(codec.name, () => {
      const encoded = messages.map((message) => codec.encode(message))

      it('is read as it was written', () => {
        for (const [i, bytes] of encoded.entries()) assert.deepEqual(codec.decode(bytes), messages[i])
      })

      it('refuses every beginning of a message, trailing bytes and another version', () => {
        for (const bytes of encoded) {
          for (let length = 0; length < bytes.length; length++) {
            assert.ok(isRefused(codec, bytes.subarray(0, length)), `${length} of ${bytes.length} bytes`)
          }
          assert.ok(isRefused(codec, concatBytes(bytes, Uint8Array.of(0))))
          for (const version of [0, 2, 255]) {
            assert.throws(() => codec.decode(concatBytes(Uint8Array.of(version), bytes.subarray(1))), {
              code: 'PROTOCOL_VERSION_UNKNOWN',
            })
          }
        }
      })

      it('fuzz: any bytes are refused with a code or read as the one form of a message', () => {
        const pieces = fc.array(
          fc.record({ at: fc.nat({ max: 4_000 }), cut: fc.nat({ max: 9 }), put: fc.uint8Array({ maxLength: 9 }) }),
          { minLength: 1, maxLength: 4 },
        )
        const mutated = fc.tuple(fc.constantFrom(...encoded), pieces).map(([bytes, edits]) =>
          edits.reduce((whole, { at, cut, put }) => {
            const from = at % (whole.length + 1)
            return concatBytes(whole.subarray(0, from), put, whole.subarray(Math.min(whole.length, from + cut)))
          }, bytes),
        )
        const body = fc.uint8Array({ maxLength: 300 }).map((bytes) => concatBytes(Uint8Array.of(1), bytes))
        const anything = fc.oneof(fc.uint8Array({ maxLength: 300 }), body, mutated)
        fc.assert(
          fc.property(anything, (bytes) => {
            isRefused(codec, bytes)
          }),
          { numRuns: 1_000 },
        )
      })

      it('limit: a message past its bound is refused unread', () => {
        const bytes = new Uint8Array(codec.maxBytes + 1)
        assert.throws(() => codec.decode(bytes), { code: 'PROTOCOL_MESSAGE_INVALID', message: /at most/ })
      })
    })
  }
})
