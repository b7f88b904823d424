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
/** Misses in a row at which a network may begin, in any thread. */
const MAX_UNLINKED_PERIODS = 16
/** A joiner waits for the next placement, an empty disk for all that it is to hold: eras, not periods. */
const LONG_PATIENCE_MS = 900_000
const PREPARING_MS = 300_000
const NEVER = new AbortController().signal

/** A period as a sidecar shows it. */
export interface ArchivedView {
  readonly root: string
  readonly blocks: number
  readonly slots: readonly { readonly thread: number; readonly kind: string }[]
}

/** How the chunks of the network stand, as far as one sidecar hears. */
export interface ClusterView {
  readonly replicas: number
  readonly chunks: {
    readonly total: number
    readonly under: number
    readonly unowed: number
    readonly nobody: number
    readonly pastRetention: number
  }
  readonly nodes: readonly {
    readonly address: string
    readonly state: string
    readonly isRegistered: boolean
    readonly retentionPeriods: number | null
    readonly assigned: number
    readonly lacking: number
  }[]
  readonly keepers: { readonly count: number }
}

export interface StageOptions {
  /** Ends what waits, with an AbortError. */
  readonly signal?: AbortSignal
  /** Is told what was done to the network, and what was waited for once it is so, where that takes minutes. */
  readonly onStep?: (step: string) => void
}

/** A running network from outside: what a scenario sees and does. */
export class Stage {
  readonly link: NodeLink
  private readonly running: RunningNetwork
  private readonly description: NetworkDescription
  private readonly clock: Clock
  private readonly signal: AbortSignal
  private readonly tell: (step: string) => void
  private speed: Speed = 'turbo'

  private constructor(
    parts: { running: RunningNetwork; description: NetworkDescription; clock: Clock },
    { signal = NEVER, onStep = () => {} }: StageOptions,
  ) {
    this.running = parts.running
    this.description = parts.description
    this.clock = parts.clock
    this.signal = signal
    this.tell = onStep
    this.link = new NodeLink(parts.running.node, parts.clock)
  }

