import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { createApi, createMetricsServer, listen, RateLimit } from '../api/index.ts'
import { Archiver, CpuPool, guardLoop, NodeClient, NodeFollower, refetchFromNodes } from '../archiver/index.ts'
import { type Config, findPackageRoot, parseHostPort, readPackageVersion } from '../config/index.ts'
import { BYTES_PER_GB, type Clock, isArchiveError, type Period } from '../core/index.ts'
import {
  AnchoredEras,
  createEraRelease,
  listDataDirNames,
  OwnHoldings,
  openStore,
  PlacementWatch,
  readOrCreateKey,
  Scrub,
} from '../storage-worker/index.ts'
import { createMetrics, type Logger, type Metrics, READ_REASONS } from '../telemetry/index.ts'
import { announce } from './announce.ts'
import { makeToken } from './api-token.ts'
import { AssignmentLog } from './assignment-log.ts'
import { openChain } from './chain/open-chain.ts'
import { findMissingSetting, openRegistryReport } from './chain/registry-report.ts'
import { startRewards } from './chain/start-rewards.ts'
import { countEvents, countRead } from './counts.ts'
import { openEras } from './eras.ts'
import { keepGauges } from './gauges.ts'
import { describeArchive, openReading, serveArchiveGrpc, startHistory } from './history.ts'
import { recordNodeCall } from './node-calls.ts'
import { computeSeedAddress, findOwnRoles } from './own-roles.ts'
import type { startPeerNetwork as StartPeerNetwork } from './peer-network.ts'
import { RetentionRunner } from './retention-runner.ts'
import { reportStatus } from './status.ts'
import { StopSteps } from './stop-steps.ts'
import { systemClock } from './system-clock.ts'
import { checkUnsetRetention } from './unset-retention.ts'

/** Of the quota, for final blocks that this release cannot read (docs/ARCHITECTURE.md). */
const QUARANTINE_SHARE = 0.1

export interface Daemon {
  readonly apiUrl: string
  /** host:port; undefined: history is not served over gRPC. */
  readonly grpcUrl: string | undefined
  readonly metricsUrl: string | undefined
  /** Resolves when something happened that ends the daemon: a wrong network, a bug in a loop. */
  readonly fatal: Promise<unknown>
  stop(): Promise<void>
}

/**
 * Builds and starts every room of a sidecar, in this order: store, archiver, followers, servers. `stop` goes back.
 *
 * @param options.massaSeed - 32-byte secret of the Massa key that this sidecar speaks for; else its archiver key
 * @param options.address - of that key, when `p2p` does not need its secret
 * @param options.retentionAdvice - the line that would set `retention_periods`, when nobody has
 * @throws ArchiveError CONFIG_RETENTION_UNSET, of the store or the servers; nothing keeps running then
 */
