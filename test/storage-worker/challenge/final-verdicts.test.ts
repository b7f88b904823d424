import assert from 'node:assert/strict'
import { PERIOD_MS } from '../../../core/index.ts'
import { type ChallengeEntry, ChallengeHistory } from '../../../storage-worker/challenge/challenge-history.ts'
import { FinalVerdicts } from '../../../storage-worker/challenge/final-verdicts.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { SetClock } from '../../devnet/set-clock.ts'
import { issue, passAudit, prepare } from '../../sc/challenge-steps.ts'
import { deployRegistry, goTo, type World } from '../../sc/registry-world.ts'
import { EngineRegistry } from '../eras/engine-registry.ts'
import { openMemoryLevel } from '../temp-store.ts'

const ISSUED = 31
/** `recordRetentionPeriods` as it is deployed. */
const RETENTION = 5_400

describe('storage-worker/challenge/final-verdicts on the shipped contract', () => {
  let world: World
  let registry: EngineRegistry

  beforeEach(() => {
    world = deployRegistry()
    prepare(world)
    goTo(world, ISSUED)
    registry = new EngineRegistry(world)
  })

  /** The world is what is final; a block that was dropped, or is not final yet, said that the node passed. */
  async function open() {
    const index = await openMemoryLevel('index')
    const history = new ChallengeHistory(index)
    const about = { node: 'AU2', chunkId: 'ab'.repeat(32), nonce: '1', reason: '', durationMs: 9 }
    const entry: ChallengeEntry = {
      ...{ ...about, challengeId: 'c', kind: 'challenge', issuedAtMs: ISSUED * PERIOD_MS },
      ...{ result: 'valid', isCandidate: true },
    }
    await history.append(entry)
    const clock = new SetClock()
    const lines: string[] = []
    const destination = { write: (text: string) => lines.push(text.trimEnd()) }
    const log = createLogger({ level: 'info', format: 'human', destination })
    const start = () => new FinalVerdicts({ sender: { client: registry.client }, history, clock, log })
    const read = async () => (await history.list(9)).map(({ result, isCandidate }) => [result, isCandidate])
    const lookAt = async (verdicts: FinalVerdicts, period: number) => {
      clock.timeMs = period * PERIOD_MS
      await verdicts.look()
      return await read()
    }
    return { history, entry, start, lookAt, lines }
  }

  it('a verdict whose block was dropped is corrected once the final one is there, also after a restart', async () => {
    const { start, lookAt, lines } = await open()
    issue(world, 'c')
    assert.deepEqual(await lookAt(start(), ISSUED + 1), [['valid', true]])
    goTo(world, ISSUED + 40)
    await registry.send({ key: 'r', call: 'resolveExpiredChallenges', args: { challengeIds: ['c'] } })
    const later = start()
    assert.deepEqual(await lookAt(later, ISSUED + 41), [['noAnswer', undefined]])
    assert.equal(lines.filter((line) => line.includes('dropped block')).length, 1)
    assert.match(lines.at(-1) ?? '', /Success rate updated: AU2 = 0%/)
    const count = lines.length
    await lookAt(later, ISSUED + 42)
    assert.equal(lines.length, count)
  })

  it('one that was right is final, and nothing is said of it', async () => {
    const { history, entry, start, lookAt, lines } = await open()
    const verdicts = start()
    assert.deepEqual(await lookAt(verdicts, ISSUED + 1), [['valid', true]])
    passAudit(world, 'c')
    goTo(world, ISSUED + 2)
    passAudit(world, 'd')
    const { challengeId: _, ...others } = entry
    const next = { ...others, challengeId: 'd' }
    await history.append(next)
    verdicts.note(next)
    assert.deepEqual(await lookAt(verdicts, ISSUED + 3), [
      ['valid', undefined],
      ['valid', undefined],
    ])
    assert.deepEqual([lines, await history.listCandidates()], [[], []])
  })

  it('one that never comes into a final block is void; where its record may be pruned what was seen stands', async () => {
    const dropped = await open()
    assert.deepEqual(await dropped.lookAt(dropped.start(), ISSUED + 63), [['valid', true]])
    assert.deepEqual(await dropped.lookAt(dropped.start(), ISSUED + 64), [['void', undefined]])
    const pruned = await open()
    assert.deepEqual(await pruned.lookAt(pruned.start(), ISSUED + RETENTION), [['valid', undefined]])
  })
})
