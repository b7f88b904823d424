import assert from 'node:assert/strict'
import { computeTurnRank } from '../../../core/index.ts'
import { PeriodPruner } from '../../../storage-worker/challenge/period-pruner.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { SetClock } from '../../devnet/set-clock.ts'
import { passAudit, prepare } from '../../sc/challenge-steps.ts'
import { CHALLENGER, deployRegistry, goTo, NODE, userOf, type World } from '../../sc/registry-world.ts'
import { EngineRegistry } from '../eras/engine-registry.ts'

const FIRST_PERIOD = 31
/** Twice `recordRetentionPeriods` as it is deployed. */
const WAIT_PERIODS = 10_800
const NODES = [NODE, CHALLENGER, userOf(12)]

describe('storage-worker/challenge/period-pruner on the shipped contract', () => {
  let world: World

  beforeEach(() => {
    world = deployRegistry()
    prepare(world)
  })

  /** Sidecars of three nodes behind so many audits, one in a period. */
  function open(audits: number) {
    for (let i = 0; i < audits; i++) {
      goTo(world, FIRST_PERIOD + i)
      passAudit(world, `c-${i}`)
    }
    const log = createLogger({ level: 'warn', format: 'json', destination: { write: assert.fail } })
    const placement = { inForce: { snapshot: { nodes: NODES } } }
    const sidecars = NODES.map((user) => {
      const registry = new EngineRegistry(world, user)
      const sender = { client: registry.client, send: registry.send.bind(registry) }
      const clock = new SetClock()
      return {
        registry,
        pruner: new PeriodPruner({ address: user.address, feeNanoMas: 0n }, { sender, placement, clock, log }),
      }
    })
    return async (period: number) => {
      goTo(world, period)
      for (const { pruner } of sidecars) await pruner.look()
      return sidecars.map(({ registry }) => registry.sent.length)
    }
  }

  it('one node in an era deletes what may go, the oldest twenty in a call, from the first period on in which it may', async () => {
    const lookAt = open(23)
    assert.deepEqual(await lookAt(FIRST_PERIOD + 19 + WAIT_PERIODS), [0, 0, 0])
    const period = FIRST_PERIOD + 20 + WAIT_PERIODS
    const addresses = NODES.map(({ address }) => address)
    const about = { prefix: 'massa-storage/prune/1:', n: Math.floor(period / 128) }
    const first = addresses.map((address) => (computeTurnRank({ ...about, address }, addresses) === 0 ? 1 : 0))
    assert.deepEqual(await lookAt(period), first)
    const left = await new EngineRegistry(world).client.chain.listDatastoreKeys(world.contract, 'period_')
    assert.deepEqual(left, ['period_51', 'period_52', 'period_53'])
    // Three are not worth a fee.
    assert.deepEqual(await lookAt(period + 20), first)
  })
})
