import assert from 'node:assert/strict'
import {
  computeBitmap,
  computeChunkId,
  encodeBlockRecord,
  encodeBody,
  encodeSeals,
  isArchiveError,
  parseBody,
  parseSeals,
  toHex,
} from '../../core/index.ts'
import { makeSmallPeriod, NETWORK, PERIOD } from './small-body.ts'

const { body, seals } = makeSmallPeriod()

describe('core/body', () => {
  it('reads what it wrote: blocks, misses, voids, operations, and writes the same bytes again', () => {
    const parsed = parseBody(body)
    assert.deepEqual(parsed.network, NETWORK)
    assert.equal(parsed.period, PERIOD)
    assert.equal(computeBitmap(parsed.slots), 1 << 3)
    assert.deepEqual(
      parsed.slots.map(({ kind }) => kind),
      Array.from({ length: 32 }, (_, t) => (t === 3 ? 'block' : t === 31 ? 'void' : 'miss')),
    )
    const slot = parsed.slots[3]
    assert(slot?.kind === 'block')
    assert.equal(slot.record.operationIds.length, 4)
    assert.deepEqual(
      slot.record.operations.map(({ reproducible }) => reproducible),
      [true, true, false],
    )
    assert.equal(reencode(body), toHex(body))
  })

  it('a bitmap is a u32 even when thread 31 has a block', () => {
    assert.equal(computeBitmap(Array.from({ length: 32 }, () => ({ kind: 'block' }))), 0xffff_ffff)
  })

  it('every flipped bit is refused, or makes another period with another chunk id: one set of bytes for one meaning', () => {
    const id = toHex(computeChunkId(body))
    let refused = 0
    for (let at = 0; at < body.length; at++) {
      const bent = flip(body, at, at % 8)
      try {
        assert.equal(reencode(bent), toHex(bent), `byte ${at}`)
        assert.notEqual(toHex(computeChunkId(bent)), id)
      } catch (error) {
        assert(isArchiveError(error, 'CORE_BODY_INVALID'), `byte ${at}: ${error}`)
        refused++
      }
    }
    assert(refused > 200 && refused < body.length, `${refused}`)
  })

  it('every truncation and a trailing byte are refused', () => {
    for (let length = 0; length < body.length; length++) assertRefused(body.subarray(0, length))
    assertRefused(new Uint8Array([...body, 0]))
  })

  it('any bit of an operation that its id covers is refused', () => {
    const name = toHex(new TextEncoder().encode('héllo'))
    const at = toHex(body).indexOf(name) / 2
    for (let i = 0; i < 9; i++) assertRefused(flip(body, at + i, 0))
  })
})

describe('core/body: SEALS', () => {
  it('are split by block and written the same again', () => {
    const parsed = parseSeals(seals, parseBody(body))
    assert.deepEqual(
      parsed.map(({ length }) => length),
      [64 * 4],
    )
    assert.equal(toHex(encodeSeals(NETWORK, PERIOD, parsed)), toHex(seals))
  })

  it('every flipped bit of the head, every truncation and a trailing byte are refused', () => {
    const parsed = parseBody(body)
    const refused = (bytes: Uint8Array): void => {
      assert.throws(
        () => parseSeals(bytes, parsed),
        (error) => isArchiveError(error, 'CORE_SEALS_INVALID'),
      )
    }
    for (let at = 0; at < 25; at++) refused(flip(seals, at, at % 8))
    for (let length = 0; length < seals.length; length++) refused(seals.subarray(0, length))
    refused(new Uint8Array([...seals, 0]))
  })
})

function reencode(bytes: Uint8Array): string {
  const { network, period, slots } = parseBody(bytes)
  const encoded = slots.map((slot) =>
    slot.kind === 'block' ? { kind: slot.kind, record: encodeBlockRecord(slot.record) } : slot,
  )
  return toHex(encodeBody(network, period, encoded))
}

function flip(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  const bent = bytes.slice()
  bent[at] = (bent[at] ?? 0) ^ (1 << bit)
  return bent
}

function assertRefused(bytes: Uint8Array): void {
  assert.throws(
    () => parseBody(bytes),
    (error) => isArchiveError(error, 'CORE_BODY_INVALID'),
  )
}
