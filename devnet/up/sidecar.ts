import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ConfigFlags, makeFolder, PASSWORD_ENV, renderConfigFile } from '../../config/index.ts'
import { type Clock, PERIOD_MS, type Period } from '../../core/index.ts'
import { wrapDiskError } from '../disk-error.ts'
import type { Speed } from '../node/process/node-process.ts'
import { ChunkTally } from './chunk-tally.ts'
import { KeptProcess, type ProcessState } from './kept-process.ts'
import { chooseSidecarPorts, type SidecarPorts } from './network-ports.ts'
import type { NodeLink } from './node-link.ts'
import { formatPeerAddress, type PeerPlace } from './peer-places.ts'
import type { Program } from './program.ts'

/** Its own limit is 9.5 s. */
const STOP_LIMIT_MS = 10_000
const STATUS_TIMEOUT_MS = 2_000
const RECOUNTED_PERIODS = 64
/** Old chunks come and go, too: all are counted again at every so many looks. */
const LOOKS_PER_RECOUNT = 30
/** 64 MiB for a full disk are for an archive of worth. */
const BALLAST_BYTES = 1_048_576
/** An hour would outlast most networks: who watches a sidecar die sees others take over. */
const REPAIR_DELAY_SECONDS = 30

/** Where a sidecar and the operator's commands for it find everything. */
export interface PlaceOptions {
  readonly directory: string
  readonly link: NodeLink
  readonly chainId: bigint
  readonly genesisTimestampMs: number
  readonly registryAddress?: string | undefined
  readonly speed: Speed
  /** 0, or absent: for ever. */
  readonly retentionPeriods?: number | undefined
  readonly ports?: SidecarPorts | undefined
  /** Of a sidecar. */
  readonly peers?: PeerPlace | undefined
}

/** What a sidecar says of itself, as far as the table shows it. */
export interface SidecarReport {
  readonly name: string
  readonly address: string
  readonly state: ProcessState | 'starting' | 'archiving' | 'waiting'
  readonly pid?: number | undefined
  readonly restarts: number
  readonly lastEnd?: string | undefined
  readonly isRegistered: boolean
  readonly apiUrl: string
  readonly archived?: { readonly first: Period; readonly last: Period } | undefined
  readonly lagPeriods?: number | undefined
  readonly gaps: number
  readonly storedBytes: number
  readonly chunks: number
  /** Of them, those that it is to hold; absent while no placement is in force. */
  readonly primary?: number | undefined
  readonly replica?: number | undefined
  /** Other sidecars that it is connected to; absent where it meets none. */
  readonly peers?: number | undefined
  readonly problems: readonly string[]
}

interface StatusAnswer {
  readonly pid: number
  readonly archived: { readonly first: Period; readonly last: Period } | null
  readonly lagPeriods?: number
  readonly gaps: readonly unknown[]
  readonly storedBytes: number
  readonly placement: { readonly inForce?: { readonly era: number } } | null
  readonly problems: readonly string[]
}

/** Hash slots that a sidecar is to hold. */
interface RolesAnswer {
  readonly era: number
  readonly primary: readonly number[]
  readonly replica: readonly number[]
}

/** Writes the configuration that a directory's commands and its sidecar share; ports and addresses may be new in each run. */
export function writePlace(options: PlaceOptions): string {
  const { directory, link, chainId, genesisTimestampMs, registryAddress, speed, ports, peers } = options
  const settings: ConfigFlags = {
    'node.poll_interval_ms': computePollInterval(speed),
    'contract.json_rpc_url': link.jsonRpcUrl,
    'contract.key_file': walletOf(directory),
    // As often as `challenge_frequency_periods` says, whatever a node of 1 GB earns.
    'contract.max_challenge_fee_percent': 1_000_000,
    min_challenge_interval: PERIOD_MS,
    'p2p.repair_delay_seconds': REPAIR_DELAY_SECONDS,
    'store.ballast_bytes': BALLAST_BYTES,
    'cpu.threads': 1,
    ...(registryAddress === undefined ? {} : { storage_registry_address: registryAddress }),
    ...(ports ? { 'api.bind': `127.0.0.1:${ports.api}`, 'metrics.bind': `127.0.0.1:${ports.metrics}` } : {}),
    ...(ports && peers ? describePeers(ports, peers) : {}),
  }
  const text = renderConfigFile({
    enabled: true,
    grpcUrls: [link.grpcUrl],
    network: { chainId, genesisTimestampMs: BigInt(genesisTimestampMs) },
    dataDir: dataOf(directory),
    allocatedStorageGb: 1,
    retentionPeriods: options.retentionPeriods ?? 0,
    settings,
  })
  const file = configOf(directory)
  try {
    makeFolder(directory, 0o700)
    writeFileSync(file, `# Written by \`massa-storage devnet up\` whenever it starts.\n${text}`, { mode: 0o600 })
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    throw wrapDiskError(cause, {
      code: 'DEVNET_DIRECTORY_INVALID',
      message: `cannot write ${file} (${reason})`,
      context: { file, reason },
    })
  }
  return file
}

