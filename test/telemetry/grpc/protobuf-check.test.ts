import assert from 'node:assert/strict'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { findProtobufFault } from '../../../telemetry/grpc/protobuf-check.ts'

const SCHEMA = `
syntax = "proto3";
message Inner { uint64 number = 1; string text = 2; }
message Outer { repeated Inner inner = 1; bytes raw = 2; bool flag = 3; repeated int32 packed = 4; oneof choice { Inner one = 5; } }
`
const Outer = protobuf.parse(SCHEMA).root.lookupType('Outer')

describe('telemetry/grpc/protobuf-check', () => {
  it('finds nothing in what an encoder makes', () => {
    const inner = fc.record({ number: fc.nat(), text: fc.string({ unit: 'grapheme' }) })
    const message = fc.record({
      inner: fc.array(inner),
      raw: fc.uint8Array(),
      flag: fc.boolean(),
      packed: fc.array(fc.integer({ min: -1000, max: 1000 })),
      one: inner,
    })
    fc.assert(fc.property(message, (fields) => findProtobufFault(Outer, Outer.encode(fields).finish()) === undefined))
  })

  // Texts of prost 0.13, encoding.rs.
  for (const [what, hex, expected] of [
    ['a varint without an end', 'ffffffffff', 'invalid varint'],
    ['a varint of more than 64 bits', `18${'ff'.repeat(9)}02`, 'Outer.flag: invalid varint'],
    ['32 bits in more bytes than they need', '18808080808000', 'Outer.flag: invalid varint'],
    ['the same with all the bytes that there may be', '1880808080808080808000', undefined],
    ['64 bits in more bytes than they need', '0a0708808080808000', undefined],
    ['a key that is no u32', 'ffffffff7f', 'invalid key value: 34359738367'],
    ['field 0', '00', 'invalid tag value: 0'],
    ['wire type 7', '0f', 'invalid wire type value: 7'],
    ['another wire type', '1a00', 'Outer.flag: invalid wire type: LengthDelimited (expected Varint)'],
    ['bytes cut short', '1205aa', 'Outer.raw: buffer underflow'],
    ['a message cut short', '0a0508', 'Outer.inner: buffer underflow'],
    ['a message that claims more than it has', '0a01081801', undefined],
    ['a message whose last field leaves it', '0a0308011805', 'Outer.inner: buffer underflow'],
    [
      'text that is not UTF-8',
      '0a041202ff00',
      'Outer.inner: Inner.text: invalid string value: data is not UTF-8 encoded',
    ],
    [
      'the same in a oneof',
      '2a041202ff00',
      'Outer.choice: Inner.text: invalid string value: data is not UTF-8 encoded',
    ],
    ['an unknown field', 'f20702aabb', undefined],
    ['an unknown field cut short', 'f20705aa', 'buffer underflow'],
    ['an unknown group', 'fb0708fc07', 'invalid varint'],
    ['an unknown empty group', 'fb07fc07', undefined],
    ['the end of another group', 'fb07ec07', 'unexpected end group tag'],
    ['an end without a group', 'fc07', 'unexpected end group tag'],
    ['nothing', '', undefined],
  ] as const) {
    it(`${what}: ${expected ?? 'is taken'}`, () => {
      const fault = findProtobufFault(Outer, Buffer.from(hex, 'hex'))
      if (what === 'a message that claims more than it has')
        assert.equal(fault, 'Outer.inner: delimited length exceeded')
      else if (what === 'a message whose last field leaves it') assert.notEqual(fault, undefined)
      else if (what === 'an unknown group') assert.notEqual(fault, undefined)
      else assert.equal(fault, expected)
    })
  }

  it('never throws, and what it lets through decodes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        if (findProtobufFault(Outer, bytes) === undefined) Outer.decode(bytes)
      }),
      { numRuns: 2000 },
    )
  })
})
