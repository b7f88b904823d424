import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import type { BlockIdText, Period } from '../../core/index.ts'
import { systemClock } from '../../daemon/system-clock.ts'
import type { NodeReport } from '../../devnet/node/index.ts'
import { choosePorts } from '../../devnet/up/free-ports.ts'
import { CONTROL_TOKEN_ENV } from '../../devnet/up/index.ts'
import { GrpcCaller } from '../devnet/grpc-caller.ts'
import { type CliResult, type RunningCli, startCli } from './run-cli.ts'

const TOKEN = 'watched'
const LIMIT_MS = 240_000
const LOOK_MS = 20
/** Of whoever asks: a busy machine is no fault of who answers. */
const PATIENCE_MS = 60_000
const CALL_TIMEOUT_MS = 500

/** What listens, and where. */
export interface WatchedPorts {
  readonly grpc: number
  readonly 'json-rpc': number
  readonly control: number
  readonly api: number
  readonly metrics: number
}

interface SidecarStatus {
  readonly archived: { readonly first: Period; readonly last: Period } | null
  /** Gaps, blocks in quarantine and the like. */
  readonly problems: readonly string[]
  readonly nodes: readonly { readonly mode: string }[]
}

/** A devnet node in turbo and a sidecar that archives it, each a process of its own. */
export class WatchedNode {
  readonly ports: WatchedPorts
  readonly node: RunningCli
  readonly sidecar: RunningCli

  private constructor(ports: WatchedPorts, node: RunningCli, sidecar: RunningCli) {
    this.ports = ports
    this.node = node
    this.sidecar = sidecar
  }

  /** @param cwd - an empty directory */
  static async start(cwd: string): Promise<WatchedNode> {
    const names = ['grpc', 'json-rpc', 'control', 'api', 'metrics'] as const
    const chosen = await choosePorts(
      names.map((purpose) => ({ purpose, port: 0 })),
      true,
    )
    const ports = Object.fromEntries(names.map((name, i) => [name, chosen[i] ?? 0])) as unknown as WatchedPorts
    const node = startCli(
      [
        ...['devnet', 'node', '--speed', 'turbo', '--endorsements', '1', '--data-dir', 'node'],
        ...['--grpc-port', `${ports.grpc}`, '--json-rpc-port', `${ports['json-rpc']}`],
        ...['--control-port', `${ports.control}`],
      ],
      { cwd, env: { [CONTROL_TOKEN_ENV]: TOKEN }, limitMs: LIMIT_MS },
    )
    await node.waitFor('control at')
    const { genesisTimestampMs } = JSON.parse((await ask(ports.control, 'GET /control')).text) as NodeReport
    const sidecar = startCli(['start', '--log-format', 'json'], {
      cwd,
      env: {
        MASSA_STORAGE_ENABLED: 'true',
        MASSA_STORAGE_DATA_DIR: 'archive',
        MASSA_STORAGE_NODE__GRPC_URLS: `127.0.0.1:${ports.grpc}`,
        MASSA_STORAGE_NODE__CHAIN_ID: '77',
        MASSA_STORAGE_NODE__GENESIS_TIMESTAMP_MS: `${genesisTimestampMs}`,
        MASSA_STORAGE_NODE__POLL_INTERVAL_MS: '100',
        MASSA_STORAGE_NODE__CALL_TIMEOUT_MS: `${CALL_TIMEOUT_MS}`,
        MASSA_STORAGE_API__BIND: `127.0.0.1:${ports.api}`,
        MASSA_STORAGE_METRICS__BIND: `127.0.0.1:${ports.metrics}`,
        MASSA_STORAGE_STORE__BALLAST_BYTES: '1048576',
      },
      limitMs: LIMIT_MS,
    })
    await sidecar.waitFor('"msg":"archived period"')
    return new WatchedNode(ports, node, sidecar)
  }

  /** How both ended. */
  async stop(): Promise<{ readonly node: CliResult; readonly sidecar: CliResult }> {
    this.sidecar.child.kill('SIGTERM')
    const sidecar = await this.sidecar.ended
    this.node.child.kill('SIGTERM')
    return { node: await this.node.ended, sidecar }
  }

  async report(): Promise<NodeReport> {
    return JSON.parse((await this.ask('control', 'GET /control')).text) as NodeReport
  }

  /** An order of docs/DEVNET.md, Control. */
  async order(name: string, body: object = {}): Promise<void> {
    const { code, text } = await this.ask('control', `POST /control/${name}`, JSON.stringify(body))
    assert.equal(code, 200, text)
  }

