import assert from 'node:assert/strict'
import { ArchiveError } from '../../../core/index.ts'
import { ChainChallenger, type ChainChallengerModules } from '../../../storage-worker/challenge/chain-challenger.ts'
import { ChallengeHistory } from '../../../storage-worker/challenge/challenge-history.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { ManualClock } from '../../clocks.ts'
import { settle } from '../../turns.ts'
import { openMemoryLevel } from '../temp-store.ts'

const TARGET = { challengeId: 'm-1', chunkId: new Uint8Array(32), nonce: 1n }
const EVERY_MS = 1_000

describe('storage-worker/challenge/chain-challenger', () => {
  /** What was sent stays under way; the node answers as the test says. */
  async function open() {
    const clock = new ManualClock(0)
    const history = new ChallengeHistory(await openMemoryLevel('index'))
    const world = { answer: async (): Promise<unknown> => assert.fail(), sent: 0 }
    const sender = {
      client: { read: () => world.answer() },
      send: async ({ onSigned }: { onSigned?: () => Promise<void> }) => {
        await onSigned?.()
        world.sent++
        return new Promise(() => undefined)
      },
      listUnderWay: () => [],
    }
    const log = createLogger({ level: 'error', format: 'json', destination: { write: assert.fail } })
    const challenger = new ChainChallenger(
      { network: { chainId: 77n, genesisTimestampMs: 0n }, registry: 'AS1', everyMs: EVERY_MS },
      {
        sender: sender as unknown as ChainChallengerModules['sender'],
        network: { request: async () => assert.fail() } as unknown as ChainChallengerModules['network'],
        drawSignatures: { put: async () => assert.fail() },
        onOffence: () => assert.fail(),
        findPeer: () => undefined,
        history,
        clock,
        log,
      },
    )
    const step = async () => {
      await settle(20)
      clock.advance(EVERY_MS)
      await settle(20)
    }
    return { world, history, challenger, step }
  }

  it('error: odd answers of the node while it waits for a block are no reason to forget what was sent', async () => {
    const { world, history, challenger, step } = await open()
    const troubles = ['CHAIN_NODE_REFUSED', 'CHAIN_ANSWER_INVALID', 'CHAIN_NODE_UNREACHABLE'] as const
    for (const code of troubles) {
      world.answer = async () => {
        throw new ArchiveError(code, 'made')
      }
      // The first one begins it.
      if (code === troubles[0]) challenger.issue('AU2', [TARGET]).catch(() => undefined)
      await step()
      assert.deepEqual([world.sent, (await history.listOpen()).map((entry) => entry.challengeId)], [1, ['m-1']])
    }
    world.answer = async () => ({ id: 'm-1', nodeAddress: 'AU2', outcome: 'passed' })
    await step()
    await step()
    assert.deepEqual(
      (await history.list(9)).map(({ challengeId, result, isCandidate }) => [challengeId, result, isCandidate]),
      [['m-1', 'valid', true]],
    )
    challenger.stop()
  })

  it('three audits of eight that are open at once are no leak of listeners', async () => {
    const { world, challenger, step } = await open()
    const warnings: string[] = []
    const note = ({ name }: Error) => void warnings.push(name)
    process.on('warning', note)
    world.answer = async () => ({ id: 'm-1', nodeAddress: 'AU2', issuedPeriod: 1n, outcome: 'open' })
    const audits = [1, 2, 3].map((audit) => {
      const targets = Array.from({ length: 8 }, (_, i) => ({ ...TARGET, challengeId: `m-${audit}-${i}` }))
      return challenger.issue(`AU${audit}`, targets)
    })
    await step()
    challenger.stop()
    const ends = await Promise.allSettled(audits)
    process.off('warning', note)
    assert.deepEqual([warnings, ends.map(({ status }) => status)], [[], ['rejected', 'rejected', 'rejected']])
  })
})
