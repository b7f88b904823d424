import { type ArchiveGrpcModules, type ArchiveRpcModules, NodeProxy, startArchiveGrpc } from '../api/index.ts'
import { type Config, parseHostPort } from '../config/index.ts'
import {
  type ArchiveError,
  type Clock,
  computePublicKey,
  concatBytes,
  formatPublicKey,
  type Network,
} from '../core/index.ts'
import {
  FinalPeriods,
  HistoryAnswers,
  type HistoryIndex,
  HistoryIndexer,
  HistoryReader,
  type HolderFetcher,
  openHistory,
  type Store,
} from '../storage-worker/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { StopSteps } from './stop-steps.ts'

/** The history index of a running sidecar. */
export interface History {
  readonly index: HistoryIndex
  readonly indexer: HistoryIndexer
}

/** What reads by it. */
export interface HistoryReading {
  readonly reader: HistoryReader
  readonly answers: HistoryAnswers
  readonly finals: FinalPeriods
}

/** `undefined`: `history.enabled` is false. @throws ArchiveError of `openHistory` */
export async function startHistory(
  config: Config,
  modules: {
    readonly store: Store
    readonly clock: Clock
    readonly log: Logger
    readonly undo: StopSteps
    readonly onFatal: (error: ArchiveError) => void
  },
): Promise<History | undefined> {
  if (!config.history.enabled) return undefined
  const { store, clock, log, undo, onFatal } = modules
  const { index, discarded } = await openHistory(store.dataDir, store.chunks.identity)
  undo.push(() => index.close())
  if (discarded !== undefined) log.warn({ reason: discarded }, 'history index is made anew')
  const indexer = new HistoryIndexer({ store: store.chunks, index, disk: store.disk, clock, log, onFatal })
  indexer.start()
  undo.push(() => indexer.stop())
  return { index, indexer }
}

/**
 * What answers everybody, and as `answers.fetching` whoever runs this sidecar: with `api.fetch` both are the same.
 *
 * @param holders - undefined: this sidecar meets no others
 */
export function openReading(
  { index }: History,
  { store: { chunks: store }, clock }: { readonly store: Store; readonly clock: Clock },
  { holders, fetch }: { readonly holders: HolderFetcher | undefined; readonly fetch: boolean },
): HistoryReading {
  const open = (from: HolderFetcher | undefined, fetching?: HistoryAnswers): HistoryReading => {
    const reader = new HistoryReader({ store, index, holders: from })
    const fetchById = from && ((chunkId: Uint8Array) => from.fetchById(chunkId))
    const answers = new HistoryAnswers({ reader, store, fetchById, fetching })
    return { reader, answers, finals: new FinalPeriods({ store, reader, clock }) }
  }
  const fetching = holders && open(holders)
  return fetching && fetch ? fetching : open(undefined, fetching?.answers)
}

/**
 * Who answers in the JSON-RPC and gRPC of a node.
 *
 * @param seed - of the archiver's key: from it comes what stands where a node says its id
 */
export function describeArchive(
  { reader }: HistoryReading,
  api: Config['api'],
  {
    network,
    version,
    seed,
    clock,
  }: {
    readonly network: Network
    readonly version: string
    readonly seed: Uint8Array
    readonly clock: Clock
  },
): ArchiveRpcModules & Pick<ArchiveGrpcModules, 'sleep'> {
  const key = formatPublicKey(computePublicKey(concatBytes(Uint8Array.of(0), seed)))
  return {
    history: reader,
    // A node id is a public key with another letter before it.
    identity: { network, version: `massa-storage/${version}`, nodeId: key.replace(/^P/, 'N') },
    nowMs: () => clock.nowMs(),
    sleep: (durationMs, signal) => clock.sleep(durationMs, signal),
    node: api.proxyNode ? new NodeProxy({ url: api.proxyNodeUrl }) : undefined,
  }
}

/**
 * Serves history in the gRPC of a node, where `api.grpc_bind` says.
 *
 * @param archive - undefined: there is no index to answer by
 * @returns its url; undefined: it is not served
 * @throws ArchiveError API_BIND_FAILED
 */
export async function serveArchiveGrpc(
  archive: ArchiveGrpcModules | undefined,
  bind: string,
  { log, undo }: { readonly log: Logger; readonly undo: StopSteps },
): Promise<string | undefined> {
  const address = parseHostPort(bind)
  if (!address) return undefined
  if (!archive) {
    log.warn({ action: 'set history.enabled' }, 'nothing is served at api.grpc_bind: there is no history index')
    return undefined
  }
  const server = await startArchiveGrpc(archive, address)
  undo.push(() => server.stop())
  log.info({ url: server.url }, 'history served over gRPC')
  return server.url
}