function describePeers(ports: SidecarPorts, { host, announcedPort, bootstrap }: PeerPlace): ConfigFlags {
  return {
    'p2p.enabled': true,
    'p2p.listen': [formatPeerAddress(host, ports)],
    'p2p.announce': [formatPeerAddress(host, { p2p: announcedPort ?? ports.p2p })],
    'p2p.bootstrap': bootstrap,
  }
}

export function configOf(directory: string): string {
  return join(directory, 'config.toml')
}

function dataOf(directory: string): string {
  return join(directory, 'data')
}

export function walletOf(directory: string): string {
  return join(directory, 'wallet.yaml')
}

/** A second of chain time, as beside a real node; ten looks a second at most. */
function computePollInterval(speed: Speed): number {
  return speed === 'turbo' ? 100 : Math.max(100, Math.min(1_000, Math.round(1_000 / speed)))
}

/** One real sidecar: `massa-storage start` with its own configuration, wallet and data directory. */
export class Sidecar {
  readonly process: KeptProcess
  readonly address: string
  isRegistered: boolean
  private ports: SidecarPorts
  private readonly directory: string
  private chunks = new ChunkTally()
  private roles: RolesAnswer | undefined
  private peers: number | undefined
  private countedTo: Period = -1
  private countedFrom: Period = Number.POSITIVE_INFINITY
  private isCounting = false
  private looksLeft = 0
  /** What it said last: shown while it stands still or starts again. */
  private lastStatus: StatusAnswer | undefined

  constructor(
    options: {
      readonly name: string
      readonly address: string
      readonly isRegistered: boolean
      readonly place: Omit<PlaceOptions, 'ports' | 'peers'>
      /** Asked at each start: the others may have moved since the last one. None: it meets nobody. */
      readonly findPeers?: (() => PeerPlace) | undefined
      readonly log: string
      /** Of its wallet: it speaks to others with that key. */
      readonly password: string
      readonly ports: SidecarPorts
      /** Where somebody has got these before it could. */
      readonly takesOtherPorts: boolean
    },
    modules: { readonly program: Program; readonly clock: Clock },
  ) {
    this.address = options.address
    this.isRegistered = options.isRegistered
    this.ports = options.ports
    const { place, name, takesOtherPorts, findPeers } = options
    this.directory = place.directory
    writePlace({ ...place, ports: this.ports, peers: findPeers?.() })
    this.process = new KeptProcess(
      {
        name,
        args: async () => {
          const peerHost = findPeers?.().host
          const wish = { name, ports: this.ports, peerHost }
          const [ports = this.ports] = await chooseSidecarPorts([wish], takesOtherPorts)
          this.ports = ports
          writePlace({ ...place, ports: this.ports, peers: findPeers?.() })
          return ['start', '--with-parent', '--config', configOf(place.directory), '--log-format', 'human']
        },
        // Not an argument: those are seen by every user of the machine.
        env: { [PASSWORD_ENV]: options.password },
        cwd: place.directory,
        log: options.log,
        stopLimitMs: STOP_LIMIT_MS,
      },
      modules,
    )
  }

  get name(): string {
    return this.process.name
  }

  get currentPorts(): SidecarPorts {
    return this.ports
  }

  get apiUrl(): string {
    return `http://127.0.0.1:${this.ports.api}`
  }

  /** Its data directory is lost: archive, key and all. Not while it runs. */
  empty(): void {
    rmSync(dataOf(this.directory), { recursive: true, force: true })
    this.chunks = new ChunkTally()
    this.countedFrom = Number.POSITIVE_INFINITY
    this.lastStatus = undefined
  }

