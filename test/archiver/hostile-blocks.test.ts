import { type MadeChain } from '../../devnet/index.ts'
import { makeTestChain, Stage } from './follow-harness.ts'

describe('archiver: a node that gives bad blocks', () => {
  const stage = new Stage()
  let chain: MadeChain
  before(() => {
    chain = makeTestChain({ missRate: 0.15 })
  })
  afterEach(() => stage.clean())

  it('honest, by pull', async () => {
    const node = await stage.node(chain, 4)
    const follow = await stage.follow([node])
    await follow.whenArchived(3)
    node.advanceTo({ period: 12, thread: 31 })
    await follow.whenArchived(11)
    await follow.assertHonest(chain, 11)
  })

  it('honest, by push', async () => {
    const node = await stage.node(chain, 4, { broadcast: true })
    const follow = await stage.follow([node])
    await follow.whenStreaming()
    await follow.whenArchived(3)
    node.advanceTo({ period: 12, thread: 31 })
    await follow.whenArchived(11)
    await follow.assertHonest(chain, 11)
  })
})
