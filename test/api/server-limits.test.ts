import assert from 'node:assert/strict'
import { createApi, createMetricsServer } from '../../api/index.ts'
import { createMetrics } from '../../telemetry/index.ts'
import { CLIENT_LIMITS } from '../../telemetry/limited-server.ts'

describe('api/server', () => {
  it('limit: both servers of a sidecar cut off who does not get on', () => {
    const metrics = createMetrics({ version: 'test', processMetrics: false })
    const status = async () => ({ problems: [] })
    for (const { server } of [
      createApi({ dataDirNames: new Set(), status, query: {} as never }),
      createMetricsServer(metrics),
    ]) {
      assert.deepEqual(
        [server.headersTimeout, server.requestTimeout, server.timeout, server.keepAliveTimeout],
        [CLIENT_LIMITS.headMs, CLIENT_LIMITS.requestMs, CLIENT_LIMITS.stalledMs, CLIENT_LIMITS.stalledMs],
      )
    }
  })
})