export async function startDaemon(
  config: Config,
  log: Logger,
  options: {
    readonly massaSeed?: Uint8Array | undefined
    readonly address?: string | undefined
    readonly retentionAdvice?: string | undefined
  } = {},
): Promise<Daemon> {
  const clock = systemClock
  const startedAtMs = clock.nowMs()
  const beganMs = clock.monotonicMs()
  const version = readPackageVersion()
  const threads = config.cpu.threads || availableParallelism()
  const metrics = createMetrics({ version })
  // From 0 on, so that the first damage is an increase.
  for (const reason of READ_REASONS) countRead(metrics, reason, 0, 0)
  const stopping = new AbortController()
  const undo = new StopSteps(log.child({ module: 'daemon' }))
  let resolveFatal: (error: unknown) => void = () => {}
  const fatal = new Promise<unknown>((resolve) => {
    resolveFatal = resolve
  })
  const onFatal = (error: unknown): void => {
    log
      .child({ module: 'daemon' })
      .error({ err: error, ...(isArchiveError(error) && { code: error.code }) }, 'massa-storage ends')
    resolveFatal(error)
  }
  const stop = (): Promise<void> => {
    stopping.abort()
    return undo.run()
  }
  try {
    const network = { chainId: config.node.chainId, genesisTimestampMs: config.node.genesisTimestampMs }
    const store = await openStore({
      dataDir: config.dataDir,
      identity: { network, chunkSizeBytes: config.chunkSize },
      quotaGb: config.allocatedStorageGb,
      freeFloorBytes: config.store.minFreeBytes,
      ballastBytes: config.store.ballastBytes,
      onRead: (bytes, isDamaged) => countRead(metrics, 'read', bytes, isDamaged ? 1 : 0),
    })
    undo.push(() => store.close())
    const storeLog = log.child({ module: 'storage-worker' })
    storeLog.info({ dataDir: config.dataDir }, 'store opened')
    if (options.retentionAdvice !== undefined) {
      await checkUnsetRetention(store.chunks, config.retentionPeriods, options.retentionAdvice)
    }
    const history = await startHistory(config, { store, clock, log: storeLog, undo, onFatal })
    const onPruned = async (keptFrom: Period) => {
      history?.indexer.forgetBefore(keptFrom)
      await archiver.forgetBefore(keptFrom)
    }
    const cpu = new CpuPool({ threads })
    undo.push(() => cpu.close())
    const archiverSeed = await readOrCreateKey(config.dataDir, 'archiver.key')
    const address = config.p2p.enabled ? computeSeedAddress(options.massaSeed ?? archiverSeed) : options.address
    const retention = new RetentionRunner(
      { retentionPeriods: config.retentionPeriods },
      {
        store: store.chunks,
        log: storeLog,
        onFatal,
        onPruned,
        mayGo: (era) => mayGo(era),
      },
    )
    const clients = config.node.grpcUrls.map((url) => createClient(url, config, metrics))
    const placement = new PlacementWatch(
      { registry: config.storageRegistryAddress, network, localReplicas: config.replicationFactor },
      {
        nodes: clients,
        finalPeriod: () => archiver.status().nodeFinalSlot?.period,
        archive: store.placements,
        clock,
        log: storeLog,
        onFatal,
      },
    )
    const anchors = new AnchoredEras(
      { registry: config.storageRegistryAddress, network },
      { nodes: clients, clock, log: storeLog },
    )
    const mayGo = createEraRelease(config.storageRegistryAddress, { placement, anchors })
    // Behind the followers, which end the calls of the clients when they stop.
    undo.push(() => placement.stop())
    undo.push(() => anchors.stop())
    const assignments = new AssignmentLog({ placement, store: store.chunks, log: storeLog })
    undo.push(() => assignments.idle())
    const holdings = new OwnHoldings(store.chunks, clock, (period) => history?.indexer.note(period))
    const counts = countEvents(metrics)
    const archiver = new Archiver(
      {
        nodeUrls: config.node.grpcUrls,
        restarts: config.node.chainRestarts.map(toRestart),
        attesterSeed: archiverSeed,
        maxQuarantineBytes: config.allocatedStorageGb * BYTES_PER_GB * QUARANTINE_SHARE,
      },
      {
        store: store.chunks,
        spool: store.spool,
        cpu,
        clock,
        log: log.child({ module: 'archiver' }),
        events: {
          ...counts,
          onArchived: (summary, elapsedMs) => {
            counts.onArchived(summary, elapsedMs)
            assignments.tell(summary.period)
            holdings.note(summary.period)
            retention.wake()
          },
          // Where `retention_periods` was lowered, nothing but a deletion makes room for the next period.
          onNoRoom: () => retention.wake(),
          onFatal,
        },
      },
    )
    undo.push(() => retention.idle())
    await archiver.start()
    retention.wake()
    undo.push(() => archiver.stop())

    const scrub = new Scrub(
      {
        roundMs: config.store.scrubIntervalHours * 3_600_000,
        onDamage: ({ period, what, code, reason }) => {
          countRead(metrics, 'scrub', 0, 1)
          const where = { ...(period === undefined ? {} : { period }), ...(reason === undefined ? {} : { reason }) }
          storeLog.error({ ...where, other: what, code }, 'stored value damaged')
        },
        onRound: ({ bytes }) => countRead(metrics, 'scrub', bytes, 0),
      },
      {
        store: store.chunks,
        clock,
        readUsedBytes: () => store.disk.readUsedBytes(),
        checkFiles: () => store.checkFiles(false),
      },
    )
    const scrubbing = guardLoop('scrub', scrub.start(), onFatal)
    undo.push(async () => {
      // What ended it was told: it must not keep the rest from stopping.
      await Promise.allSettled([scrub.stop(), scrubbing])
    })
    const followers = clients.map(
      (client, node) =>
        new NodeFollower(
          { node, client, ...followOptions(config) },
          { feed: archiver, clock, log: log.child({ module: 'archiver' }), onFatal },
        ),
    )
    for (const follower of followers) {
      follower.start()
      undo.push(() => follower.stop())
    }
    // First of all: calls that followers end are no failure of it.
    stopping.signal.addEventListener('abort', () => void placement.stop(), { once: true })
    stopping.signal.addEventListener('abort', () => void anchors.stop(), { once: true })
    placement.start()
    void guardLoop('anchored eras', anchors.start(), onFatal)
    const missing = findMissingSetting(config, options.massaSeed !== undefined)
    if (missing) {
      const { action } = missing
      storeLog.warn(
        { err: missing, action },
        'nothing is proven to the registry and nothing earned: a setting is missing',
      )
    }
    const chainModules = {
      store,
      archiver,
      placement,
      anchors,
      clock,
      log: storeLog,
      metrics,
      undo,
      onFatal,
    }
    const chain = missing ? undefined : await openChain(config, options.massaSeed, chainModules)
    const registry = openRegistryReport(config, missing, chain)
    if (chain) startRewards(chain)
    const peers = config.p2p.enabled
      ? await startPeers(
          { config, seed: options.massaSeed ?? archiverSeed },
          {
            store,
            archiver,
            cpu,
            placement,
            anchors,
            holdings,
            chain,
            clock,
            log: log.child({ module: 'protocol-handler' }),
            metrics,
            undo,
            onFatal,
          },
        )
      : undefined
    const reading =
      history && openReading(history, { store, clock }, { holders: peers?.holders, fetch: config.api.fetch })
    const refetch = (period: Period) => refetchFromNodes(clients, store.chunks.identity, period)
    const status = () =>
      reportStatus({
        version,
        pid: process.pid,
        startedAtMs,
        upMs: clock.monotonicMs() - beganMs,
        store,
        archiver,
        retention,
        placement: placement.status(),
        registry: registry(),
        bootstrap: peers?.bootstrap(),
        replication: peers?.replication(),
        prune: peers?.reportPrune(),
        history: history?.indexer.status(),
        nodes: followers.map((follower) => follower.status()),
        quotaGb: config.allocatedStorageGb,
      })
    const gauges = keepGauges({ metrics, status, clock, log: log.child({ module: 'daemon' }) }, stopping.signal)
    undo.push(() => gauges)
    const rates = limitRequests(config.api, clock)
    const { allowedOrigins } = config.api
    const described = { network, version, seed: archiverSeed, clock }
    const archive = reading && { ...describeArchive(reading, config.api, described), rates, allowedOrigins }
    const findAnchor = async (era: number) => {
      const anchor = await anchors.find(era)
      return anchor && { ...anchor, registry: config.storageRegistryAddress }
    }
    const apiUrl = await openServer(
      createApi({
        dataDirNames: await listDataDirNames(config.dataDir),
        status,
        peers,
        challenges: peers?.challenges,
        gateway: {
          history: reading?.answers,
          finals: reading?.finals,
          store: store.chunks,
          findAnchor,
          rates,
          allowedOrigins,
        },
        explorerFolder: join(findPackageRoot(), 'dist', 'explorer'),
        eras: openEras({ store: store.chunks, anchors, peers: peers?.eras }),
        imports: {
          store: store.chunks,
          cpu,
          onImported: async (period) => {
            holdings.note(period)
            await archiver.onFilled(period)
            history?.indexer.note(period)
          },
        },
        token: await makeToken(config.dataDir, storeLog),
        history: archive,
        query: {
          store,
          threads,
          findRoles: async () => findOwnRoles(placement, address),
          cluster: peers?.cluster,
          retentionPeriods: config.retentionPeriods,
          refetchPeriod: refetch,
          onVerified: ({ bytes, damages, repairedPeriods }) => {
            countRead(metrics, 'verify', bytes, damages)
            for (const period of repairedPeriods) {
              peers?.noteRepaired(period)
              history?.indexer.note(period)
            }
          },
          onPruned,
          history: history?.indexer,
          findAnchor,
          mayGo,
        },
      }),
      parseBind(config.api.bind),
      undo,
    )
    const grpcUrl = await serveArchiveGrpc(archive, config.api.grpcBind, { log: storeLog, undo })
    const announced = await announce(apiUrl, { store, clock, log: storeLog }, stopping.signal)
    const announcing = guardLoop('announce', announced.done, onFatal)
    undo.push(() => announcing)
    const metricsUrl = config.metrics.enabled
      ? await openServer(createMetricsServer(metrics), parseBind(config.metrics.bind), undo)
      : undefined
    log.child({ module: 'daemon' }).info({ url: apiUrl, version, pid: process.pid }, 'massa-storage started')
    return { apiUrl, grpcUrl, metricsUrl, fatal, stop }
  } catch (error) {
    // What fails in it is said: the reason to stop is what counts.
    await stop().catch(() => undefined)
    throw error
  }
}

