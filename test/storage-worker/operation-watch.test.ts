import assert from 'node:assert/strict'
import { ArchiveError, isArchiveError } from '../../core/index.ts'
import type { SignedOperation } from '../../storage-worker/chain-port.ts'
import { OperationWatch, type WatchedNode } from '../../storage-worker/operation-watch.ts'
import { AutoClock } from '../clocks.ts'

const SIGNED: SignedOperation = {
  operationId: 'O1',
  sender: 'AU1',
  balanceNanoMas: 5_000_000_000n,
  expirePeriod: 109,
  feeNanoMas: 10_000_000n,
  maxGas: 2_100_000n,
}
const ODD = ['CHAIN_NODE_UNREACHABLE', 'CHAIN_NODE_REFUSED', 'CHAIN_ANSWER_INVALID', 'CHAIN_NETWORK_MISMATCH'] as const

describe('storage-worker/operation-watch', () => {
  /** A node in whose final block the operation is. */
  function nodeWith(changes: Partial<WatchedNode>): WatchedNode {
    return {
      readStatus: async () => ({ chainId: 77n, period: 100, finalPeriod: 96, minimalFeeNanoMas: 10_000_000n }),
      readOperation: async () => ({ inPool: false, isFinal: true, success: true }),
      readEvents: async () => ['PAUSED_SET:true'],
      readBalances: async () => ({ candidate: 0n, final: 0n }),
      send: async () => assert.fail('sent'),
      ...changes,
    }
  }

  function watch(node: WatchedNode): OperationWatch {
    return new OperationWatch(
      SIGNED,
      { pollIntervalMs: 1_000, outcomeTimeoutMs: 60_000 },
      { node, clock: new AutoClock() },
    )
  }

  it('error: an odd answer of the node says nothing of the operation', async () => {
    for (const code of ODD) {
      for (const asked of ['readOperation', 'readEvents'] as const) {
        const node = nodeWith({})
        const ask = node[asked] as () => Promise<never>
        let isFirst = true
        const once = async () => {
          if (!isFirst) return ask()
          isFirst = false
          throw new ArchiveError(code, 'made')
        }
        const { operationId, isFinal, events } = await watch({ ...node, [asked]: once }).follow()
        assert.deepEqual([operationId, isFinal, events], ['O1', true, ['PAUSED_SET:true']])
      }
    }
  })

  it('a failure in a block that may still be dropped is no end: what is final counts', async () => {
    const failure = '{"massa_execution_error":"made"}'
    for (const success of [true, false]) {
      let looks = 0
      const node = nodeWith({
        readOperation: async () =>
          ++looks < 3 ? { inPool: false, isFinal: false, success: false } : { inPool: false, isFinal: true, success },
        readEvents: async () => [looks < 3 || !success ? failure : 'PAUSED_SET:true'],
      })
      const following = watch(node).follow()
      if (success) assert.deepEqual((await following).events, ['PAUSED_SET:true'])
      else await assert.rejects(following, { code: 'CHAIN_OPERATION_FAILED' })
      assert.equal(looks, 3)
    }
  })

  it('error: that of which nothing is heard is given up, and why is said', async () => {
    const trouble = new ArchiveError('CHAIN_ANSWER_INVALID', 'no JSON')
    const node = nodeWith({
      readOperation: async () => {
        throw trouble
      },
    })
    await assert.rejects(watch(node).follow(), (error) => {
      assert(isArchiveError(error, 'CHAIN_OUTCOME_UNKNOWN'))
      assert.equal(error.cause, trouble)
      return true
    })
  })

  /** Nobody knows the operation; the chain is final up to this period. */
  function lostAt(finalPeriod: () => number): WatchedNode {
    return nodeWith({
      readStatus: async () => ({
        chainId: 77n,
        period: 100_000,
        finalPeriod: finalPeriod(),
        minimalFeeNanoMas: 10_000_000n,
      }),
      readOperation: async () => undefined,
      readEvents: async () => [],
      readBalances: async () => ({ candidate: 5_000_000_000n, final: 5_000_000_000n }),
    })
  }

  it('is over when the last block that might hold it is final, whatever clocks say', async () => {
    let finalPeriod = 105
    await assert.rejects(watch(lostAt(() => finalPeriod++)).follow(), { code: 'CHAIN_OPERATION_EXPIRED' })
    assert.equal(finalPeriod, 110)
    await assert.rejects(watch(lostAt(() => 108)).follow(), { code: 'CHAIN_OUTCOME_UNKNOWN' })
  })

  /** When what no node ever takes is sent, s from the first look. */
  async function sendInVain(change: { readonly wasSent?: boolean }) {
    const clock = new AutoClock()
    const bytes = { data: Uint8Array.of(1), publicKey: 'P1', signature: '1S' }
    const sentAtMs: number[] = []
    const startMs = clock.nowMs()
    const secondsOf = (ms: number) => (ms - startMs) / 1_000
    const periodNow = () => 100 + Math.floor((clock.nowMs() - startMs) / 16_000)
    const node: WatchedNode = {
      ...lostAt(() => periodNow() - 4),
      readStatus: async () => ({
        chainId: 77n,
        period: periodNow(),
        finalPeriod: periodNow() - 4,
        minimalFeeNanoMas: 10_000_000n,
      }),
      // One that is in a block and not executed yet is not lost.
      readOperation: async () =>
        periodNow() === 102 ? { inPool: false, isFinal: false, success: undefined } : undefined,
      send: async (again) => {
        assert.equal(again, bytes)
        sentAtMs.push(clock.nowMs())
        throw new ArchiveError('CHAIN_NODE_REFUSED', 'made')
      },
    }
    const options = { pollIntervalMs: 1_000, outcomeTimeoutMs: 60_000, untilKnown: true, bytes, ...change }
    await assert.rejects(new OperationWatch(SIGNED, options, { node, clock }).follow(), {
      code: 'CHAIN_OPERATION_EXPIRED',
    })
    return { first: sentAtMs.slice(0, 5).map(secondsOf), last: secondsOf(sentAtMs.at(-1) ?? 0) }
  }

  it('sends the same bytes at once, and again while the node does not know them and a block may hold them', async () => {
    assert.deepEqual(await sendInVain({}), { first: [0, 8, 16, 24, 48], last: 152 })
  })

  it('sends what was only just sent not at once', async () => {
    assert.deepEqual(await sendInVain({ wasSent: true }), { first: [8, 16, 24, 48, 56], last: 152 })
  })

  it('waits until it is known where that is wanted, however long the node is away', async () => {
    const clock = new AutoClock()
    const backAtMs = clock.nowMs() + 21 * 60_000
    const { readOperation, ...others } = nodeWith({})
    const away = async (id: string) => {
      if (clock.nowMs() < backAtMs) throw new ArchiveError('CHAIN_NODE_UNREACHABLE', 'made')
      return readOperation(id)
    }
    const options = { pollIntervalMs: 10_000, outcomeTimeoutMs: 60_000, untilKnown: true }
    const following = new OperationWatch(SIGNED, options, { node: { ...others, readOperation: away }, clock }).follow()
    assert.equal((await following).isFinal, true)
    assert.equal(clock.nowMs() >= backAtMs, true)
  })
})
