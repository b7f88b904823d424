import assert from 'node:assert/strict'
import { type Clock, type Period, parseAddress, THREAD_COUNT } from '../../core/index.ts'
import { callLocalApi } from '../local-api.ts'
import type { NodeReport, Speed } from '../node/process/node-process.ts'
import { findRunning } from '../up/find-running.ts'
import type { NetworkDescription, RunningNetwork } from '../up/network-files.ts'
import type { NetworkReport } from '../up/network-report.ts'
import { NodeLink } from '../up/node-link.ts'
import type { SidecarReport } from '../up/sidecar.ts'
import { makeTrafficSenders } from '../up/traffic.ts'

const LOOK_MS = 100
const LOOKS_WHILE_PAUSED = 20
/** Nothing in a scenario takes so long at this speed or above, on the slowest machine. */
const PATIENCE_MS = 120_000
const PATIENCE_SPEED = 8
const NEVER = new AbortController().signal

/** A period as a sidecar shows it. */
export interface ArchivedView {
  readonly root: string
  readonly blocks: number
  readonly slots: readonly { readonly thread: number; readonly kind: string }[]
}

/** A running network from outside: what a scenario sees and does. */
export class Stage {
  readonly link: NodeLink
  private readonly running: RunningNetwork
  private readonly description: NetworkDescription
  private readonly clock: Clock
  private readonly signal: AbortSignal
  private speed: Speed = 'turbo'

  private constructor(parts: {
    running: RunningNetwork
    description: NetworkDescription
    clock: Clock
    signal: AbortSignal
  }) {
    this.running = parts.running
    this.description = parts.description
    this.clock = parts.clock
    this.signal = parts.signal
    this.link = new NodeLink(parts.running.node, parts.clock)
  }

  /**
   * @param signal - ends what waits, with an AbortError
   * @throws ArchiveError DEVNET_NOT_RUNNING
   */
  static async open(directory: string | undefined, clock: Clock, signal: AbortSignal = NEVER): Promise<Stage> {
    const { running, files } = await findRunning(directory)
    const description = files.readDescription()
    assert(description, 'the running network has no description')
    return new Stage({ running, description, clock, signal })
  }

  async report(): Promise<NetworkReport> {
    return (await callLocalApi(this.running, 'GET /network')) as NetworkReport
  }

  node(): Promise<NodeReport> {
    return this.link.report()
  }

  /** `kill`, `pause` or `resume` of the node or a sidecar. */
  async order(order: 'kill' | 'pause' | 'resume', name: string): Promise<void> {
    await callLocalApi(this.running, `POST /${order}`, { body: { name } })
  }