/** Loaded only where it is used: libp2p takes some 40 MB. */
const startPeers: typeof StartPeerNetwork = async (options, modules) =>
  (await import('./peer-network.ts')).startPeerNetwork(options, modules)

function limitRequests(
  { maxRequestsPerSecond: requestsPerSecond }: Config['api'],
  clock: Clock,
): RateLimit | undefined {
  return requestsPerSecond === 0 ? undefined : new RateLimit({ requestsPerSecond }, clock)
}

async function openServer(server: FastifyInstance, bind: HostPort, undo: StopSteps): Promise<string> {
  undo.push(() => server.close().then(() => {}))
  return listen(server, bind)
}

/** The schema has checked it: an address that does not parse is a bug. */
function parseBind(bind: string): HostPort {
  const parsed = parseHostPort(bind)
  if (!parsed) throw new Error(`'${bind}' is no address`)
  return parsed
}

interface HostPort {
  readonly host: string
  readonly port: number
}

function followOptions({ node }: Config) {
  return { pollIntervalMs: node.pollIntervalMs, streamSilenceMs: node.streamSilenceMs }
}

function createClient(url: string, config: Config, metrics: Metrics): NodeClient {
  return new NodeClient({ url, timeoutMs: config.node.callTimeoutMs, onCall: recordNodeCall(metrics) })
}

function toRestart(restart: Config['node']['chainRestarts'][number]) {
  return {
    lastKeptSlot: { period: restart.lastKeptPeriod, thread: restart.lastKeptThread },
    restartPeriod: restart.restartPeriod,
  }
}
