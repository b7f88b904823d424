import { ArchiveError, type Clock } from '../../core/index.ts'
import type { NodeReport, Speed } from '../node/process/node-process.ts'
import { despiteNode } from './despite-node.ts'
import { EarningsReader } from './earnings-reader.ts'
import { waitForFinalCall } from './final-call.ts'
import { isPassing } from './free-ports.ts'
import { KeptDescription } from './kept-description.ts'
import { KeptProcess, type ProcessOrder } from './kept-process.ts'
import { makeToken, type NetworkFiles, type RegistryParams, type SidecarDescription } from './network-files.ts'
import { NetworkPlaces } from './network-places.ts'
import { chooseNetworkPorts, firstPortsOf, type NetworkPorts, type SidecarPorts } from './network-ports.ts'
import type { NetworkReport } from './network-report.ts'
import { type NodeAccess, NodeLink } from './node-link.ts'
import { nameSidecars, OperatorSteps } from './operator-steps.ts'
import { PeerPlaces } from './peer-places.ts'
import { CONTROL_TOKEN_ENV, type Program } from './program.ts'
import { checkSidecarCount } from './registry-params.ts'
import { type PlaceOptions, Sidecar } from './sidecar.ts'
import { checkSidecarPrograms, type SidecarPrograms } from './sidecar-programs.ts'
import { makeTrafficSenders, Traffic } from './traffic.ts'
import { ENDING_LIMIT_MS, waitForPorts } from './wait-for-ports.ts'

/** A deployment is final after 64 s of chain time: nobody is to wait for that at normal speed. */
const LEAST_SETUP_SPEED = 8
/** Longer than setting up takes at that speed: a chain at speed 1 has caught up with the clock soon after. */
const SETUP_CHAIN_MS = 900_000
const NODE_READY_MS = 60_000
const SIDECARS_READY_MS = 60_000
const NODE_STOP_LIMIT_MS = 4_000
/** Whoever looks at the network waits no longer for a node that stands still. */
const NODE_LOOK_MS = 1_000
export const MAX_SIDECARS = 32
export interface NetworkOptions {
  readonly sidecars: number
  readonly speed: Speed
  readonly autoPorts: boolean
  /** Links between sidecars pass through this process, and can be cut. */
  readonly isCuttable?: boolean
  /** Further arguments for the node, such as windows of memory. */
  readonly nodeArguments?: readonly string[]
  /** Of sidecars that run something else than we do. */
  readonly sidecarPrograms?: SidecarPrograms
  readonly seed?: string
  /** Of a new network, or of this one: settings of its registry other than the usual ones. */
  readonly registryParams?: RegistryParams
}

export interface NetworkModules {
  readonly files: NetworkFiles
  readonly program: Program
  readonly clock: Clock
  /** Told of every step that is done, and of what it is waited for before the first one. */
  readonly onStep: (step: StepName, text: string) => void
}

export type StepName = 'ports' | 'node' | 'wallets' | 'registry' | 'sidecars' | 'registered'

/** A chain, its contract and its sidecars: processes that this one starts, watches and ends. */
export class Network {
  readonly link: NodeLink
  private readonly options: NetworkOptions
  private readonly modules: NetworkModules
  private readonly places: NetworkPlaces
  /** Its ports are fixed once others know them. */
  private mayNodeMove = true
  /** Why the node will never get ready. */
  private readonly hopeless = new AbortController()
  private readonly nodeToken = makeToken()
  private readonly stopping = new AbortController()
  private readonly node: KeptProcess
  private readonly sidecars = new Map<string, Sidecar>()
  private readonly operator: OperatorSteps
  private readonly earnings: EarningsReader
  private readonly description: KeptDescription
  private genesisTimestampMs = 0
  private isSettingUp = false
  private isSetUp = false
  private lastNodeReport: NodeReport | undefined
  /** At which it is started, and started again. */
  private nodeSpeed: Speed
  private traffic: Traffic | undefined
  private firstCall: Promise<string> | undefined
  private changing: Promise<unknown> = Promise.resolve()

