import assert from 'node:assert/strict'
import { QueryStateResponseCodec, type Slot } from '../../../../core/index.ts'
import { queryState } from '../../../../devnet/node/grpc/state-queries.ts'
import { EXECUTION_QUERY_STATUS } from '../../../../telemetry/grpc/status-codes.ts'
import { encodeWireField } from '../../../../telemetry/grpc/wire.ts'
import { openChain, pass } from '../chain/made-chain.ts'

/** Places of the queries in ExecutionQueryRequestItem. */
const CANDIDATE_STATUS = 13
const FINAL_STATUS = 14

describe('devnet/node/grpc/state-queries', () => {
  it('a denunciation is executed in candidate state first, in final state later', async () => {
    const chain = openChain({ endorsements: 0, deltaF0: 40 })
    chain.forkNext(1)
    const first: Slot = { period: 1, thread: 0 }
    const slot = Buffer.of(8, first.period, 16, first.thread)
    const item = (place: number) =>
      encodeWireField(1, encodeWireField(place, encodeWireField(1, encodeWireField(1, encodeWireField(1, slot)))))
    const request = Buffer.concat([CANDIDATE_STATUS, FINAL_STATUS].map(item))
    const ask = () =>
      QueryStateResponseCodec.decode(queryState(request, chain)).responses?.map(({ result }) => result?.executionStatus)
    const { success, unknown } = EXECUTION_QUERY_STATUS
    await pass(chain, 2)
    assert.deepEqual(ask(), [unknown, unknown])
    await pass(chain, 4)
    assert.deepEqual(ask(), [success, unknown])
    await pass(chain, 50)
    assert.deepEqual(ask(), [success, success])
  })
})
