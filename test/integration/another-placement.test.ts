import assert from 'node:assert/strict'
import { ERA_PERIODS, HASH_SLOTS } from '../../core/index.ts'
import { createEraService } from '../../storage-worker/peers/era-service.ts'
import { OwnEras } from '../../storage-worker/peers/own-eras.ts'
import { PeerClient } from '../../storage-worker/peers/peer-client.ts'
import { PlacementRoots } from '../../storage-worker/placement/placement-roots.ts'
import { HaveMap } from '../../storage-worker/replication/have-map.ts'
import { createHaveService } from '../../storage-worker/replication/have-service.ts'
import { HolderClaims } from '../../storage-worker/replication/holder-claims.ts'
import { OwnHoldings } from '../../storage-worker/replication/own-holdings.ts'
import { createLogger } from '../../telemetry/index.ts'
import { StillClock } from '../clocks.ts'
import { closePeers, connect, IDENTITY, openPeer, type Peer } from '../protocol-handler/open-peer.ts'
import { REGISTRY } from '../storage-worker/placement/made-registry.ts'
import { MadeArchive, NETWORK } from '../storage-worker/replication/made-archive.ts'
import { addressOf, seedOf } from '../storage-worker/replication/made-nodes.ts'

const ERA = 2
const OURS = { era: ERA, root: new Uint8Array(32).fill(1) }
const ANOTHER = { era: ERA, root: new Uint8Array(32).fill(2) }
const SLOTS = Array.from({ length: HASH_SLOTS }, (_, slot) => slot)
const NO_PAST = { find: async () => undefined }

describe('hostile: another placement root for the same era, over real streams', () => {
  const clock = new StillClock()
  afterEach(closePeers)

  /** Holds all there is of eras 0 and 1, says so, and signs what it says of era 1. */
  async function openHolder(name: string, placement: { inForce: typeof OURS; next: undefined }) {
    const peer = await openPeer(name)
    const archive = new MadeArchive().fill(0, ERA * ERA_PERIODS)
    const seed = seedOf(name)
    const map = new HaveMap(
      { seed, network: NETWORK },
      {
        holdings: new OwnHoldings(archive, clock),
        listSlots: () => SLOTS,
        clock,
        onFailure: (error) => assert.fail(String(error)),
      },
    )
    await map.look()
    await peer.node.serve('have', createHaveService(map))
    const store = Object.assign(archive, { identity: IDENTITY })
    await peer.node.serve(
      'era',
      createEraService(new OwnEras({ seed, registry: REGISTRY }, { store, placement, past: NO_PAST, clock }), () => []),
    )
    return { peer, address: addressOf(seed), placement, archive }
  }

  function watch(host: Peer, holders: readonly { readonly peer: Peer; readonly address: string }[]) {
    const client = new PeerClient(host.node, (peer, offence) => host.node.penalise(peer, offence), { clock })
    const listPeers = () => holders.map(({ peer, address }) => ({ peer: peer.node.peer, address }))
    const isNode = (address: string): boolean => holders.some((holder) => holder.address === address)
    const claims = new HolderClaims(
      { network: NETWORK, ownAddress: 'own', livenessMs: 3_600_000 },
      {
        client,
        ports: {
          listPeers,
          isNode,
          listBanned: () => [],
          firstPeriodOf: () => 0,
          keepsForEver: () => true,
          isTooSmall: () => false,
          readOwnFirst: async () => 0,
        },
        clock,
        onFailure: (error) => assert.fail(String(error)),
      },
    )
    const lines: string[] = []
    const placement = { inForce: OURS, isCurrent: true }
    const roots = new PlacementRoots(
      { network: NETWORK, registry: REGISTRY, ownAddress: 'own' },
      {
        client,
        placement,
        ports: { listPeers, isNode, onCompared: (address, differs) => claims.distrust(address, differs, 'placement') },
        clock,
        log: createLogger({ level: 'info', format: 'json', destination: { write: (text) => lines.push(text) } }),
      },
    )
    return { claims, roots, lines, placement }
  }

  it('it is logged once, nothing of what that node says counts, and it does again with the same root', async () => {
    const host = await openPeer('host')
    const honest = await openHolder('honest', { inForce: OURS, next: undefined })
    const liar = await openHolder('liar', { inForce: ANOTHER, next: undefined })
    await connect(host, honest.peer)
    await connect(host, liar.peer)
    const { claims, roots, lines, placement } = watch(host, [honest, liar])
    await claims.look()
    await claims.idle()
    const both = [honest.address, liar.address].sort()
    assert.deepEqual(claims.listClaimants(1, 0).toSorted(), both)

    for (let i = 0; i < 3; i++) {
      await roots.look()
      clock.advance(600_000)
    }
    assert.equal(lines.length, 1)
    const { level, code, address, era } = JSON.parse(lines[0] ?? '')
    assert.deepEqual([level, code, address, era], ['warn', 'PROTOCOL_PLACEMENT_DIFFERS', liar.address, ERA])
    assert.deepEqual(claims.listClaimants(1, 0), [honest.address])
    assert.deepEqual([claims.isIncomplete(honest.address, 1), claims.isIncomplete(liar.address, 1)], [false, true])
    assert.deepEqual([roots.listDiffering(), host.offences], [[liar.address], []])

    // Its massa-node was wrong for an era.
    const later = { era: ERA + 1, root: new Uint8Array(32).fill(3) }
    placement.inForce = later
    for (const holder of [honest, liar]) holder.placement.inForce = later
    await roots.look()
    assert.deepEqual(claims.listClaimants(1, 0), [honest.address])
    for (const holder of [honest, liar]) holder.archive.fill(ERA * ERA_PERIODS, (ERA + 1) * ERA_PERIODS)
    clock.advance(600_000)
    await roots.look()
    assert.deepEqual(claims.listClaimants(1, 0).toSorted(), both)
    assert.deepEqual([roots.listDiffering(), host.offences, lines.length], [[], [], 2])
  })
})
