import assert from 'node:assert/strict'
import { ByteBudget } from '../../../storage-worker/replication/byte-budget.ts'
import { settle } from '../../turns.ts'

describe('storage-worker/replication/byte-budget', () => {
  it('limit: what fits is taken at once; one byte more waits until something is given back', async () => {
    const budget = new ByteBudget(10)
    const giveBack = await budget.take(9)
    await budget.take(1)
    let isTaken = false
    const waiting = budget.take(1).then(() => {
      isTaken = true
    })
    await settle()
    assert.equal(isTaken, false)
    giveBack()
    giveBack()
    await waiting
    await budget.take(8)
    let isMore = false
    void budget.take(1).then(() => {
      isMore = true
    })
    await settle()
    assert.equal(isMore, false, 'what is given back twice counts once')
  })

  it('what is larger than all gets all, and is not passed over by what is small', async () => {
    const budget = new ByteBudget(10)
    const giveBack = await budget.take(1)
    const order: string[] = []
    const large = budget.take(99).then((back) => {
      order.push('large')
      return back
    })
    const small = budget.take(1).then(() => order.push('small'))
    await settle()
    assert.deepEqual(order, [])
    giveBack()
    const giveLargeBack = await large
    await settle()
    assert.deepEqual(order, ['large'])
    giveLargeBack()
    await small
  })
})