  private constructor(
    options: NetworkOptions,
    modules: NetworkModules,
    made: { readonly description: KeptDescription; readonly ports: NetworkPorts; readonly peerPlaces: PeerPlaces },
  ) {
    this.options = options
    this.modules = modules
    this.description = made.description
    this.places = new NetworkPlaces(
      made,
      { isCuttable: options.isCuttable ?? false },
      {
        listNames: () => this.description.value.sidecars.map(({ name }) => name),
        currentPorts: (name) => this.sidecars.get(name)?.currentPorts,
        listPids: () => this.listPids(),
      },
    )
    this.link = new NodeLink(this.nodeAccess, modules.clock)
    this.earnings = new EarningsReader({ link: this.link, clock: modules.clock })
    this.operator = new OperatorSteps({
      ...modules,
      description: this.description,
      link: this.link,
      describePlace: (directory) => this.describePlace(directory),
      countNodeEnds: () => this.node.restarts,
    })
    this.nodeSpeed = this.setupSpeed
    this.node = new KeptProcess(this.describeNode(), modules)
  }

  /**
   * The network of the directory, or a new one. Nothing runs yet.
   *
   * @throws ArchiveError DEVNET_DIRECTORY_INVALID, DEVNET_PARAMS_INVALID, DEVNET_PROGRAM_INVALID, DEVNET_PORT_BUSY
   */
  static async open(
    options: NetworkOptions,
    modules: NetworkModules,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<Network> {
    const description = KeptDescription.open(modules.files, options.seed)
    const names = description.isNew
      ? nameSidecars(options.sidecars)
      : description.value.sidecars.map(({ name }) => name)
    if (options.registryParams) {
      checkSidecarCount(options.registryParams, names.length)
      description.keepRegistryParams(options.registryParams)
    }
    checkSidecarPrograms(options.sidecarPrograms ?? new Map(), names)
    const limitMs = modules.files.readRunning() === undefined ? 0 : ENDING_LIMIT_MS
    const peerPlaces = await PeerPlaces.open()
    const hosts = names.map((name) => peerPlaces.hostOf(name))
    const choose = () => chooseNetworkPorts(hosts, options.autoPorts)
    const onWait = (why: string) => modules.onStep('ports', why)
    const ports = await waitForPorts(choose, { limitMs, onWait }, { clock: modules.clock, signal })
    return new Network(options, modules, { description, ports, peerPlaces })
  }

  /** For its own API. */
  get controlPort(): number {
    return this.places.current.control
  }

  /** Where its own are in use. */
  get takesOtherPorts(): boolean {
    return this.options.autoPorts
  }

  /** For the state file: where the node is, and who may order it about. */
  get nodeAccess(): NodeAccess {
    const { grpc, jsonRpc, nodeControl } = this.places.current
    return { url: `http://127.0.0.1:${nodeControl}`, token: this.nodeToken, grpcPort: grpc, jsonRpcPort: jsonRpc }
  }

  /**
   * Starts everything that is not there yet, in order. Where it was interrupted it goes on the next time.
   *
   * @throws ArchiveError DEVNET_STEP_FAILED; an AbortError
   */
  async up(signal: AbortSignal): Promise<void> {
    const all = AbortSignal.any([signal, this.stopping.signal])
    const { onStep } = this.modules
    this.isSettingUp = true
    const wallets = this.description.isNew ? this.operator.makeWallets(this.options.sidecars) : undefined
    this.node.start()
    const node = await this.waitForNode(all)
    this.mayNodeMove = false
    this.genesisTimestampMs = node.genesisTimestampMs
    onStep('node', `gRPC ${this.link.grpcUrl}, JSON-RPC ${this.link.jsonRpcUrl}`)
    if (wallets) {
      await this.operator.writeWallets(wallets, all)
      onStep('wallets', `${wallets.length} keys in encrypted files, with coins`)
    }
    onStep('registry', await this.operator.deploy(all))
    const { autoPorts: takesOtherPorts } = this.options
    if (takesOtherPorts) await this.places.claimSidecarPorts()
    for (const { name } of this.description.value.sidecars) await this.places.openLinks(name)
    for (const [i, sidecar] of this.description.value.sidecars.entries()) {
      this.startSidecar(sidecar, { ports: this.places.portsOf(i), takesOtherPorts })
    }
    onStep('sidecars', `${this.sidecars.size} times \`massa-storage start\`, each its own process`)
    this.startTraffic(all)
    await this.registerAll(all)
    await this.waitForSidecars(all)
    this.nodeSpeed = this.options.speed
    const { link, nodeSpeed } = this
    const life = { link, clock: this.modules.clock, countNodeEnds: () => this.node.restarts }
    await despiteNode(() => link.setSpeed(nodeSpeed), life, all)
    this.traffic?.setSpeed(this.options.speed)
    this.isSettingUp = false
    this.isSetUp = true
  }

  /** Resolves with the id of the first contract call of the traffic that is final, also when that was long ago. */
  async waitForFirstCall(): Promise<string> {
    if (!this.firstCall) throw new ArchiveError('DEVNET_STEP_FAILED', 'there is no traffic')
    return this.firstCall
  }

  async report(): Promise<NetworkReport> {
    const { node, link, description } = this
    const [answer, ...sidecars] = await Promise.all([
      node.state === 'paused' ? undefined : link.tryReport(NODE_LOOK_MS),
      ...[...this.sidecars.values()].map((sidecar) => sidecar.report()),
    ])
    const report = answer ?? this.lastNodeReport
    this.lastNodeReport = report
    // Shown at the next look: nobody waits for it.
    if (answer) void this.readEarnings()
    return {
      directory: this.modules.files.directory,
      speed: this.options.speed,
      isSetUp: this.isSetUp,
      node: {
        state: node.state,
        pid: node.pid,
        restarts: node.restarts,
        lastEnd: node.lastEnd,
        grpcUrl: link.grpcUrl,
        jsonRpcUrl: link.jsonRpcUrl,
        report,
      },
      registryAddress: description.value.registryAddress,
      traffic: this.traffic?.counts,
      sidecars: sidecars.map((sidecar) => ({ ...sidecar, ...this.earnings.find(sidecar.address) })),
    }
  }

  /**
   * One sidecar more, with a wallet of its own, funded and registered.
   *
   * @param wish - `retentionPeriods`: the newest that it keeps, 0 for all
   * @returns its name
   * @throws ArchiveError DEVNET_SETTING_UP, DEVNET_COMMAND_REFUSED, DEVNET_STEP_FAILED
   */
  async add(wish: { readonly retentionPeriods: number }): Promise<string> {
    this.refuseWhileSettingUp()
    await this.refuseWhilePaused()
    return this.change(async () => {
      const { signal } = this.stopping
      const count = this.description.value.sidecars.length
      if (count >= MAX_SIDECARS) {
        throw new ArchiveError('DEVNET_COMMAND_REFUSED', `a devnet has ${MAX_SIDECARS} sidecars at most`)
      }
      const sidecar = await this.operator.addSidecar(wish, signal)
      await this.places.openLinks(sidecar.name)
      this.startSidecar(sidecar, { ports: firstPortsOf(count + 1), takesOtherPorts: true })
      await this.register(sidecar.name, signal)
      return sidecar.name
    })
  }

  /**
   * Ends a sidecar for good, also one that never came to run; its directory stays.
   *
   * @throws ArchiveError DEVNET_SETTING_UP, DEVNET_COMMAND_REFUSED when there is none of this name
   */
  async remove(name: string): Promise<void> {
    this.refuseWhileSettingUp()
    return this.change(async () => {
      const isDescribed = this.description.value.sidecars.some((sidecar) => sidecar.name === name)
      const sidecar = isDescribed ? this.sidecars.get(name) : this.find(name)
      await sidecar?.process.stop()
      this.sidecars.delete(name)
      this.description.removeSidecar(name)
    })
  }

  /**
   * Signals the node or a sidecar.
   *
   * @throws ArchiveError DEVNET_COMMAND_REFUSED when it does not run at the moment; DEVNET_SETTING_UP
   */
  signal(order: ProcessOrder, name: string): void {
    if (order !== 'resume') this.refuseWhileSettingUp()
    const process = this.processOf(name)
    if (process[order]()) return
    throw new ArchiveError('DEVNET_COMMAND_REFUSED', `${name} does not run now (${process.state})`, { name })
  }

  /**
   * Starts what was killed to stay dead.
   *
   * @param isEmpty - a sidecar has lost its data directory meanwhile
   * @throws ArchiveError DEVNET_COMMAND_REFUSED when it is not dead
   */
  startAgain(name: string, isEmpty: boolean): void {
    const process = this.processOf(name)
    if (process.state !== 'dead') {
      const message = `${name} is not dead (${process.state}): end it with \`massa-storage devnet kill ${name} --stay\``
      throw new ArchiveError('DEVNET_COMMAND_REFUSED', message, { name })
    }
    if (isEmpty && process === this.node) {
      throw new ArchiveError('DEVNET_COMMAND_REFUSED', 'a chain that is lost is another network', { name })
    }
    if (isEmpty) this.find(name).empty()
    process.revive()
  }

  /**
   * Nothing passes any more between these sidecars and the others, as where every packet is lost.
   *
   * @throws ArchiveError DEVNET_COMMAND_REFUSED when there is none of a name, or links cannot be cut
   */
  part(names: readonly string[]): void {
    for (const name of names) this.find(name)
    this.places.cuttableLinks.part(names)
  }

  /** What `part` cut passes again. @throws ArchiveError DEVNET_COMMAND_REFUSED when links cannot be cut */
  join(): void {
    this.places.cuttableLinks.join()
  }

  /** Ends everything: who asks before who is asked. Idempotent. */
  async down(): Promise<void> {
    this.stopping.abort()
    // At once: a node that stands still lets the traffic wait for its time-outs.
    await Promise.all([
      this.traffic?.stop(),
      this.changing.catch(() => {}),
      ...[...this.sidecars.values()].map((sidecar) => sidecar.process.stop()),
    ])
    await this.node.stop()
    this.places.close()
  }

  /** The steps of a start know which sidecars there are, and need the node. */
  private refuseWhileSettingUp(): void {
    if (!this.isSettingUp) return
    throw new ArchiveError('DEVNET_SETTING_UP', 'the network is still being set up')
  }

  /** Nobody is funded or registered on a chain that stands still. */
  private async refuseWhilePaused(): Promise<void> {
    const isStopped = this.node.state === 'paused'
    const report = isStopped ? undefined : await this.link.tryReport(NODE_LOOK_MS)
    if (!isStopped && !report?.isPaused) return
    const command = `massa-storage devnet ${isStopped ? 'resume node' : 'control resume'}`
    throw new ArchiveError('DEVNET_COMMAND_REFUSED', `the chain is paused: let it go on with \`${command}\``)
  }

  private get setupSpeed(): number {
    const { speed } = this.options
    return speed === 'turbo' ? LEAST_SETUP_SPEED : Math.max(speed, LEAST_SETUP_SPEED)
  }

  private describeNode() {
    const { files } = this.modules
    const { chainId, seed } = this.description.value
    return {
      name: 'node',
      args: async () => {
        const { grpc, jsonRpc, nodeControl } = await this.claimNodePorts()
        return [
          ...['devnet', 'node', '--with-parent', '--data-dir', files.nodeDirectory],
          ...['--chain-id', chainId, '--seed', seed],
          ...['--accounts', files.accountsFile, '--speed', `${this.nodeSpeed}`],
          ...(this.options.speed === 1 ? ['--genesis', `${this.modules.clock.nowMs() - SETUP_CHAIN_MS}`] : []),
          ...['--grpc-port', `${grpc}`, '--json-rpc-port', `${jsonRpc}`, '--control-port', `${nodeControl}`],
          ...(this.options.nodeArguments ?? []),
        ]
      },
      // Not an argument: those are seen by every user of the machine.
      env: { [CONTROL_TOKEN_ENV]: this.nodeToken },
      cwd: files.directory,
      log: files.logOf('node'),
      stopLimitMs: NODE_STOP_LIMIT_MS,
    }
  }

  /** As long as nobody knows them it may have others; afterwards it waits until it has them again. */
  private async claimNodePorts(): Promise<Omit<NetworkPorts, 'sidecars'>> {
    if (!this.mayNodeMove) return this.places.current
    try {
      await this.places.chooseNodePorts(this.options.autoPorts)
    } catch (error) {
      // What is passing is gone when it is started again.
      if (!isPassing(error)) this.hopeless.abort(error)
      throw error
    }
    this.link.moveTo(this.nodeAccess)
    return this.places.current
  }

  private async waitForNode(signal: AbortSignal): Promise<NodeReport> {
    const limit = AbortSignal.timeout(NODE_READY_MS)
    const hopeless = this.hopeless.signal
    try {
      return await this.link.waitFor(() => true, AbortSignal.any([signal, limit, hopeless]))
    } catch (cause) {
      signal.throwIfAborted()
      hopeless.throwIfAborted()
      const { files } = this.modules
      const message = `the node does not get ready (${this.node.lastEnd ?? 'no answer'}): see ${files.logOf('node')}`
      throw new ArchiveError('DEVNET_STEP_FAILED', message, {}, cause)
    }
  }

  /** Who is still starting would be left behind. One that cannot start holds up nothing for long. */
  private async waitForSidecars(signal: AbortSignal): Promise<void> {
    const { clock } = this.modules
    const deadlineMs = clock.monotonicMs() + SIDECARS_READY_MS
    while (clock.monotonicMs() < deadlineMs) {
      const reports = await Promise.all([...this.sidecars.values()].map((sidecar) => sidecar.report()))
      if (reports.every(({ state, lagPeriods }) => state === 'archiving' && (lagPeriods ?? 1) <= 1)) return
      signal.throwIfAborted()
      await clock.sleep(200, signal)
    }
  }

  private async registerAll(signal: AbortSignal): Promise<void> {
    const missing = this.description.value.sidecars.filter(({ isRegistered }) => !isRegistered)
    if (missing.length === 0) return
    const [first] = this.description.value.sidecars
    await Promise.all([
      ...missing.map(({ name }) => this.register(name, signal)),
      first && this.operator.allowChallenger(first.address, signal),
    ])
    const text = `${missing.length} storage nodes with their stakes; ${first?.name} may challenge`
    this.modules.onStep('registered', text)
  }

  private async register(name: string, signal: AbortSignal): Promise<void> {
    await this.operator.register(name, signal)
    const sidecar = this.sidecars.get(name)
    if (sidecar) sidecar.isRegistered = true
  }

  private startSidecar(
    known: SidecarDescription,
    at: { readonly ports: SidecarPorts; readonly takesOtherPorts: boolean },
  ): void {
    const { name, retentionPeriods } = known
    const findPeers = () => this.places.findPeers(name)
    const place = { ...this.describePlace(this.operator.directoryOf(name)), retentionPeriods }
    const { password } = this.description.value
    const log = this.modules.files.logOf(name)
    const program = { ...this.modules.program, file: this.options.sidecarPrograms?.get(name) }
    const sidecar = new Sidecar({ ...known, ...at, place, findPeers, password, log }, { ...this.modules, program })
    this.sidecars.set(name, sidecar)
    sidecar.process.start()
  }

  private startTraffic(signal: AbortSignal): void {
    const { link, description } = this
    const { registryAddress, seed } = description.value
    if (registryAddress === undefined) return
    const senders = makeTrafficSenders(seed, description.chainId)
    const { clock } = this.modules
    const traffic = new Traffic({ senders, registryAddress, speed: this.setupSpeed }, { link, clock })
    this.traffic = traffic
    traffic.start()
    // Watched from now on: when the sidecars are registered and follow, the node may have forgotten the first ones.
    this.firstCall = waitForFinalCall(() => traffic.recentCalls, { link, clock }, signal)
    // Whoever waits for it is told.
    this.firstCall.catch(() => {})
  }

  private describePlace(directory: string): PlaceOptions {
    const { link, genesisTimestampMs, options, description } = this
    const { registryAddress } = description.value
    return { directory, link, chainId: description.chainId, genesisTimestampMs, registryAddress, speed: options.speed }
  }

  private listPids(): Map<string, number> {
    return new Map(
      Array.from(this.sidecars.values()).flatMap(({ name, process: { pid } }) => (pid ? [[name, pid]] : [])),
    )
  }

  private async readEarnings(): Promise<void> {
    const { registryAddress } = this.description.value
    if (registryAddress === undefined) return
    const registered = [...this.sidecars.values()].filter(({ isRegistered }) => isRegistered)
    const addresses = registered.map(({ address }) => address)
    await this.earnings.read(registryAddress, addresses)
  }

  private find(name: string): Sidecar {
    const sidecar = this.sidecars.get(name)
    if (sidecar) return sidecar
    throw new ArchiveError('DEVNET_COMMAND_REFUSED', `there is no sidecar '${name}'`, { name })
  }

  private processOf(name: string): KeptProcess {
    return name === 'node' ? this.node : this.find(name).process
  }

  /** One at a time. */
  private change<T>(run: () => Promise<T>): Promise<T> {
    const done = this.changing.then(run)
    this.changing = done.catch(() => {})
    return done
  }
}
