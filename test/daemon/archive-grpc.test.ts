import assert from 'node:assert/strict'
import { status } from '@grpc/grpc-js'
import { serveArchiveGrpc } from '../../daemon/history.ts'
import { StopSteps } from '../../daemon/stop-steps.ts'
import { createLogger } from '../../telemetry/index.ts'
import { makeHistory, NETWORK } from '../api/grpc/stub-history.ts'
import { GrpcCaller } from '../devnet/grpc-caller.ts'

const ARCHIVE = {
  history: makeHistory({ first: 0, last: 4 }),
  identity: { network: NETWORK, version: 'massa-storage/test', nodeId: 'N1' },
  nowMs: () => 0,
  sleep: async () => {},
}

describe('daemon/history: gRPC', () => {
  const said: string[] = []
  const log = createLogger({
    level: 'info',
    format: 'json',
    destination: { write: (line) => said.push(JSON.parse(line).msg) },
  })

  it('is served where it is set, until the sidecar stops', async () => {
    const undo = new StopSteps(log)
    const url = (await serveArchiveGrpc(ARCHIVE, '127.0.0.1:0', { log, undo })) ?? assert.fail('not served')
    const caller = new GrpcCaller(url)
    assert.deepEqual(await caller.finalSlot(), { period: 4, thread: 31 })
    await undo.run()
    await assert.rejects(caller.call('GetStatus'), { code: status.UNAVAILABLE })
    caller.close()
  })

  it('is not served where it is not set, or without an index, which is said', async () => {
    const undo = new StopSteps(log)
    assert.equal(await serveArchiveGrpc(ARCHIVE, '', { log, undo }), undefined)
    assert.equal(await serveArchiveGrpc(undefined, '127.0.0.1:0', { log, undo }), undefined)
    assert.equal(said.at(-1), 'nothing is served at api.grpc_bind: there is no history index')
  })
})