  /** @throws ArchiveError DEVNET_NOT_RUNNING */
  static async open(directory: string | undefined, clock: Clock, options: StageOptions = {}): Promise<Stage> {
    const { running, files } = await findRunning(directory)
    const description = files.readDescription()
    assert(description, 'the running network has no description')
    return new Stage({ running, description, clock }, options)
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

  /** Kills a sidecar, and leaves it dead. */
  async kill(name: string): Promise<void> {
    await callLocalApi(this.running, 'POST /kill', { body: { name, isToStay: true } })
    this.tell(`${name} is killed`)
  }

  /** Starts one that is dead, on an empty disk. */
  async startEmpty(name: string): Promise<void> {
    await this.until(`${name} is dead`, async () => (await this.find(name)).state === 'dead')
    await callLocalApi(this.running, 'POST /start', { body: { name, isEmpty: true } })
    this.tell(`${name} is started with an empty disk`)
  }

  /** @param retentionPeriods - that the new sidecar keeps; @returns its name */
  async add(retentionPeriods: number): Promise<string> {
    const request = { body: { retentionPeriods }, timeoutMs: PREPARING_MS }
    const { name } = (await callLocalApi(this.running, 'POST /add', request)) as { name: string }
    this.tell(`${name} is added`)
    return name
  }

  async remove(name: string): Promise<void> {
    await callLocalApi(this.running, 'POST /remove', { body: { name } })
    this.tell(`${name} is removed`)
  }

  async find(name: string): Promise<SidecarReport> {
    const sidecar = (await this.report()).sidecars.find((each) => each.name === name)
    assert(sidecar, `there is no ${name}`)
    return sidecar
  }

  /** Nothing passes any more between these sidecars and the others: connections stay, what is sent is lost. */
  async part(names: readonly string[]): Promise<void> {
    await callLocalApi(this.running, 'POST /part', { body: { names } })
    this.tell(`${names.join(', ')} parted from the others`)
  }

  async join(): Promise<void> {
    await callLocalApi(this.running, 'POST /join')
    this.tell('joined again')
  }

  /** Holds what the nodes say they hold against the placement in force. */
  async checkCluster({ name }: SidecarReport): Promise<ClusterView> {
    // Since it was reported it may have come back at another port.
    const [view] = await this.query<ClusterView>(await this.find(name), { kind: 'cluster-check' })
    assert(view, `${name} has nothing to check`)
    return view
  }

  /** Sidecars that the placement in force knows, and that keep for ever. */
  async listKeepers(): Promise<SidecarReport[]> {
    const { sidecars } = await this.report()
    const [first] = sidecars
    assert(first, 'there is no sidecar')
    let keepers: SidecarReport[] = []
    await this.untilLong('a placement with nodes is in force', async () => {
      const { nodes } = await this.checkCluster(first)
      const known = nodes.flatMap(({ address, retentionPeriods: kept }) => (kept === 0 ? [address] : []))
      keepers = sidecars.filter(({ address }) => known.includes(address))
      return keepers.length > 0
    })
    return keepers
  }

  /**
   * Every chunk that a sidecar knows has its copies, as it hears: all but those of the oldest periods of the network. What
   * stands before these is with nobody, so who lost them finds nobody who can prove them.
   */
  async untilAtFloor(sidecar: SidecarReport): Promise<ClusterView> {
    let last: ClusterView | undefined
    const what = () => `all chunks that ${sidecar.name} knows have their copies; ${describeThin(last)}`
    await this.untilLong(what, async () => {
      last = await this.checkCluster(sidecar)
      const { total, under, unowed } = last.chunks
      return total > 0 && unowed === 0 && under <= (await this.countUnlinked(sidecar, last))
    })
    assert(last)
    return last
  }

  /** Oldest periods of a sidecar that others, who keep for ever too, could not fetch. On a devnet a period is one chunk. */
  private async countUnlinked({ name }: SidecarReport, { nodes }: ClusterView): Promise<number> {
    const { sidecars } = await this.report()
    const forEver = new Set(nodes.flatMap(({ address, retentionPeriods }) => (retentionPeriods === 0 ? [address] : [])))
    const first = (await this.find(name)).archived?.first ?? 0
    const firsts = sidecars.flatMap(({ address, archived }) => (forEver.has(address) ? (archived?.first ?? []) : []))
    const latest = Math.max(first, ...firsts)
    return latest - first <= MAX_UNLINKED_PERIODS ? latest - first : 0
  }

  /** A sidecar knows that others are gone. */
  async untilAway(sidecar: SidecarReport, others: readonly SidecarReport[]): Promise<void> {
    await this.untilLong(`${sidecar.name} misses ${others.map(({ name }) => name).join(', ')}`, async () => {
      const states = new Map((await this.checkCluster(sidecar)).nodes.map(({ address, state }) => [address, state]))
      return others.every(({ address }) => states.get(address) === 'away')
    })
  }

  /** A sidecar has everything from a period on, but for the oldest of the network. @returns the first that it has */
  async untilRefilled({ name }: SidecarReport, period: Period): Promise<Period> {
    let first = Number.POSITIVE_INFINITY
    await this.untilLong(`${name} has all from period ${period} on`, async () => {
      const { archived, gaps } = await this.find(name)
      first = archived?.first ?? first
      return gaps === 0 && first <= period + MAX_UNLINKED_PERIODS
    })
    return first
  }

  /** As `until`, for what takes eras. @param what - asked when it is in vain, too */
  async untilLong(what: string | (() => string), holds: () => Promise<boolean>): Promise<void> {
    const say = typeof what === 'string' ? () => what : what
    await this.lookUntil(say, holds, LONG_PATIENCE_MS)
    this.tell(say())
  }

  /** Looks until it holds: a few periods of chain time, however long they take. */
  async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    await this.lookUntil(() => what, holds, PATIENCE_MS)
  }

  private async lookUntil(what: () => string, holds: () => Promise<boolean>, patienceMs: number): Promise<void> {
    this.speed = (await this.link.tryReport())?.speed ?? this.speed
    const slowness = this.speed === 'turbo' ? 1 : Math.max(1, PATIENCE_SPEED / this.speed)
    const deadlineMs = this.clock.monotonicMs() + patienceMs * slowness
    // A node or sidecar that was just killed does not answer: it is asked again.
    while (!(await holds().catch(() => false))) {
      this.signal.throwIfAborted()
      assert(this.clock.monotonicMs() < deadlineMs, `in vain: ${what()}`)
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
    const view = await this.findPeriod(sidecar, period)
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
    this.tell(`comparing the roots of periods ${from} to ${to}, and verifying archives`)
    for (let period = from; period <= to; period++) {
      const views = await Promise.all(sidecars.map((sidecar) => this.findPeriod(sidecar, period)))
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

  private async findPeriod(sidecar: SidecarReport, period: Period): Promise<ArchivedView | undefined> {
    return (await this.query<ArchivedView>(sidecar, { kind: 'inspect-period', period }))[0]
  }

  private async query<T>({ apiUrl, name }: SidecarReport, request: object): Promise<T[]> {
    const answer = await post(`${apiUrl}/v1/query`, request)
    const lines = (await answer.text()).trim().split('\n')
    assert.equal(answer.status, 200, `${name}: ${lines[0]}`)
    return lines.flatMap((line) => {
      const { result } = JSON.parse(line) as { readonly result?: T | null }
      return result ? [result] : []
    })
  }
}

function post(url: string, body: object): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

function describeThin(view: ClusterView | undefined): string {
  if (!view) return 'it could not say'
  const { total, under, nobody } = view.chunks
  return `${under} of ${total} have too few, ${nobody} none`
}
