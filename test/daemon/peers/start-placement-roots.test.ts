import assert from 'node:assert/strict'
import type { PeerContext } from '../../../daemon/peers/peer-context.ts'
import { startPlacementRoots } from '../../../daemon/peers/start-placement-roots.ts'
import { StopSteps } from '../../../daemon/stop-steps.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { StillClock } from '../../clocks.ts'
import { until } from '../../turns.ts'

const OURS = new Uint8Array(32).fill(1)
const PEER = '12D3KooWSCufgHzV4fCwRijfH2k3abrpAJxTKxEvN1FDuRXA2U9x'

describe('daemon/peers/start-placement-roots', () => {
  it('a node of the registry that signs another placement is distrusted for that, until it signs the same', async () => {
    const clock = new StillClock()
    const log = createLogger({ level: 'error', format: 'json', destination: { write: (text) => assert.fail(text) } })
    const undo = new StopSteps(log)
    let nextPlacementRoot = new Uint8Array(32).fill(2)
    const placement = { inForce: { era: 1, root: OURS }, isCurrent: true }
    const context = {
      config: { storageRegistryAddress: 'AS1' },
      address: 'AU1',
      registered: new Set(['AU2']),
      node: { peers: [PEER] },
      bindings: { addressOf: () => 'AU2' },
      client: { fetchEra: async () => ({ status: 'ok', value: { statement: { nextPlacementRoot } } }) },
      placement,
      store: { chunks: { identity: { network: { chainId: 77n, genesisTimestampMs: 0n } } } },
      clock,
      log,
      undo,
      onFatal: assert.fail,
    } as unknown as PeerContext
    const told: unknown[] = []
    const distrust = (...what: unknown[]): void => void told.push(what)
    startPlacementRoots(context, { distrust })
    try {
      await until(() => told.length === 1)
      nextPlacementRoot = OURS
      placement.inForce = { era: 2, root: OURS }
      await until(() => {
        clock.advance(2_000)
        return told.length === 2
      })
      assert.deepEqual(told, [
        ['AU2', true, 'placement'],
        ['AU2', false, 'placement'],
      ])
    } finally {
      await undo.run()
    }
  })
})
