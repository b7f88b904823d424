import assert from 'node:assert/strict'
import { SearchBlocksRequestCodec, toU64 } from '../../../../core/index.ts'
import { ConsumerPace } from '../../../../devnet/node/process/consumer-pace.ts'
import { SetClock } from '../../set-clock.ts'

const REOPENED_MS = 4_000
const STALL_MS = 5_000
const LAG_PERIODS = 4
const FORGOTTEN_MS = 60_000

function search(period: number): Uint8Array {
  const slot = (at: number) => ({ period: toU64(BigInt(at)), thread: 0 })
  return SearchBlocksRequestCodec.encode({
    filters: [{ slotRange: { startSlot: slot(period), endSlot: slot(period + 10) } }],
  })
}

describe('devnet/node/process/consumer-pace', () => {
  let clock: SetClock
  let pace: ConsumerPace

  beforeEach(() => {
    clock = new SetClock()
    pace = new ConsumerPace(clock)
    clock.timeMs += REOPENED_MS
  })

  it('goes on while nobody asks', () => {
    assert.equal(pace.mayGoOn(1_000), true)
  })

  it('limit: the slowest may lack four final periods, and no fifth', () => {
    pace.noteSearch('slow', search(10))
    pace.noteSearch('fast', search(14))
    assert.equal(pace.mayGoOn(10 + LAG_PERIODS), true)
    assert.equal(pace.mayGoOn(10 + LAG_PERIODS + 1), false)
    pace.noteSearch('slow', search(11))
    assert.equal(pace.mayGoOn(10 + LAG_PERIODS + 1), true)
  })

  it('limit: waits five seconds for one that asks for nothing new', () => {
    pace.noteSearch('stalled', search(10))
    clock.timeMs += STALL_MS
    pace.noteSearch('stalled', search(10))
    assert.equal(pace.mayGoOn(100), false)
    clock.timeMs += 1
    assert.equal(pace.mayGoOn(100), true)
    assert.equal(pace.consumerCount, 0)
  })

  it('limit: forgets who has asked nothing for a minute, so that callers who come and go cost no memory', () => {
    pace.noteSearch('patient', search(10))
    pace.noteSearch('gone', search(10))
    clock.timeMs += FORGOTTEN_MS
    pace.noteSearch('patient', search(10))
    pace.noteSearch('new', search(10))
    assert.equal(pace.size, 3)
    clock.timeMs += 1
    pace.noteSearch('newer', search(10))
    assert.equal(pace.size, 3)
    // Who asks for the same all the time is still known, and still not waited for.
    clock.timeMs += STALL_MS
    pace.noteSearch('patient', search(10))
    assert.equal(pace.mayGoOn(100), false)
    clock.timeMs += 1
    assert.equal(pace.mayGoOn(100), true)
  })

  it('takes a search for old periods for no step back', () => {
    pace.noteSearch('one', search(50))
    pace.noteSearch('one', search(3))
    assert.equal(pace.mayGoOn(50 + LAG_PERIODS), true)
  })

  it('takes who asks for blocks by id for no consumer', () => {
    pace.noteSearch('explorer', SearchBlocksRequestCodec.encode({ filters: [] }))
    assert.equal(pace.consumerCount, 0)
  })

  it('waits after each start until those from before may have come back', () => {
    pace.reopen()
    assert.equal(pace.mayGoOn(0), false)
    clock.timeMs += REOPENED_MS
    assert.equal(pace.mayGoOn(0), true)
  })
})
