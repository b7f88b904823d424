import assert from 'node:assert/strict'
import type { MadeChain } from '../../devnet/index.ts'
import { blockOf, makeTestChain, Stage } from '../archiver/follow-harness.ts'

describe('a rubbish block id for a slot that is archived', () => {
  const stage = new Stage()
  let chain: MadeChain
  before(() => {
    chain = makeTestChain({ periods: 10, seed: 'rubbish' })
  })
  afterEach(() => stage.clean())

  for (const [title, id] of [
    ['empty text', ''],
    ['text that is no id', 'rubbish'],
    ['an id with a wrong checksum', 'B1MTYXxqhVjkpxdTyVjsKEuHppX2CqDDHAksuJ7QwHDXYvG7CtB'],
    ['100,000 characters', 'B'.repeat(100_000)],
  ] as const) {
    it(`is refused by its code and halts nothing: ${title}`, async () => {
      const node = await stage.node(chain, 5)
      const follow = await stage.follow([node])
      await follow.whenAllArchived(2)
      const slot = blockOf(chain, 1, 3).header.slot
      await follow.archiver.onClaims(0, [{ slot, id: id as never }])
      await follow.whenRefused('ARCHIVER_BLOCK_ID_MISMATCH')
      assert.equal(follow.status.halted, undefined)
      assert.equal(follow.status.conflict, undefined)
      node.advanceTo({ period: 8, thread: 31 })
      await follow.whenAllArchived(5)
    })
  }

  it('is not what another valid id is: that one halts the archive', async () => {
    const node = await stage.node(chain, 5)
    const follow = await stage.follow([node])
    await follow.whenAllArchived(2)
    const { slot } = blockOf(chain, 1, 3).header
    await follow.archiver.onClaims(0, [{ slot, id: blockOf(chain, 1, 4).id }])
    assert.equal(follow.status.halted?.code, 'ARCHIVER_CHAIN_REPLACED')
  })
})
