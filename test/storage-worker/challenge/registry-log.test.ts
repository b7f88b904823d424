import assert from 'node:assert/strict'
import { RegistryLog } from '../../../storage-worker/challenge/registry-log.ts'
import type { RegistryClient, RegistryLogEntry } from '../../../storage-worker/registry-client.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { ManualClock } from '../../clocks.ts'
import { CHUNK, NETWORK } from './heard-log.ts'

describe('storage-worker/challenge/registry-log', () => {
  /** A node whose clock, execution and finality stand where the test says. */
  function open() {
    const node = {
      period: 100,
      executed: 100,
      finalPeriod: 97,
      entries: [] as RegistryLogEntry[],
      reads: [] as number[],
    }
    const client = {
      chain: { readStatus: async () => ({ ...node, chainId: 77n, minimalFeeNanoMas: 1n }) },
      readAllNodes: async () => [],
      readEvents: async (from: number) => {
        node.reads.push(from)
        return node.entries.filter(({ slot: { period } }) => period >= from && period <= node.executed)
      },
    } as unknown as RegistryClient
    const log = createLogger({ level: 'error', format: 'json', destination: { write: assert.fail } })
    const registryLog = new RegistryLog(
      { network: NETWORK, everyMs: 1_000, lookBackPeriods: 50 },
      { client, clock: new ManualClock(0), log },
    )
    const told: (readonly [string, number, boolean])[] = []
    registryLog.listen(({ event, slot, isFinal }) => {
      if ('challengeId' in event) told.push([event.challengeId, slot.period, isFinal])
    })
    const issue = (challengeId: string, period: number): RegistryLogEntry => ({
      slot: { period, thread: 0 },
      event: { name: 'CHALLENGE_ISSUED', challengeId, nodeAddress: 'AU1', chunkId: CHUNK },
    })
    return { node, registryLog, told, issue }
  }

  it('tells what is new once, and once more when it is final', async () => {
    const { node, registryLog, told, issue } = open()
    node.entries = [issue('old', 97), issue('new', 98)]
    await registryLog.look()
    await registryLog.look()
    const both = [
      ['old', 97, true],
      ['new', 98, false],
    ]
    assert.deepEqual(told, both)
    node.finalPeriod = 98
    await registryLog.look()
    await registryLog.look()
    assert.deepEqual(told, [...both, ['new', 98, true]])
    assert.deepEqual([registryLog.period, registryLog.finalPeriod], [100, 98])
    // What is final is not read again.
    assert.deepEqual(node.reads, [50, 98, 98, 99])
  })

  it('fault: what a node executes long after its time is told all the same', async () => {
    const { node, registryLog, told, issue } = open()
    node.entries = [issue('late', 105)]
    for (node.period = 101; node.period <= 120; node.period++) {
      node.executed = node.period < 115 ? 104 : node.period
      node.finalPeriod = node.executed - 3
      await registryLog.look()
    }
    assert.deepEqual(told, [['late', 105, true]])
  })
})
