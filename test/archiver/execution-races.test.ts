import assert from 'node:assert/strict'
import { status as grpcStatus } from '@grpc/grpc-js'
import { parseAttestedExecutions } from '../../archiver/attestation.ts'
import type { SlotExecution } from '../../archiver/execution-results.ts'
import { type Period, slotIndex, slotOfIndex } from '../../core/index.ts'
import { type MadeChain, RpcError, type ScriptedNode } from '../../devnet/index.ts'
import { type Follow, makeTestChain, Stage } from './follow-harness.ts'

const CODE = 'ARCHIVER_EXECUTION_UNREPORTED'
/** Longer than any test takes. */
const PATIENT_MS = 600_000

describe('archiver: execution results and blocks in any order', () => {
  const stage = new Stage()
  let chain: MadeChain
  before(() => {
    chain = makeTestChain({ missRate: 0.1, seed: 'execution races', periods: 9 })
  })
  afterEach(() => stage.clean())

  async function readExecutions(follow: Follow, period: Period): Promise<readonly (SlotExecution | undefined)[]> {
    const bytes = await follow.store.chunks.readExecutionResults(period)
    assert.ok(bytes)
    const { network } = follow.store.chunks.identity
    return parseAttestedExecutions(bytes, { network, period }).executions
  }

  /** Every slot has results, and they name each operation of its block as executed. */
  async function assertWhole(follow: Follow, periods: readonly Period[], source: SlotExecution['source']) {
    for (const period of periods) {
      for (const [thread, execution] of (await readExecutions(follow, period)).entries()) {
        const ids = chain.blockAt(period, thread)?.operations.map(({ idText }) => idText) ?? []
        const outcomes = execution?.outcomes.map(({ operationId, outcome }) => [operationId, outcome])
        assert.deepEqual(
          [execution?.source, execution?.complete, outcomes?.sort()],
          [source, true, ids.map((id) => [id, 'success']).sort()],
          `(${period}, ${thread})`,
        )
      }
    }
    assert.equal(follow.countSaid(CODE), 0)
    assert.equal(follow.status.unreportedSlots, 0)
  }

  /** FINAL messages of slots [from, to], in order. */
  function emitFinals(node: ScriptedNode, from: number, to: number): void {
    for (let index = from; index <= to; index++) node.emitFinal(slotOfIndex(index), node.state.finalIdAt(index))
  }

  const first = (period: Period): number => slotIndex({ period, thread: 0 })

  it('regression: asked for beside the claims, and answered later: periods wait for the answer', async () => {
    const node = await stage.node(chain, 4)
    let answer: () => void = () => {}
    const held = new Promise<void>((resolve) => {
      answer = resolve
    })
    node.intercept('GetScExecutionEvents', async () => {
      await held
      return undefined
    })
    const follow = await stage.follow([node], { executionPatienceMs: PATIENT_MS, timeoutMs: PATIENT_MS })
    await node.whenCalled('GetScExecutionEvents')
    await follow.whenPolled(8)
    // Polls go on beside the question, and only the genesis period needs no answer.
    assert.deepEqual(await follow.range(), { first: 0, last: 0 })
    answer()
    await follow.whenAllArchived(3)
    await assertWhole(follow, [1, 2, 3], 'query')
  })

  it('regression: FINAL messages that come after the last block and its claim: periods wait for them', async () => {
    const node = await stage.node(chain, 2)
    const follow = await stage.follow([node], { executionPatienceMs: PATIENT_MS })
    await follow.whenStreaming()
    await follow.whenAllArchived(1)
    emitFinals(node, first(3), first(3))
    await follow.when('push mode', () => follow.followers[0]?.status().mode === 'push')
    node.advanceTo({ period: 7, thread: 31 })
    await follow.whenAllArchived(2)
    await follow.whenPolled(8)
    assert.equal((await follow.range())?.last, 2)
    emitFinals(node, first(3) + 1, first(6))
    await follow.whenAllArchived(5)
    emitFinals(node, first(6) + 1, first(8) - 1)
    await follow.whenAllArchived(6)
    await assertWhole(follow, [1, 2], 'query')
    await assertWhole(follow, [3, 4, 5, 6], 'stream')
  })

  it('a stream that ends, and one that leaves slots out: the node is asked for the rest', async () => {
    const node = await stage.node(chain, 2)
    const follow = await stage.follow([node], { executionPatienceMs: PATIENT_MS })
    await follow.whenStreaming()
    emitFinals(node, first(3), first(3))
    await follow.when('push mode', () => follow.followers[0]?.status().mode === 'push')
    node.advanceTo({ period: 5, thread: 31 })
    // All of 4 is left out.
    emitFinals(node, first(3) + 1, first(4) - 1)
    emitFinals(node, first(5), first(5))
    await follow.whenAllArchived(4)
    await assertWhole(follow, [3], 'stream')
    await assertWhole(follow, [4], 'query')
    assert.equal((await follow.range())?.last, 4)
    node.endStreams()
    node.advanceTo({ period: 8, thread: 31 })
    await follow.whenAllArchived(7)
    await assertWhole(follow, [6, 7], 'query')
  })

  for (const [what, fail] of [
    ['refuses the question', () => new RpcError(grpcStatus.UNIMPLEMENTED, 'no events here')],
    ['never answers', () => 'hang' as const],
  ] as const) {
    it(`limit: a node that ${what} is followed all the same, and what is missing is said`, async () => {
      const node = await stage.node(chain, 4)
      node.intercept('GetScExecutionEvents', fail)
      const follow = await stage.follow([node], { executionPatienceMs: 300, timeoutMs: PATIENT_MS })
      await follow.whenAllArchived(3)
      node.advanceTo({ period: 8, thread: 31 })
      await follow.whenAllArchived(7)
      await follow.assertHonest(chain, 7)
      await follow.when('all said', () => follow.countSaid(CODE) === 7)
      assert.equal(follow.status.unreportedSlots, 7 * 32)
      assert.ok((await readExecutions(follow, 5)).every((execution) => execution === undefined))
      assert.equal(follow.followers[0]?.status().up, true)
      assert.equal(follow.lines.filter(({ msg }) => msg === 'node failed').length, 0)
      const notGiven = follow.lines.filter(({ msg }) => msg === 'execution results not given')
      assert.equal(notGiven.length, what === 'refuses the question' ? 1 : 0)
    })
  }

  it('a restart in between: what was taken before is kept, the rest is asked for', async () => {
    const dataDir = await stage.folder()
    const node = await stage.node(chain, 2)
    const before = await stage.follow([node], { dataDir, executionPatienceMs: PATIENT_MS })
    await before.whenStreaming()
    emitFinals(node, first(3), first(3))
    await before.when('push mode', () => before.followers[0]?.status().mode === 'push')
    node.advanceTo({ period: 6, thread: 31 })
    emitFinals(node, first(3) + 1, first(4) + 9)
    await before.whenAllArchived(3)
    await before.when(
      'results of ten slots spooled',
      async () => (await before.store.spool.readExecutions(4)).size === 10,
    )
    await before.stop()
    node.advanceTo({ period: 7, thread: 31 })
    const after = await stage.follow([node], { dataDir, executionPatienceMs: PATIENT_MS })
    await after.whenAllArchived(6)
    const sources = (await readExecutions(after, 4)).map((execution) => execution?.source)
    assert.deepEqual(sources, [...Array(10).fill('stream'), ...Array(22).fill('query')])
    await assertWhole(after, [5, 6], 'query')
  })
})
