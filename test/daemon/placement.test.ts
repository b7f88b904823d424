import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import {
  CHUNK_SIZE_BYTES,
  computeAddress,
  computePublicKey,
  concatBytes,
  ERROR_CODES,
  formatAddress,
  type Network,
} from '../../core/index.ts'
import type { RegistryReport } from '../../daemon/chain/registry-report.ts'
import { startDaemon } from '../../daemon/index.ts'
import type { RepairStatus } from '../../daemon/peers/start-replication.ts'
import type { PlacementStatus } from '../../storage-worker/index.ts'
import { encodeBodyKey, HOLDING } from '../../storage-worker/keyspace.ts'
import { createLogger } from '../../telemetry/index.ts'
import { CHAIN_ID, pass } from '../devnet/node/chain/made-chain.ts'
import { type GrpcNode, openGrpcNode } from '../devnet/node/grpc/grpc-node.ts'
import { MadeRegistry, REGISTRY } from '../storage-worker/placement/made-registry.ts'
import { makePeriod } from '../storage-worker/synthetic-period.ts'
import { openTestStore, TempFolders } from '../storage-worker/temp-store.ts'
import { daemonConfigOf, MET_FLAGS } from './daemon-config.ts'

/** A node of a devnet whose chain has a registry with these nodes, in the first era in which it has a placement. */
async function openRegistryNode(replicas: number, addresses: readonly string[]): Promise<GrpcNode> {
  const node = await openGrpcNode({ endorsements: 0, deltaF0: 2 })
  const registry = new MadeRegistry({ era: 0, replicas })
  for (const address of addresses) registry.add(address)
  const { chain } = node
  for (const key of ['state', 'config', ...addresses.map((address) => `node_${address}`)]) {
    chain.finalLedger.setValue(REGISTRY, Buffer.from(key), registry.get(key))
  }
  chain.finalLedger.dropJournal()
  await pass(chain, 32 * 13)
  assert(chain.finalSlot.period >= 8)
  return node
}

function networkOf({ chain }: GrpcNode): Network {
  return { chainId: CHAIN_ID, genesisTimestampMs: BigInt(chain.genesisTimestampMs) }
}

describe('daemon: placement, over gRPC', () => {
  const folders = new TempFolders()

  afterEach(() => folders.clean())

  it('a sidecar reads the placement of a registry from its node, and shows it', async () => {
    const dataDir = await folders.make()
    const node = await openRegistryNode(2, ['AU1', 'AU2'])
    const lines = new EventEmitter()
    const inForce = once(lines, 'placement in force')
    const flags = { storage_registry_address: REGISTRY, 'node.grpc_urls': node.server.url }
    const config = daemonConfigOf(dataDir, networkOf(node), flags)
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
      const { placement, registry } = (await answer.json()) as { placement: PlacementStatus; registry: RegistryReport }
      assert.deepEqual(registry.obstacles, [
        {
          code: 'CHAIN_PEERS_OFF',
          message: 'this sidecar only archives: p2p.enabled = false',
          action: ERROR_CODES.CHAIN_PEERS_OFF.action,
        },
      ])
      assert.deepEqual([placement.registry, placement.inForce?.fewestHolders, placement.isCurrent], [REGISTRY, 2, true])
    } finally {
      await daemon.stop()
      await node.close()
    }
  }).timeout(60_000)

  it('regression: what a repair finds to be missing is looked for at once, not in the next round of the patrol', async () => {
    const dataDir = await folders.make()
    const massaSeed = new Uint8Array(32).fill(7)
    const own = formatAddress(computeAddress(computePublicKey(concatBytes(Uint8Array.of(0), massaSeed))))
    const node = await openRegistryNode(1, [own])
    const identity = { network: networkOf(node), chunkSizeBytes: CHUNK_SIZE_BYTES }
    // Far from what the node still gives.
    const periods = [1_000, 1_001, 1_002, 1_003].map((period) => makePeriod(period, { identity, blocks: 1 }))
    const before = await openTestStore(dataDir, { identity })
    for (const period of periods) await before.chunks.writePeriod(period)
    await before.chunks.dropChunks(1_001, [0])
    const key = encodeBodyKey(1_001, HOLDING)
    const sealed = Uint8Array.from((await before.chunks.bodies.get(key)) ?? [])
    sealed[0] = (sealed[0] ?? 0) ^ 1
    await before.chunks.bodies.write([{ type: 'put', key, value: sealed }], { sync: true })
    await before.close()
    const flags = { ...MET_FLAGS, storage_registry_address: REGISTRY, 'node.grpc_urls': node.server.url }
    const log = createLogger({ level: 'error', format: 'json', destination: { write: () => undefined } })
    const daemon = await startDaemon(daemonConfigOf(dataDir, identity.network, flags), log, { massaSeed })
    try {
      const missing = async (): Promise<number | undefined> => {
        const answer = await fetch(`${daemon.apiUrl}/v1/status`)
        const { replication } = (await answer.json()) as { replication: { repair: RepairStatus } }
        const { isKnown, hashSlots, missingChunks } = replication.repair
        return isKnown && hashSlots > 0 ? missingChunks : undefined
      }
      // Nobody can tell what lacks of a period whose holding is damaged.
      await until(missing, 0)
      const body = JSON.stringify({ kind: 'verify', deep: false, repair: true })
      const headers = { 'content-type': 'application/json' }
      await (await fetch(`${daemon.apiUrl}/v1/query`, { method: 'POST', headers, body })).text()
      await until(missing, 1)
    } finally {
      await daemon.stop()
      await node.close()
    }
  }).timeout(120_000)
})

/** Asks again and again, for less than the five minutes between two rounds of a patrol. */
async function until(ask: () => Promise<number | undefined>, wanted: number): Promise<void> {
  const deadline = Date.now() + 50_000
  for (;;) {
    const answer = await ask()
    if (answer === wanted) return
    assert.ok(Date.now() < deadline, `${answer}, not ${wanted}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
