import type { Config } from '../../config/index.ts'
import { computeAddress, computePublicKey, concatBytes, formatAddress, type StoreIdentity } from '../../core/index.ts'
import {
  Bandwidth,
  Bindings,
  ConnectionRates,
  createBanKeeper,
  createBindingKeeper,
  GossipRates,
  KnownHosts,
  type Offence,
  PeerLimits,
  PeerScores,
  type PeerShare,
  pickWidest,
  RefusedPeers,
  WorkQueue,
} from '../../protocol-handler/index.ts'
import { parsePeerId } from '../../protocol-handler/peer-id-text.ts'
import { PeerNode, type PeerNodeModules } from '../../protocol-handler/peer-node.ts'
import { readOrCreateKey } from '../../storage-worker/index.ts'
import { PeerClient } from '../../storage-worker/peers/peer-client.ts'
import { PastPlacements } from '../../storage-worker/placement/past-placements.ts'
import { RegisteredNodes } from '../../storage-worker/placement/registered-nodes.ts'
import { keepRunning, type PeerContext, type PeerNetworkModules } from './peer-context.ts'
import { pickShare, WORK } from './shares.ts'

/** Opens what speaks with other sidecars. */
export type OpenNode = (modules: PeerNodeModules) => Promise<PeerNode>

export interface PeerNetworkOptions {
  readonly config: Config
  /** 32-byte secret of the Massa key that this sidecar speaks for. */
  readonly seed: Uint8Array
  /** Default: over libp2p. */
  readonly openNode?: OpenNode
  /** Of each node, by all others together; 700 unless a test says otherwise. */
  readonly auditsPerDay?: number
}

/**
 * Opens the libp2p node, which answers nothing yet, and what its parts share.
 *
 * @throws ArchiveError PROTOCOL_LISTEN_FAILED, STORE_KEY_INVALID
 */
export async function openContext(options: PeerNetworkOptions, modules: PeerNetworkModules): Promise<PeerContext> {
  const { config, seed, auditsPerDay } = options
  const { store, placement, cpu, clock, log, undo } = modules
  const { identity } = store.chunks
  const registered = new RegisteredNodes(placement)
  const scores = new PeerScores(clock)
  const bans = createBanKeeper(scores, {
    marks: store.spool,
    clock,
    onFailure: (error) => log.warn({ err: error }, 'bans not kept'),
  })
  // Before anybody can come; behind the node when it stops.
  await bans.load()
  keepRunning('bans', bans, modules)
  const bindings = new Bindings(identity.network, (address) => registered.has(address))
  const keeper = createBindingKeeper(bindings, {
    marks: store.spool,
    clock,
    onFailure: (error) => log.warn({ err: error }, 'bindings not kept'),
  })
  await keeper.load()
  keepRunning('bindings', keeper, modules)
  const isRegistered = (peer: string): boolean => {
    const address = bindings.addressOf(parsePeerId(peer))
    return address !== undefined && registered.has(address)
  }
  // Without a registry nobody is told from strangers.
  const isStranger = (peer: string): boolean => registered.isKnown && !isRegistered(peer)
  const shareOf = (peer: string): PeerShare =>
    pickShare({ hasRegistry: registered.isKnown, isRegistered: isRegistered(peer) })
  const { maxBytesPerSecond } = config.p2p
  const bandwidth = maxBytesPerSecond > 0 ? new Bandwidth({ bytesPerSecond: maxBytesPerSecond }, clock) : undefined
  const queue = new WorkQueue(WORK, clock)
  const { openNode = (nodeModules) => openLibp2p(config, identity, nodeModules) } = options
  const expected = new KnownHosts(config.p2p.bootstrap, () => registered.list())
  const node = await openNode({
    scores,
    connections: new ConnectionRates(clock, (site) => expected.has(site)),
    refused: new RefusedPeers(clock),
    rates: new GossipRates(
      (author) => !isRegistered(author),
      clock,
      (other) => registered.has(other),
    ),
    limits: new PeerLimits(shareOf, clock),
    queue,
    bandwidth,
    isStranger,
    onOffence: (peer, offence, ban) => {
      if (ban) log.warn({ peerId: peer, reason: offence }, 'peer banned')
    },
    onRefused: (peer, reason) => log.info({ peerId: peer, reason }, 'peer is not of this network'),
    onFailure: (error) => log.error({ err: error }, 'request of a peer failed'),
  })
  undo.push(() => node.stop())
  undo.push(() => queue.stop())
  const onOffence = (peer: string, offence: Offence): void => node.penalise(peer, offence)
  return {
    ...modules,
    config,
    seed,
    auditsPerDay,
    address: formatAddress(computeAddress(computePublicKey(concatBytes(Uint8Array.of(0), seed)))),
    node,
    scores,
    bandwidth,
    bans,
    registered,
    pastPlacements: new PastPlacements(config.storageRegistryAddress, store.placements),
    bindings,
    client: new PeerClient(node, onOffence, { clock, identify: (chunk) => cpu.identifyChunk(chunk) }),
    ownAddresses: () => (config.p2p.announce.length > 0 ? config.p2p.announce : pickWidest(node.addresses)),
  }
}

async function openLibp2p(
  { dataDir, p2p }: Config,
  identity: StoreIdentity,
  modules: PeerNodeModules,
): Promise<PeerNode> {
  const seed = await readOrCreateKey(dataDir, 'peer.key')
  const { listen, maxConnections, mdns } = p2p
  return await PeerNode.start({ identity, seed, listen, maxConnections, mdns }, modules)
}
