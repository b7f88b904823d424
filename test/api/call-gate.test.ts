import assert from 'node:assert/strict'
import { CallGate } from '../../api/json-rpc/call-gate.ts'

describe('api/call-gate', () => {
  it('does not begin for who is gone when it is his turn, and goes on with the next', async () => {
    const gate = new CallGate({ running: 1, waiting: 2 })
    let release = (): void => undefined
    const first = gate.run(
      () =>
        new Promise<string>((resolve) => {
          release = () => resolve('first')
        }),
    )
    let isGone = false
    const begun: string[] = []
    const gone = gate.run(
      async () => begun.push('gone'),
      () => isGone,
    )
    const next = gate.run(async () => begun.push('next'))
    await new Promise((resolve) => setImmediate(resolve))
    isGone = true
    release()
    await assert.rejects(gone, /busy/)
    await Promise.all([first, next])
    assert.deepEqual(begun, ['next'])
  })
})