  async status(): Promise<SidecarStatus> {
    const answer = await this.ask('api', 'GET /v1/status')
    assert.equal(answer.code, 200)
    return JSON.parse(answer.text) as SidecarStatus
  }

  /** Sum of the metrics of the sidecar whose line begins so. */
  async readMetric(start: string): Promise<number> {
    const { text } = await this.ask('metrics', 'GET /metrics')
    const lines = text.split('\n').filter((line) => line.startsWith(`massa_storage_${start}`))
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  }

  /** Everybody answers who comes now, on a connection of his own. */
  async checkServes(): Promise<void> {
    const caller = new GrpcCaller(`127.0.0.1:${this.ports.grpc}`)
    try {
      await Promise.all([
        caller.call('GetStatus', undefined, PATIENCE_MS),
        ...Object.entries(GOOD_REQUESTS).map(async ([port, good]) => {
          const { code } = await this.ask(port as keyof WatchedPorts, good.route, good.body)
          assert.equal(code, 200, port)
        }),
      ])
    } finally {
      caller.close()
    }
  }

  /** The sidecar archives periods that became final after this was asked. */
  async checkArchivesOn(): Promise<void> {
    const { finalSlot } = await this.report()
    await this.until(async () => ((await this.status()).archived?.last ?? -1) > finalSlot.period)
  }

  /** By thread; undefined where the archive has none. */
  async readArchivedBlocks(period: Period): Promise<(BlockIdText | undefined)[]> {
    const { text } = await this.ask('api', 'POST /v1/query', JSON.stringify({ kind: 'inspect-period', period }))
    const { result } = JSON.parse(text.trim().split('\n').at(-1) ?? '') as {
      result: { slots: { blockId?: BlockIdText }[] } | null
    }
    assert(result, `period ${period} is not archived`)
    return result.slots.map(({ blockId }) => blockId)
  }

  /** Of the whole archive. */
  async findDamages(): Promise<readonly object[]> {
    const body = JSON.stringify({ kind: 'verify', deep: true, repair: false })
    const { text } = await this.ask('api', 'POST /v1/query', body)
    const { result } = JSON.parse(text.trim().split('\n').at(-1) ?? '') as { result: { damages: object[] } }
    return result.damages
  }

  /** Sockets that both processes have open. */
  countSockets(): number {
    return [this.node, this.sidecar].reduce((sum, { child }) => sum + countSocketsOf(child.pid), 0)
  }

  /** Resident, of the node; 0 where the system does not show it. */
  readNodeMegabytes(): number {
    const file = `/proc/${this.node.child.pid}/status`
    if (!existsSync(file)) return 0
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(file, 'utf8'))?.[1]) / 1_000
  }

  async until(holds: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await holds())) await systemClock.sleep(LOOK_MS)
  }

  /** @param route - `METHOD /path` */
  ask(port: keyof WatchedPorts, route: string, body?: string): Promise<HttpAnswer> {
    return ask(this.ports[port], route, body)
  }
}

export const GOOD_REQUESTS = {
  'json-rpc': { route: 'POST /', body: '{"jsonrpc":"2.0","id":1,"method":"get_status"}' },
  control: { route: 'GET /control', body: '' },
  api: { route: 'GET /v1/status', body: '' },
  metrics: { route: 'GET /metrics', body: '' },
} as const

interface HttpAnswer {
  readonly code: number
  readonly text: string
}

/** On a connection of its own, which ends with the answer. */
function ask(port: number, route: string, body = ''): Promise<HttpAnswer> {
  const [method, path] = route.split(' ')
  const headers = {
    authorization: `Bearer ${TOKEN}`,
    ...(body === '' ? {} : { 'content-type': 'application/json' }),
  }
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, method, path, headers, agent: false })
    asked.once('error', reject)
    asked.once('response', (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (part) => {
        text += part
      })
      answer.once('end', () => resolve({ code: answer.statusCode ?? 0, text }))
    })
    asked.end(body)
  })
}

function countSocketsOf(pid: number | undefined): number {
  const directory = `/proc/${pid}/fd`
  // Other systems do not show them.
  if (!existsSync(directory)) return 0
  return readdirSync(directory).filter((name) => isSocket(join(directory, name))).length
}

function isSocket(path: string): boolean {
  try {
    return readlinkSync(path).startsWith('socket:')
  } catch {
    // Closed since.
    return false
  }
}
