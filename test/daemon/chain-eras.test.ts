import assert from 'node:assert/strict'
import { computeEraText, ERA_PERIODS, type EraStatement, type Period, signText } from '../../core/index.ts'
import type { ChainContext } from '../../daemon/chain/chain-context.ts'
import { startEras } from '../../daemon/chain/start-eras.ts'
import type { PeerContext } from '../../daemon/peers/peer-context.ts'
import { startEraGathering } from '../../daemon/peers/start-era-gathering.ts'
import { StopSteps } from '../../daemon/stop-steps.ts'
import { type EraRequest, eraResponseCodec, type StreamService } from '../../protocol-handler/index.ts'
import { makeEmptyPeriod } from '../../storage-worker/bootstrap/made-period.ts'
import { createLogger } from '../../telemetry/index.ts'
import { StillClock } from '../clocks.ts'
import { userOf } from '../sc/registry-world.ts'
import { IDENTITY } from '../storage-worker/bootstrap/made-archive.ts'
import { REGISTRY } from '../storage-worker/placement/made-registry.ts'
import { until } from '../turns.ts'

const PEER = '12D3KooWSCufgHzV4fCwRijfH2k3abrpAJxTKxEvN1FDuRXA2U9x'
const OWN = userOf(1)
const OTHER = userOf(2)
const ERA = 0

describe('daemon/chain/start-eras', () => {
  it('what a peer signs about an era is handed on, and taken to the registry', async () => {
    const clock = new StillClock()
    const log = createLogger({ level: 'error', format: 'json', destination: { write: (text) => assert.fail(text) } })
    const undo = new StopSteps(log)
    const table = { era: ERA + 1, root: new Uint8Array(32).fill(9), snapshot: { nodes: [OWN, OTHER] } }
    const served = new Map<string, StreamService<EraRequest>>()
    const ask = async () => {
      const [frame = new Uint8Array()] = (await served.get('era')?.answer({ era: ERA }, 'asker')) ?? []
      return eraResponseCodec.decode(frame)
    }
    const said = async (): Promise<EraStatement> => {
      const answer = await ask()
      assert(answer.status === 'ok')
      return { ...answer, chainId: IDENTITY.network.chainId, contract: REGISTRY }
    }
    const shared = {
      placement: { inForce: table, next: undefined, isCurrent: true },
      clock,
      log,
      undo,
      onFatal: assert.fail,
    }
    const context = {
      ...shared,
      config: { storageRegistryAddress: REGISTRY },
      seed: OWN.seed,
      address: OWN.address,
      registered: new Set([OWN.address, OTHER.address]),
      node: {
        peers: [PEER],
        penalise: assert.fail,
        serve: (name: string, service: StreamService<EraRequest>) => void served.set(name, service),
      },
      bindings: { addressOf: () => OTHER.address },
      client: {
        fetchEra: async () => {
          const statement = await said()
          const own = signText(OTHER.seed, computeEraText(statement))
          return { status: 'ok', value: { statement, own, others: [] } }
        },
      },
      anchors: { isAnchored: () => false, find: async () => undefined },
      store: {
        chunks: {
          identity: IDENTITY,
          readRange: async () => ({ first: 0, last: ERA_PERIODS - 1 }),
          readManifest: async (period: Period) => makeEmptyPeriod(IDENTITY, period).manifest,
        },
      },
    } as unknown as PeerContext
    const read: unknown[] = []
    const chain = {
      ...shared,
      archiver: { status: () => ({ nodeFinalSlot: { period: ERA_PERIODS + 64 } }) },
      sender: {
        address: OWN.address,
        client: { read: async (...what: unknown[]) => void read.push(what) },
        send: assert.fail,
      },
    } as unknown as ChainContext
    try {
      const { gatherer } = await startEraGathering(context)
      await until(() => gatherer.listOpen()[0]?.signatures.size === 2)
      const answer = await ask()
      assert(answer.status === 'ok')
      const text = computeEraText(await said())
      assert.deepEqual(
        answer.signatures,
        [OWN, OTHER].map(({ seed }) => signText(seed, text)),
      )
      const anchorer = startEras(chain, gatherer)
      await until(() => read.length > 0)
      assert.deepEqual([read, anchorer.failing], [[['getEra', { era: BigInt(ERA) }]], undefined])
    } finally {
      await undo.run()
    }
  })
})
