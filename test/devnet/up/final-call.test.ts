import assert from 'node:assert/strict'
import { waitForFinalCall } from '../../../devnet/up/final-call.ts'
import { SetClock } from '../set-clock.ts'

describe('devnet/up/final-call', () => {
  it('finds a call that is final when the node has forgotten the first ones, and was away', async () => {
    const taken: string[] = []
    let looks = 0
    const call = async (method: string, [ids]: readonly unknown[]) => {
      assert.equal(method, 'get_operations')
      looks++
      if (looks === 2) throw new TypeError('fetch failed')
      // Those before the fourth were forgotten before anybody asked.
      return (ids as string[]).filter((id) => id >= 'O4').map((id) => ({ id, is_operation_final: looks > 6 }))
    }
    const calls = () => {
      taken.push(`O${taken.length}`)
      return taken.slice(-3)
    }
    const id = await waitForFinalCall(calls, { link: { call }, clock: new SetClock() }, new AbortController().signal)
    assert(id >= 'O4', id)
  })

  it('ends when it is told to', async () => {
    const stopping = new AbortController()
    const call = async () => {
      stopping.abort()
      return []
    }
    const waiting = waitForFinalCall(() => ['O0'], { link: { call }, clock: new SetClock() }, stopping.signal)
    await assert.rejects(waiting, { name: 'AbortError' })
  })
})
