import assert from 'node:assert/strict'
import type { HistoryGateway } from '../../../api/gateway/history-port.ts'
import { until } from '../../turns.ts'
import { openRecordedArchive, openRecordedGateway } from './recorded-gateway.ts'

describe('api/gateway: bounds', () => {
  it('limit: makes eight proofs at a time, lets 248 wait, and refuses the next; answers without proof wait for none', async () => {
    const { answers } = await openRecordedArchive()
    let begun = 0
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const slow: Partial<HistoryGateway> = {
      slot: async (slot, hasProof) => {
        if (hasProof) {
          begun++
          await released
        }
        return { slot, kind: 'miss' }
      },
    }
    const server = await openRecordedGateway({ history: Object.assign(Object.create(answers), slow) })
    const asked = Array.from({ length: 256 }, (_, i) => server.inject(`/v1/slots/${i}/1?proof=true`))
    await until(() => begun === 8, 'eight proofs')
    const refused = await server.inject('/v1/slots/300/1?proof=true')
    assert.deepEqual([refused.statusCode, refused.json().code], [503, 'API_BUSY'])
    assert.equal(refused.headers['retry-after'], '1')
    assert.equal((await server.inject('/v1/slots/300/1')).statusCode, 200)
    assert.equal(begun, 8)
    release()
    assert.deepEqual(new Set((await Promise.all(asked)).map(({ statusCode }) => statusCode)), new Set([200]))
    await server.close()
  })
})