  /** Looks until it holds: a few periods of chain time, however long they take. */
  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    this.speed = (await this.link.tryReport())?.speed ?? this.speed
    const slowness = this.speed === 'turbo' ? 1 : Math.max(1, PATIENCE_SPEED / this.speed)
    const deadlineMs = this.clock.monotonicMs() + PATIENCE_MS * slowness
    // A node or sidecar that was just killed does not answer: it is asked again.
    while (!(await holds().catch(() => false))) {
      this.signal.throwIfAborted()
      assert(this.clock.monotonicMs() < deadlineMs, `in vain: ${what}`)
      await this.clock.sleep(LOOK_MS, this.signal)
    }
  }

  /** Every slot before this period's end is final. */
  async untilFinal(period: Period): Promise<void> {
    await this.until(`period ${period} is final`, async () => (await this.node()).finalSlot.period > period)
  }

  /** Whether the node still has a block of a period whose slots are made. */
  async isRemembered(period: Period): Promise<boolean> {
    for (let thread = 0; thread < THREAD_COUNT; thread++) {
      if (await this.link.call('get_blockclique_block_by_slot', [{ period, thread }])) return true
    }
    return false
  }

  /** Every sidecar has archived up to this period. */
  async untilArchived(period: Period): Promise<void> {
    await this.until(`period ${period} is archived by every sidecar`, () => this.isArchived(period))
  }

  /**
   * The chain stands still, and every sidecar has archived what is final. Not at any moment: of a slot that was missed
   * nobody knows before a later block of its thread is final.
   */
  async pauseCaughtUp(): Promise<void> {
    await this.until('every sidecar is up to date while the chain stands still', async () => {
      await this.link.order('pause')
      let isCaughtUp = false
      try {
        const { finalSlot } = await this.node()
        for (let look = 0; look < LOOKS_WHILE_PAUSED && !isCaughtUp; look++) {
          await this.clock.sleep(LOOK_MS, this.signal)
          isCaughtUp = await this.isArchived(finalSlot.period - 1)
        }
      } finally {
        if (!isCaughtUp) await this.link.order('resume')
      }
      return isCaughtUp
    })
  }

  /** The first period none of whose slots was made yet. */
  async nextPeriod(): Promise<Period> {
    return (await this.node()).lastSlot.period + 1
  }

  async inspect(sidecar: SidecarReport, period: Period): Promise<ArchivedView> {
    const view = await this.find(sidecar, period)
    assert(view, `${sidecar.name} lacks period ${period}`)
    return view
  }

  /** Where an operation stands in the archive; undefined when it is in none. */
  async findOperation(sidecar: SidecarReport, id: string): Promise<object | undefined> {
    const [result] = await this.query<object>(sidecar, { kind: 'inspect-operation', id })
    return result
  }

  /**
   * All who have a period have it under the same root, and each verifies what it has.
   *
   * @param isWhole - and all of them have it
   */
  async checkArchives(from: Period, to: Period, isWhole = true): Promise<void> {
    const { sidecars } = await this.report()
    for (let period = from; period <= to; period++) {
      const views = await Promise.all(sidecars.map((sidecar) => this.find(sidecar, period)))
      const roots = views.flatMap((view) => view?.root ?? [])
      if (isWhole) assert.equal(roots.length, sidecars.length, `not every sidecar has period ${period}`)
      assert.equal(new Set(roots).size, 1, `roots of period ${period}: ${roots.join(', ')}`)
    }
    for (const sidecar of sidecars) {
      const request = { kind: 'verify', deep: false, repair: false }
      const [found] = await this.query<{ readonly damages: readonly unknown[] }>(sidecar, request)
      assert.deepEqual(found?.damages, [], `damage at ${sidecar.name}`)
    }
  }

  /** Sends calls to the registry, each from the next sender. @returns their ids */
  async callContract(functionNames: readonly string[]): Promise<string[]> {
    const { seed, chainId, registryAddress } = this.description
    assert(registryAddress, 'no registry is deployed')
    const target = parseAddress(registryAddress)
    const senders = makeTrafficSenders(seed, BigInt(chainId))
    const ids: string[] = []
    for (const [i, functionName] of functionNames.entries()) {
      const { lastSlot } = await this.node()
      const sender = senders[i % senders.length]
      assert(sender)
      // Amounts that the background traffic never uses: no operation is that of another scenario.
      const coinsNanoMas = 7_000_000n + BigInt(lastSlot.period * 100 + i)
      const body = { kind: 'call-sc', maxGas: 50_000_000n, coinsNanoMas, target, functionName } as const
      ids.push(await sender.send(this.link, lastSlot.period, { ...body, parameter: new Uint8Array(0) }))
    }
    return ids
  }

  /** Every operation is executed. @returns by id, whether it succeeded */
  async untilExecuted(ids: readonly string[]): Promise<ReadonlyMap<string, boolean>> {
    const successes = new Map<string, boolean>()
    await this.until(`${ids.length} operations are executed`, async () => {
      const infos = (await this.link.call('get_operations', [ids])) as { id: string; op_exec_status: boolean | null }[]
      // The last word counts; one that the node has forgotten since has had it.
      for (const { id, op_exec_status: success } of infos) if (success !== null) successes.set(id, success)
      return successes.size === ids.length
    })
    return successes
  }

  private async isArchived(period: Period): Promise<boolean> {
    return (await this.report()).sidecars.every(({ archived }) => archived !== undefined && archived.last >= period)
  }

  private async find(sidecar: SidecarReport, period: Period): Promise<ArchivedView | undefined> {
    return (await this.query<ArchivedView>(sidecar, { kind: 'inspect-period', period }))[0]
  }

  private async query<T>({ apiUrl, name }: SidecarReport, request: object): Promise<T[]> {
    const answer = await fetch(`${apiUrl}/v1/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
    })
    const lines = (await answer.text()).trim().split('\n')
    assert.equal(answer.status, 200, `${name}: ${lines[0]}`)
    return lines.flatMap((line) => {
      const { result } = JSON.parse(line) as { readonly result?: T | null }
      return result ? [result] : []
    })
  }
}
