import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ConfigFlags, makeFolder, renderConfigFile } from '../../config/index.ts'
import type { Clock, Period } from '../../core/index.ts'
import { wrapDiskError } from '../disk-error.ts'
import type { Speed } from '../node/process/node-process.ts'
import { KeptProcess, type ProcessState } from './kept-process.ts'
import { chooseSidecarPorts, type SidecarPorts } from './network-ports.ts'
import type { NodeLink } from './node-link.ts'
import type { Program } from './program.ts'

/** Its own limit is 9.5 s. */
const STOP_LIMIT_MS = 10_000
const STATUS_TIMEOUT_MS = 2_000
const RECOUNTED_PERIODS = 64
/** 64 MiB for a full disk are for an archive of worth. */
const BALLAST_BYTES = 1_048_576

/** Where a sidecar and the operator's commands for it find everything. */
export interface PlaceOptions {
  readonly directory: string
  readonly link: NodeLink
  readonly chainId: bigint
  readonly genesisTimestampMs: number
  readonly registryAddress?: string | undefined
  readonly speed: Speed
  readonly ports?: SidecarPorts | undefined
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
  readonly problems: readonly string[]
}

interface StatusAnswer {
  readonly pid: number
  readonly archived: { readonly first: Period; readonly last: Period } | null
  readonly lagPeriods?: number
  readonly gaps: readonly unknown[]
  readonly storedBytes: number
  readonly problems: readonly string[]
}

/** Writes the configuration that a directory's commands and its sidecar share; ports and addresses may be new in each run. */
export function writePlace(options: PlaceOptions): string {
  const { directory, link, chainId, genesisTimestampMs, registryAddress, speed, ports } = options
  const settings: ConfigFlags = {
    'node.poll_interval_ms': computePollInterval(speed),
    'contract.json_rpc_url': link.jsonRpcUrl,
    'contract.key_file': walletOf(directory),
    'store.ballast_bytes': BALLAST_BYTES,
    'cpu.threads': 1,
    ...(registryAddress === undefined ? {} : { storage_registry_address: registryAddress }),
    ...(ports ? { 'api.bind': `127.0.0.1:${ports.api}`, 'metrics.bind': `127.0.0.1:${ports.metrics}` } : {}),
  }
  const text = renderConfigFile({
    enabled: true,
    grpcUrls: [link.grpcUrl],
    network: { chainId, genesisTimestampMs: BigInt(genesisTimestampMs) },
    dataDir: join(directory, 'data'),
    allocatedStorageGb: 1,
    retentionPeriods: 0,
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

export function configOf(directory: string): string {
  return join(directory, 'config.toml')
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
  /** Of each period. */
  private readonly chunks = new Map<Period, number>()
  private countedTo: Period = -1
  private countedFrom: Period = Number.POSITIVE_INFINITY
  private isCounting = false
  /** What it said last: shown while it stands still or starts again. */
  private lastStatus: StatusAnswer | undefined

  constructor(
    options: {
      readonly name: string
      readonly address: string
      readonly isRegistered: boolean
      readonly place: PlaceOptions
      readonly log: string
      readonly ports: SidecarPorts
      /** Where somebody has got these before it could. */
      readonly takesOtherPorts: boolean
    },
    modules: { readonly program: Program; readonly clock: Clock },
  ) {
    this.address = options.address
    this.isRegistered = options.isRegistered
    this.ports = options.ports
    const { place, name, takesOtherPorts } = options
    writePlace({ ...place, ports: this.ports })
    this.process = new KeptProcess(
      {
        name,
        args: async () => {
          const ports = await chooseSidecarPorts(name, this.ports, takesOtherPorts)
          const hasMoved = ports.api !== this.ports.api || ports.metrics !== this.ports.metrics
          if (hasMoved) writePlace({ ...place, ports })
          this.ports = ports
          return ['start', '--with-parent', '--config', configOf(place.directory), '--log-format', 'human']
        },
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

  get apiUrl(): string {
    return `http://127.0.0.1:${this.ports.api}`
  }

  async report(): Promise<SidecarReport> {
    const { process, address, apiUrl, isRegistered } = this
    const { state, pid, restarts, lastEnd } = process
    const status = state === 'running' ? await this.readStatus() : undefined
    if (status?.archived) await this.countChunks(status.archived)
    if (status) this.lastStatus = status
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
      chunks: [...this.chunks.values()].reduce((sum, count) => sum + count, 0),
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
    // Older periods are filled in below those that came first: all is counted again then.
    const isKnown = first >= this.countedFrom
    const from = isKnown ? Math.max(first, this.countedTo - RECOUNTED_PERIODS) : first
    this.isCounting = true
    try {
      const answer = await fetch(`${this.apiUrl}/v1/query`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ kind: 'list-chunks', from, to: last, prefixHex: '' }),
        signal: AbortSignal.timeout(STATUS_TIMEOUT_MS),
      })
      const counts = new Map<Period, number>()
      for (const line of (await answer.text()).split('\n')) {
        if (!line.startsWith('{"row"')) continue
        const { period } = (JSON.parse(line) as { readonly row: { readonly period: Period } }).row
        counts.set(period, (counts.get(period) ?? 0) + 1)
      }
      for (const [period, count] of counts) this.chunks.set(period, count)
      this.countedFrom = first
      this.countedTo = last
    } catch {
      // Counted at the next look.
    } finally {
      this.isCounting = false
    }
  }
}
