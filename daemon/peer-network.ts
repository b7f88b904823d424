import { type Archiver, guardLoop } from '../archiver/index.ts'
import type { Config } from '../config/index.ts'
import {
  ArchiveError,
  type Clock,
  computeAddress,
  computePublicKey,
  concatBytes,
  formatAddress,
} from '../core/index.ts'
import {
  Bindings,
  DialTargets,
  type Introduction,
  Introductions,
  MAX_LISTEN_ADDRESSES,
  type Offence,
  PeerLimits,
  PeerScores,
  pickWidest,
  Redialer,
  WorkQueue,
} from '../protocol-handler/index.ts'
import { formatPeerId, isPeerId, parsePeerId } from '../protocol-handler/peer-id-text.ts'
import { PeerNode } from '../protocol-handler/peer-node.ts'
import { readOrCreateKey, type Store } from '../storage-worker/index.ts'
import { createAuditService } from '../storage-worker/peers/audit-service.ts'
import { createBlockService } from '../storage-worker/peers/block-service.ts'
import { ChunkCount } from '../storage-worker/peers/chunk-count.ts'
import { createChunkService } from '../storage-worker/peers/chunk-service.ts'
import { GapFiller } from '../storage-worker/peers/gap-filler.ts'
import { createManifestService } from '../storage-worker/peers/manifest-service.ts'
import { PeerClient } from '../storage-worker/peers/peer-client.ts'
import type { Logger } from '../telemetry/index.ts'
import type { StopSteps } from './stop-steps.ts'

/** Enough for a joiner to fetch 64 MB/s in chunks; a stranger who asks for more waits. */
const SHARE = { requestsPerSecond: 100, bytesPerSecond: 64_000_000, openStreams: 32 }
/** Reads from disk at a time, and requests that may wait for them. */
const WORK = { concurrency: 4, capacity: 256 }

/** What the archiver's word on a block of a peer means for the peer. */
const TAKEN = {
  spooled: 'taken',
  known: 'left',
  ignored: 'left',
  postponed: 'left',
  incomplete: 'wrong',
  refused: 'wrong',
} as const

/** The part of a sidecar that other sidecars see. */
export interface PeerNetwork {
  report(): PeersReport
  /** @returns until when, ms since 1970 */
  ban(peer: string, durationMs: number): number
  /** @returns false when it was not banned */
  unban(peer: string): boolean
}

/** JSON of `/v1/peers`. */
export interface PeersReport {
  readonly own: { readonly peer: string; readonly address: string; readonly listen: readonly string[] }
  readonly peers: readonly PeerRow[]
  readonly bans: readonly { readonly peer: string; readonly untilMs: number | null; readonly reason: string }[]
}

interface PeerRow {
  readonly peer: string
  /** Massa address that the PeerId is bound to; null while it did not say. */
  readonly address: string | null
  readonly connected: boolean
  readonly listen: readonly string[]
  readonly allocatedGb: number | null
  readonly storedChunks: number | null
  /** 0 = for ever */
  readonly retentionPeriods: number | null
  readonly firstPeriod: number | null
  /** One after the last. */
  readonly endPeriod: number | null
  readonly score: number
}

/**
 * Starts to meet other sidecars, and to serve them what this one holds.
 *
 * @param seed - 32-byte secret of the Massa key that this node speaks for
 * @throws ArchiveError PROTOCOL_LISTEN_FAILED, STORE_KEY_INVALID
 */
