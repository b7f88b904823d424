import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { startDaemon } from '../../daemon/index.ts'
import type { PlacementStatus } from '../../storage-worker/index.ts'
import { createLogger } from '../../telemetry/index.ts'
import { CHAIN_ID, pass } from '../devnet/node/chain/made-chain.ts'
import { openGrpcNode } from '../devnet/node/grpc/grpc-node.ts'
import { MadeRegistry, REGISTRY } from '../storage-worker/placement/made-registry.ts'
import { TempFolders } from '../storage-worker/temp-store.ts'
import { daemonConfigOf } from './daemon-config.ts'

describe('daemon: placement, over gRPC', () => {
  const folders = new TempFolders()

  afterEach(() => folders.clean())

  it('a sidecar reads the placement of a registry from its node, and shows it', async () => {
    const dataDir = await folders.make()
    const node = await openGrpcNode({ endorsements: 0, deltaF0: 2 })
    const registry = new MadeRegistry({ era: 0, replicas: 2 })
    for (const address of ['AU1', 'AU2']) registry.add(address)
    const { chain } = node
    for (const key of ['state', 'config', 'node_AU1', 'node_AU2']) {
      chain.finalLedger.setValue(REGISTRY, Buffer.from(key), registry.get(key))
    }
    chain.finalLedger.dropJournal()
    await pass(chain, 32 * 13)
    assert(chain.finalSlot.period >= 8)
    const lines = new EventEmitter()
    const inForce = once(lines, 'placement in force')
    const network = { chainId: CHAIN_ID, genesisTimestampMs: BigInt(chain.genesisTimestampMs) }
    const flags = { storage_registry_address: REGISTRY, 'node.grpc_urls': node.server.url }
    const config = daemonConfigOf(dataDir, network, flags)
    const destination = {
      write: (text: string) => {
        const line = JSON.parse(text) as { msg: string }
        lines.emit(line.msg, line)
      },
    }
    const daemon = await startDaemon(config, createLogger({ level: 'info', format: 'json', destination }))
    try {
      const [{ era, nodes, replicas }] = await inForce
      assert.deepEqual([era, nodes, replicas], [0, 2, 2])
      const answer = await fetch(`${daemon.apiUrl}/v1/status`)
      const { placement } = (await answer.json()) as { placement: PlacementStatus }
      assert.deepEqual([placement.registry, placement.inForce?.fewestHolders, placement.isCurrent], [REGISTRY, 2, true])
    } finally {
      await daemon.stop()
      await node.close()
    }
  }).timeout(60_000)
})
