import assert from 'node:assert/strict'
import { ArchiveError } from '../../../core/index.ts'
import type { NodeReport } from '../../../devnet/node/index.ts'
import { despiteNode } from '../../../devnet/up/despite-node.ts'
import { SetClock } from '../set-clock.ts'

const SIGNAL = new AbortController().signal
const AWAY = new Error('fetch failed')

describe('devnet/up/despite-node', () => {
  let ends: number
  let answers: number
  const life = () => ({
    clock: new SetClock(),
    countNodeEnds: () => ends,
    link: {
      waitFor: async () => {
        answers++
        return {} as NodeReport
      },
    },
  })

  beforeEach(() => {
    ends = 0
    answers = 0
  })

  it('does again what the node ended under, once it answers again', async () => {
    const run = async () => {
      if (ends < 3) {
        ends++
        throw AWAY
      }
      return 'done'
    }
    assert.equal(await despiteNode(run, life(), SIGNAL), 'done')
    assert.equal(answers, 4)
  })

  it('does again what came into no block beside a node that lives', async () => {
    let tries = 0
    const said = '{"error":{"code":"CHAIN_OPERATION_EXPIRED"}}'
    const run = async () => {
      if (++tries < 5) throw new ArchiveError('DEVNET_STEP_FAILED', 'register failed', { said })
      return 'done'
    }
    assert.equal(await despiteNode(run, life(), SIGNAL), 'done')
    assert.equal(tries, 5)
  })

  it('error: what fails beside a node that lives is not done again', async () => {
    await assert.rejects(
      despiteNode(() => Promise.reject(AWAY), life(), SIGNAL),
      (error) => error === AWAY,
    )
    assert.equal(answers, 1)
  })

  it('error: gives up beside a node that ends every time', async () => {
    const run = () => {
      ends++
      return Promise.reject(AWAY)
    }
    await assert.rejects(despiteNode(run, life(), SIGNAL), (error) => error === AWAY)
    assert.equal(ends, 5)
  })

  it('error: is not tried again by one that is to stop', async () => {
    const stopping = new AbortController()
    const run = () => {
      ends++
      stopping.abort()
      return Promise.reject(AWAY)
    }
    await assert.rejects(despiteNode(run, life(), stopping.signal), { name: 'AbortError' })
    assert.equal(ends, 1)
  })
})
