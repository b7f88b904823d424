import assert from 'node:assert/strict'
import { ArchiveError, BYTE_PRICE_NANO_MAS, PERIOD_MS } from '../../../core/index.ts'
import { ChallengeHistory, type ChallengeResult } from '../../../storage-worker/challenge/challenge-history.ts'
import { RecordPruner } from '../../../storage-worker/challenge/record-pruner.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { SetClock } from '../../devnet/set-clock.ts'
import { passAudit, prepare } from '../../sc/challenge-steps.ts'
import { CHALLENGER, deployRegistry, goTo, type World } from '../../sc/registry-world.ts'
import { EngineRegistry } from '../eras/engine-registry.ts'
import { openMemoryLevel } from '../temp-store.ts'

const FIRST_PERIOD = 31
const FEE_NANO_MAS = 10_000_000n
/** `recordRetentionPeriods` as it is deployed, and the margin. */
const WAIT_PERIODS = 5_400 + 8

describe('storage-worker/challenge/record-pruner on the shipped contract', () => {
  let world: World
  let clock: SetClock

  beforeEach(() => {
    world = deployRegistry()
    prepare(world)
    clock = new SetClock()
  })

  /** The issuer's sidecar behind so many audits of one challenge each, one in a period. */
  async function open(count: number, result: ChallengeResult = 'valid', feeNanoMas = 0n) {
    const history = new ChallengeHistory(await openMemoryLevel('index'))
    for (let i = 0; i < count; i++) {
      goTo(world, FIRST_PERIOD + i)
      passAudit(world, `c-${i}`)
      const about = { challengeId: `c-${i}`, node: 'AU2', chunkId: 'ab'.repeat(32), nonce: '1', reason: '' }
      const issuedAtMs = (FIRST_PERIOD + i) * PERIOD_MS
      await history.append({ ...about, kind: 'challenge', issuedAtMs, durationMs: 0, result })
    }
    const registry = new EngineRegistry(world, CHALLENGER)
    const log = createLogger({ level: 'warn', format: 'json', destination: { write: assert.fail } })
    const sender = { client: registry.client, send: registry.send.bind(registry) }
    const pruner = new RecordPruner({ feeNanoMas }, { sender, history, clock, log })
    const lookAt = async (period: number) => {
      goTo(world, period)
      clock.timeMs = period * PERIOD_MS
      await pruner.look()
      return registry.sent.length
    }
    return { registry, lookAt }
  }

  it('brings back the coins of all records that may go, in calls of twenty, and asks for none again', async () => {
    const { lookAt } = await open(29)
    const { ledger } = world.engine
    const before = ledger.balance(CHALLENGER.address)
    const last = FIRST_PERIOD + 28 + WAIT_PERIODS
    assert.equal(await lookAt(FIRST_PERIOD + WAIT_PERIODS + 7), 0)
    assert.equal(await lookAt(last), 2)
    const recordBytes = 4 + 'chal_'.length + 176
    const idBytes = 10 * 3 + 19 * 4
    const freed = BigInt(29 * recordBytes + idBytes) * BYTE_PRICE_NANO_MAS
    assert.equal(ledger.balance(CHALLENGER.address) - before, freed - 2n * FEE_NANO_MAS)
    assert.equal(await lookAt(last + 225), 2)
  })

  it('leaves alone fewer than are worth a fee', async () => {
    const few = await open(8)
    assert.equal(await few.lookAt(20_000), 0)
  })

  it('waits for as many as the fee that is configured is worth', async () => {
    // 11 of 0.0249 MAS.
    const dear = await open(10, 'valid', 13_000_000n)
    assert.equal(await dear.lookAt(20_000), 0)
  })

  it('leaves alone what is not known to be over', async () => {
    const { lookAt } = await open(9, 'open')
    assert.equal(await lookAt(20_000), 0)
  })

  it('error: what another one pruned just before is no reason to stop', async () => {
    const { registry, lookAt } = await open(9)
    registry.beforeSend = () => {
      throw new ArchiveError('REGISTRY_NOTHING_PRUNED', 'made')
    }
    await assert.rejects(lookAt(20_000), { code: 'REGISTRY_NOTHING_PRUNED' })
    registry.beforeSend = () => undefined
    assert.equal(await lookAt(20_001), 1)
  })
})