export async function startPeerNetwork(
  options: { readonly config: Config; readonly seed: Uint8Array },
  modules: {
    readonly store: Store
    readonly archiver: Archiver
    readonly clock: Clock
    readonly log: Logger
    readonly undo: StopSteps
    readonly onFatal: (error: ArchiveError) => void
  },
): Promise<PeerNetwork> {
  const { config, seed } = options
  const { store, archiver, clock, log, undo, onFatal } = modules
  const { identity } = store.chunks
  const scores = new PeerScores(clock)
  const queue = new WorkQueue(WORK)
  const onOffence = (peer: string, offence: Offence): void => node.penalise(peer, offence)
  const node = await PeerNode.start(
    {
      identity,
      seed: await readOrCreateKey(config.dataDir, 'peer.key'),
      listen: config.p2p.listen,
      maxConnections: config.p2p.maxConnections,
      mdns: config.p2p.mdns,
    },
    {
      scores,
      limits: new PeerLimits(SHARE, clock),
      queue,
      onOffence: (peer, offence, ban) => {
        if (ban) log.warn({ peerId: peer, reason: offence }, 'peer banned')
      },
      onFailure: (error) => log.error({ err: error }, 'request of a peer failed'),
    },
  )
  undo.push(() => node.stop())
  undo.push(() => queue.stop())
  await node.serve('chunk', createChunkService(store.chunks))
  await node.serve('manifest', createManifestService(store.chunks))
  await node.serve('audit', createAuditService(store.chunks))
  await node.serve('block', createBlockService(store.chunks))

  const ownAddresses = (): readonly string[] =>
    config.p2p.announce.length > 0 ? config.p2p.announce : pickWidest(node.addresses)
  // Nobody is told apart from strangers yet: past 10,000 nodes newcomers are not taken.
  const bindings = new Bindings(identity.network, () => false)
  const targets = new DialTargets(config.p2p.bootstrap, bindings, { peerId: node.peerId, addresses: ownAddresses })
  const connected = (): ReadonlySet<string> => new Set(node.peers)
  const redialer = new Redialer(
    {
      listTargets: () => targets.list(),
      isConnected: (address) => {
        const peer = targets.peerAt(address)
        return peer !== undefined && (peer === node.peer || connected().has(peer))
      },
      dial: async (address) => targets.onDialled(address, await node.dial(address)),
    },
    clock,
  )
  redialer.start()
  undo.push(() => redialer.stop())
  const chunkCount = new ChunkCount(store.chunks, clock)
  const introductions = new Introductions(
    { seed, describe: () => describe(config, store, chunkCount, ownAddresses()) },
    { network: node, bindings, clock, onFailure: (error) => log.warn({ err: error }, 'not introduced') },
  )
  const introducing = guardLoop('introductions', introductions.start(), onFatal)
  undo.push(async () => {
    await Promise.allSettled([introductions.stop(), introducing])
  })
  const filler = new GapFiller(
    { network: identity.network },
    {
      client: new PeerClient(node, onOffence),
      ports: {
        listGaps: () => archiver.status().gaps,
        listPeers: () =>
          node.peers.flatMap((peer) => {
            const address = bindings.addressOf(parsePeerId(peer))
            const said = address === undefined ? undefined : bindings.capabilitiesOf(address)
            return said && said.endPeriod > 0 ? [{ peer, firstPeriod: said.firstPeriod }] : []
          }),
        takeBlock: async (id, filledBlock) => TAKEN[await archiver.takePeerBlock(id, filledBlock)],
        onWrong: (peer) => onOffence(peer, 'reject'),
      },
      clock,
      onFailure: (error) => log.debug({ err: error }, 'peer did not fill a gap'),
    },
  )
  const filling = guardLoop('gap filler', filler.start(), onFatal)
  undo.push(async () => {
    await Promise.allSettled([filler.stop(), filling])
  })
  const address = formatAddress(computeAddress(computePublicKey(concatBytes(Uint8Array.of(0), seed))))
  log.info({ peerId: node.peer, url: node.addresses.join(', ') }, 'meeting other sidecars')

  const report = (): PeersReport => {
    const known = new Map(bindings.list().map((entry) => [formatPeerId(entry.capabilities.peerId), entry]))
    const here = connected()
    const peers = [...new Set([...here, ...known.keys()])].filter((peer) => peer !== node.peer)
    return {
      own: { peer: node.peer, address, listen: node.addresses },
      peers: peers.sort().map((peer) => {
        const entry = known.get(peer)
        const said = entry?.capabilities
        return {
          peer,
          address: entry?.address ?? null,
          connected: here.has(peer),
          listen: said?.listenAddresses ?? [],
          allocatedGb: said ? Number(said.allocatedGb) : null,
          storedChunks: said ? Number(said.storedChunks) : null,
          retentionPeriods: said ? Number(said.retentionPeriods) : null,
          firstPeriod: said?.firstPeriod ?? null,
          endPeriod: said?.endPeriod ?? null,
          score: scores.scoreOf(peer),
        }
      }),
      bans: scores.listBans().map(({ peer, untilMs, reason }) => ({
        peer,
        untilMs: Number.isFinite(untilMs) ? untilMs : null,
        reason,
      })),
    }
  }
  return {
    report,
    ban(peer, durationMs) {
      if (!isPeerId(peer)) throw new ArchiveError('API_QUERY_INVALID', `'${peer}' is no PeerId`)
      return node.ban(peer, durationMs).untilMs
    },
    unban: (peer) => scores.unban(peer),
  }
}

async function describe(
  config: Config,
  store: Store,
  chunkCount: ChunkCount,
  listenAddresses: readonly string[],
): Promise<Introduction> {
  const range = await store.chunks.readRange()
  return {
    network: store.chunks.identity.network,
    allocatedGb: BigInt(config.allocatedStorageGb),
    storedChunks: BigInt(await chunkCount.read()),
    retentionPeriods: BigInt(config.retentionPeriods),
    firstPeriod: range?.first ?? 0,
    endPeriod: range ? range.last + 1 : 0,
    listenAddresses: listenAddresses.slice(0, MAX_LISTEN_ADDRESSES),
  }
}
