import assert from 'node:assert/strict'
import { fromU64, SLOT_MS, slotIndex } from '../../../core/index.ts'
import { type DevnetChain, startGrpcServer, startJsonRpcServer } from '../../../devnet/node/index.ts'
import { GetStatusResponse } from '../../../telemetry/grpc/messages.ts'
import { GrpcCaller } from '../grpc-caller.ts'
import { openChain, reach } from './chain/made-chain.ts'

const SLOTS_AHEAD = 7

/** A clock that others are ahead of: it is read, and before the chain has moved to that time they move it further. */
function makeLateClock(chain: DevnetChain): { nowMs(): number } {
  return {
    nowMs: () => {
      const nowMs = chain.nowMs
      void chain.advanceTo(nowMs + SLOTS_AHEAD * SLOT_MS)
      return nowMs
    },
  }
}

describe('devnet/node: the time of an answer', () => {
  let chain: DevnetChain

  beforeEach(async () => {
    chain = openChain({ endorsements: 0, deltaF0: 40 })
    await reach(chain, 100)
  })

  const startOf = (slot: { period: number; thread: number }) => chain.genesisTimestampMs + slotIndex(slot) * SLOT_MS

  it('the chain is never before its last slot, whoever looks while it catches up', async () => {
    const times: [number, number][] = []
    chain.onBlockReceived(({ slot }) => times.push([chain.nowMs, startOf(slot)]))
    await chain.advanceTo(chain.nowMs + SLOTS_AHEAD * SLOT_MS + 1)
    assert.equal(times.length, SLOTS_AHEAD)
    assert(times.every(([nowMs, startMs]) => nowMs >= startMs))
    assert.equal(chain.nowMs, startOf(chain.lastSlot) + 1)
  })

  it('JSON-RPC: get_status is of one moment, between its last slot and the next one', async () => {
    const server = await startJsonRpcServer({ chain, clock: makeLateClock(chain) })
    try {
      const response = await fetch(server.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'get_status' }),
      })
      const { result } = (await response.json()) as {
        result: { current_time: number; last_slot: typeof chain.lastSlot; next_slot: typeof chain.lastSlot }
      }
      assert.equal(slotIndex(result.last_slot), 100 + SLOTS_AHEAD)
      assert(startOf(result.last_slot) <= result.current_time && result.current_time < startOf(result.next_slot))
    } finally {
      await server.close()
    }
  })

  it('gRPC: GetStatus too', async () => {
    const server = await startGrpcServer({ chain, clock: makeLateClock(chain) })
    const caller = new GrpcCaller(server.url)
    try {
      const { status } = GetStatusResponse.decode(await caller.call('GetStatus', new Uint8Array(0)))
      const nowMs = Number(fromU64(status?.currentTime?.milliseconds))
      assert.equal(slotIndex(chain.lastSlot), 100 + SLOTS_AHEAD)
      assert(startOf(chain.lastSlot) <= nowMs && nowMs < startOf(chain.lastSlot) + SLOT_MS)
    } finally {
      caller.close()
      await server.close()
    }
  })
})
