import assert from 'node:assert/strict'
import type { RegistryChallenge } from '../../../core/index.ts'
import { computeResolveTurn, ExpiredChallenges } from '../../../storage-worker/challenge/expired-challenges.ts'
import type { RegistrySender } from '../../../storage-worker/sending/registry-sender.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { ManualClock } from '../../clocks.ts'
import { CHUNK, HeardLog, NETWORK } from './heard-log.ts'

const TIMEOUT_MS = 160_000
/** Who is registered. */
const NODES = ['AU2', 'AU3', 'AU4', 'AU5']

describe('storage-worker/challenge/expired-challenges', () => {
  /** @param address - AU2 has issued it; nobody knows a placement */
  function open(address = 'AU2') {
    const registryLog = new HeardLog()
    const sent: string[] = []
    const underWay: string[] = []
    const record = { id: 'c', nodeAddress: 'AU1', chunkId: CHUNK, issuedPeriod: 10n, issuer: 'AU2', resolved: false }
    const views = {
      getConfig: { challengeResponseTimeout: BigInt(TIMEOUT_MS) },
      getChallenge: { ...record, deadline: 320_000n } as RegistryChallenge,
    }
    const client = {
      read: async (name: keyof typeof views) => views[name],
      readAllNodes: async () => NODES.map((node) => ({ address: node })),
    } as unknown as RegistrySender['client']
    const sender = {
      client,
      listUnderWay: () => underWay,
      send: ({ key }: { readonly key: string }) => {
        sent.push(key)
        underWay.push(key)
        return new Promise<never>(() => {})
      },
    }
    const log = createLogger({ level: 'error', format: 'json', destination: { write: assert.fail } })
    const expired = new ExpiredChallenges(
      1_000,
      { network: NETWORK, address },
      { registryLog, sender, placement: { inForce: undefined }, clock: new ManualClock(0), log },
    )
    return { registryLog, expired, sent, underWay }
  }

  it('reorganisation: what was over in a block that is dropped is judged once more', async () => {
    const { registryLog, expired, sent, underWay } = open()
    registryLog.issue('c', 10, true)
    registryLog.period = 20
    await expired.look()
    assert.deepEqual(sent, [])
    registryLog.period = 21
    await expired.look()
    await expired.look()
    assert.deepEqual(sent, ['resolve c'])
    registryLog.end('c', 21, 'CHALLENGE_EXPIRED')
    underWay.pop()
    registryLog.finalPeriod = 20
    await expired.look()
    assert.deepEqual(sent, ['resolve c'])
    registryLog.finalPeriod = 21
    await expired.look()
    assert.deepEqual(sent, ['resolve c', 'resolve c'])
    registryLog.end('c', 22, 'CHALLENGE_EXPIRED', true)
    underWay.pop()
    await expired.look()
    assert.equal(sent.length, 2)
  })

  it('after a restart has judged what it issued, also where the massa-node has no events of that time', async () => {
    const { registryLog, expired, sent } = open()
    expired.watch('c')
    registryLog.period = 400
    registryLog.finalPeriod = 396
    await expired.look()
    assert.deepEqual(sent, ['resolve c'])
  })

  it('without a placement in force nodes go one after the other all the same, in the order of who is registered', async () => {
    const others = NODES.filter((node) => node !== 'AU2')
    const first: number[] = []
    for (const node of others) {
      const { registryLog, expired, sent } = open(node)
      registryLog.issue('c', 10, true)
      for (let period = 21; sent.length === 0; period++) {
        registryLog.period = period
        await expired.look()
        if (sent.length > 0) first.push(period)
      }
    }
    // The deadline is in period 20.
    assert.deepEqual(first.sort(), [23, 25, 27])
  })

  it('the issuer has the first turn, and then one node after the other: an order for each period of issue', () => {
    const nodes = Array.from({ length: 100 }, (_, i) => `AU${i}`)
    const turnsOf = (issuedPeriod: bigint) =>
      nodes.map((address) => computeResolveTurn({ issuedPeriod, issuer: 'AU0' }, address, nodes))
    const turns = turnsOf(10n)
    assert.equal(turns[0], 0)
    assert.deepEqual(
      turns.toSorted((a, b) => a - b),
      nodes.map((_, rank) => 2 * rank),
    )
    assert.notDeepEqual(turnsOf(11n), turns)
    // Who issues without being a node, and who judges without being one.
    assert.equal(computeResolveTurn({ issuedPeriod: 10n, issuer: 'AUX' }, 'AUX', nodes), 0)
    assert.equal(computeResolveTurn({ issuedPeriod: 10n, issuer: 'AUX' }, 'AUY', nodes), 202)
  })
})