  async report(): Promise<SidecarReport> {
    const { process, address, apiUrl, isRegistered } = this
    const { state, pid, restarts, lastEnd } = process
    const status = state === 'running' ? await this.readStatus() : undefined
    if (status?.archived) await this.countChunks(status.archived)
    if (status) {
      await this.readRoles(status.placement?.inForce?.era)
      this.peers = await this.countPeers()
      this.lastStatus = status
    }
    const last = this.lastStatus
    return {
      name: process.name,
      address,
      state: state !== 'running' ? state : !status ? 'starting' : status.archived ? 'archiving' : 'waiting',
      pid,
      restarts,
      lastEnd,
      isRegistered,
      apiUrl,
      archived: last?.archived ?? undefined,
      lagPeriods: status?.lagPeriods,
      gaps: last?.gaps.length ?? 0,
      storedBytes: last?.storedBytes ?? 0,
      chunks: this.chunks.chunks,
      primary: this.roles && this.chunks.countIn(this.roles.primary),
      replica: this.roles && this.chunks.countIn(this.roles.replica),
      peers: this.peers,
      problems: status?.problems ?? [],
    }
  }

  /** Undefined while it does not answer, or somebody else does. */
  private async readStatus(): Promise<StatusAnswer | undefined> {
    try {
      const answer = await fetch(`${this.apiUrl}/v1/status`, { signal: AbortSignal.timeout(STATUS_TIMEOUT_MS) })
      const status = (await answer.json()) as StatusAnswer
      return status.pid === this.process.pid ? status : undefined
    } catch {
      return undefined
    }
  }

  /** Of new periods, and of the newest before them: the index follows the archive, not always in order. One at a time. */
  private async countChunks({ first, last }: { readonly first: Period; readonly last: Period }): Promise<void> {
    if (this.isCounting) return
    // Older periods are filled in below those that came first, or let go: all is counted again then.
    const isKnown = first === this.countedFrom && this.looksLeft > 0
    const from = isKnown ? Math.max(first, this.countedTo - RECOUNTED_PERIODS) : first
    this.isCounting = true
    this.looksLeft = isKnown ? this.looksLeft - 1 : LOOKS_PER_RECOUNT
    try {
      const ids = new Map<Period, string[]>()
      for (const answer of await this.query({ kind: 'list-chunks', from, to: last, prefixHex: '' })) {
        if (!answer.row) continue
        const { period, chunkId } = answer.row as { readonly period: Period; readonly chunkId: string }
        const known = ids.get(period)
        if (known) known.push(chunkId)
        else ids.set(period, [chunkId])
      }
      const chunks = isKnown ? this.chunks : new ChunkTally()
      for (const [period, chunkIds] of ids) chunks.put(period, chunkIds)
      this.chunks = chunks
      this.countedFrom = first
      this.countedTo = last
    } catch {
      // Counted at the next look.
    } finally {
      this.isCounting = false
    }
  }

  /** Once for each table that comes into force. */
  private async readRoles(era: number | undefined): Promise<void> {
    if (era === this.roles?.era) return
    try {
      const [answer] = await this.query({ kind: 'own-roles' })
      const { era: ofEra, primary, replica } = (answer?.result ?? {}) as Partial<RolesAnswer>
      this.roles = ofEra === undefined || !primary || !replica ? undefined : { era: ofEra, primary, replica }
    } catch {
      // Read at the next look.
    }
  }

  /** Undefined where it meets none; a sidecar that does not answer has those that it had. */
  private async countPeers(): Promise<number | undefined> {
    try {
      const answer = await fetch(`${this.apiUrl}/v1/peers`, { signal: AbortSignal.timeout(STATUS_TIMEOUT_MS) })
      if (!answer.ok) return undefined
      const { peers } = (await answer.json()) as { readonly peers: readonly { readonly connected: boolean }[] }
      return peers.filter(({ connected }) => connected).length
    } catch {
      return this.peers
    }
  }

  private async query(request: object): Promise<{ readonly row?: object; readonly result?: object }[]> {
    const answer = await fetch(`${this.apiUrl}/v1/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(STATUS_TIMEOUT_MS),
    })
    const lines = (await answer.text()).split('\n').filter((line) => line !== '')
    return lines.map((line) => JSON.parse(line) as object)
  }
}
