import type { Clock } from '../../core/index.ts'
import { callLocalApi } from '../local-api.ts'
import type { NodeReport, Speed } from '../node/process/node-process.ts'

const LOOK_MS = 50
const REPORT_TIMEOUT_MS = 5_000

/** Where a devnet node is. */
export interface NodeAccess {
  /** Of its control. */
  readonly url: string
  readonly token: string
  readonly grpcPort: number
  readonly jsonRpcPort: number
}

/** What most of a network needs of its node. */
export type NodeCalls = Pick<NodeLink, 'call' | 'report'>

/** The devnet node from outside: its control and its JSON-RPC. */
export class NodeLink {
  private at: NodeAccess
  private readonly clock: Clock

  constructor(at: NodeAccess, clock: Clock) {
    this.at = at
    this.clock = clock
  }

  get grpcUrl(): string {
    return `127.0.0.1:${this.at.grpcPort}`
  }

  get jsonRpcUrl(): string {
    return `http://127.0.0.1:${this.at.jsonRpcPort}`
  }

  /** From now on it is there. */
  moveTo(at: NodeAccess): void {
    this.at = at
  }

  /** @throws ArchiveError DEVNET_NOT_RUNNING, DEVNET_NO_ANSWER */
  async report(timeoutMs = REPORT_TIMEOUT_MS): Promise<NodeReport> {
    return (await callLocalApi(this.at, 'GET /control', { timeoutMs })) as NodeReport
  }

  /** The node's report; undefined while it does not answer. */
  async tryReport(timeoutMs = REPORT_TIMEOUT_MS): Promise<NodeReport | undefined> {
    return this.report(timeoutMs).catch(() => undefined)
  }

  /** An order of docs/DEVNET.md, Control. */
  async order(command: string, body: object = {}): Promise<void> {
    await callLocalApi(this.at, `POST /control/${command}`, { body })
  }

  setSpeed(speed: Speed): Promise<void> {
    return this.order('speed', { speed })
  }

  /** Resolves with its first report that suits. */
  async waitFor(suits: (report: NodeReport) => boolean, signal: AbortSignal): Promise<NodeReport> {
    for (;;) {
      const report = await this.tryReport()
      if (report && suits(report)) return report
      signal.throwIfAborted()
      await this.clock.sleep(LOOK_MS, signal)
    }
  }

  /**
   * One call of the JSON-RPC.
   *
   * @throws Error with the node's text
   */
  async call(method: string, params: readonly unknown[]): Promise<unknown> {
    const answer = await fetch(this.jsonRpcUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      signal: AbortSignal.timeout(5_000),
    })
    const { result, error } = (await answer.json()) as { result?: unknown; error?: { message: string } }
    if (error) throw new Error(error.message)
    return result
  }
}
