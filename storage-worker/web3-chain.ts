import type { OperationDetails, PublicAPI } from '@massalabs/massa-web3'
import {
  ArchiveError,
  type Clock,
  computeAddress,
  formatAddress,
  formatCoins,
  isArchiveError,
  parsePublicKey,
  parseRegistryRefusal,
} from '../core/index.ts'
import type {
  ChainPort,
  ChainRequest,
  ChainStatus,
  ContractCall,
  Deployment,
  Quote,
  ReadOnlyAnswer,
  SubmitOptions,
  SubmittedOperation,
} from './chain-port.ts'
import { parseMas, readNodeEvents, readNodeOperation, readNodeStatus } from './node-answers.ts'
import { createTransport } from './node-transport.ts'

type Web3 = typeof import('@massalabs/massa-web3')

export interface Web3ChainOptions {
  /** http://host:port of a node's public JSON-RPC. */
  readonly url: string
  /** The network this must be. */
  readonly chainId: bigint
  /** S1...; without it nothing is sent. */
  readonly secretKey?: string | undefined
  /** 0 takes the least that the node accepts. */
  readonly feeNanoMas: bigint
  /** Percent on top of the gas that a trial run took. */
  readonly gasMarginPercent: number
  readonly requestTimeoutMs: number
  /** From one look at a sent operation to the next. */
  readonly pollIntervalMs?: number
  /** After which a sent operation is given up. */
  readonly outcomeTimeoutMs?: number
}

/** A node takes operations that expire at most 10 periods ahead; its clock may be a little ahead of its answer. */
const PERIODS_TO_LIVE = 9
/** After this many periods beyond its last one an operation is in no block that is still to come. */
const EXPIRY_MARGIN_PERIODS = 2
/** For at least so long a node shows an operation that was in a block (facts: massa-node 5). */
const MEMORY_MS = 60_000
const MAX_SENDS = 3
const MAX_TRIES = 3
const RETRY_DELAY_MS = 500
const DEFAULT_POLL_MS = 1_000
/** Three lives of an operation, and finality. */
const DEFAULT_OUTCOME_TIMEOUT_MS = 600_000

/**
 * A massa-node's JSON-RPC through massa-web3. Nothing is asked before the first call.
 *
 * The library is loaded here and not before: it takes 70 MB that an archive without a contract does not need.
 */
export async function openWeb3Chain(options: Web3ChainOptions, clock: Clock): Promise<ChainPort> {
  const web3 = await import('@massalabs/massa-web3')
  const transport = createTransport({ url: options.url, timeoutMs: options.requestTimeoutMs })
  const api = new web3.PublicAPI(options.url)
  // Its own client has no deadline, and shares one number of retries between all requests of the process.
  Reflect.set(api.connector, 'client', { request: transport })
  const key = options.secretKey === undefined ? undefined : await openKey(web3, options.secretKey)
  return new Web3Chain(options, { web3, api, key, clock })
}

interface WalletKey {
  readonly address: string
  readonly publicKey: string
  sign(chainId: bigint, details: OperationDetails): Promise<string>
}

async function openKey(web3: Web3, secretKey: string): Promise<WalletKey> {
  const privateKey = web3.PrivateKey.fromString(secretKey)
  const manager = new web3.OperationManager(privateKey)
  const publicKey = (await privateKey.getPublicKey()).toString()
  return {
    publicKey,
    address: formatAddress(computeAddress(parsePublicKey(publicKey))),
    sign: async (chainId, details) => (await manager.sign(chainId, details)).toString(),
  }
}

interface Modules {
  readonly web3: Web3
  readonly api: PublicAPI
  readonly key: WalletKey | undefined
  readonly clock: Clock
}

interface Sent {
  readonly id: string
  readonly expirePeriod: number
}

/** What was seen of a sent operation. */
interface Watch {
  wasExecuted: boolean
  /** Nothing was seen for so long that it may have come and gone. */
  wasBlind: boolean
  lookedAtMs: number
  isLost?: boolean
}

class Web3Chain implements ChainPort {
  private readonly options: Web3ChainOptions
  private readonly web3: Web3
  private readonly api: PublicAPI
  private readonly key: WalletKey | undefined
  private readonly clock: Clock

  constructor(options: Web3ChainOptions, modules: Modules) {
    this.options = options
    this.web3 = modules.web3
    this.api = modules.api
    this.key = modules.key
    this.clock = modules.clock
  }

  get account(): string | undefined {
    return this.key?.address
  }

  async readStatus(): Promise<ChainStatus> {
    const status = readNodeStatus(await this.ask(() => this.api.status()))
    const { chainId } = this.options
    if (status.chainId !== chainId) {
      throw new ArchiveError(
        'CHAIN_NETWORK_MISMATCH',
        `the massa-node at ${this.options.url} is on the network ${status.chainId}, not on ${chainId}`,
        { found: status.chainId, wanted: chainId },
      )
    }
    return status
  }

  async readBalance(address: string): Promise<bigint> {
    const [info] = await this.ask(() => this.api.getMultipleAddressInfo([address]))
    return parseMas(info?.candidate_balance)
  }

  async readBytecode(address: string): Promise<Uint8Array | undefined> {
    const code = await this.ask(() => this.api.getAddressesBytecode({ address, is_final: false }))
    return code.length === 0 ? undefined : code
  }

  async readDatastore(address: string, keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    const entries = keys.map((key) => ({ address, key: new TextEncoder().encode(key) }))
    const values = await this.ask(() => this.api.getDatastoreEntries(entries, false))
    return values.map((value) => value ?? undefined)
  }

  async callReadOnly(call: ContractCall): Promise<ReadOnlyAnswer> {
    const { value, info } = await this.ask(() =>
      this.api.executeReadOnlyCall({
        target: call.target,
        func: call.functionName,
        parameter: call.parameter,
        // Somebody who exists: a node stumbles over a caller that it makes up (massalabs/massa issue 4912).
        caller: this.account ?? call.target,
        ...(call.coinsNanoMas === undefined ? {} : { coins: call.coinsNanoMas }),
      }),
    )
    if (info.error) throw trialError(info.error)
    return { returned: value, gasCost: BigInt(info.gasCost), events: readNodeEvents(info.events) }
  }

  async quote(request: ChainRequest): Promise<Quote> {
    const status = await this.readStatus()
    return this.quoteAt(request, status)
  }

  async submit(request: ChainRequest, options: SubmitOptions = {}): Promise<SubmittedOperation> {
    for (let sends = 1; ; sends++) {
      try {
        const status = await this.readStatus()
        const quote = await this.quoteAt(request, status)
        const sent = await this.send(request, quote, status)
        options.onSent?.(sent.id)
        return await this.waitFor(sent, quote, options)
      } catch (error) {
        if (!isArchiveError(error, 'CHAIN_OPERATION_EXPIRED') || sends === MAX_SENDS || options.signal?.aborted)
          throw error
      }
    }
  }

  private async quoteAt(request: ChainRequest, status: ChainStatus): Promise<Quote> {
    const { address } = this.needKey()
    const { feeNanoMas: wanted, gasMarginPercent } = this.options
    const feeNanoMas = wanted === 0n ? status.minimalFeeNanoMas : wanted
    const spendNanoMas =
      feeNanoMas + (request.kind === 'deploy' ? request.maxCoinsNanoMas : (request.coinsNanoMas ?? 0n))
    const balance = await this.readBalance(address)
    if (balance < spendNanoMas) {
      throw new ArchiveError(
        'CHAIN_BALANCE_SHORT',
        `${address} holds ${formatCoins(balance)} MAS, ${formatCoins(spendNanoMas)} are needed`,
        { address, balanceNanoMas: balance, neededNanoMas: spendNanoMas },
      )
    }
    const gas =
      request.kind === 'deploy' ? await this.tryDeployment(request) : (await this.callReadOnly(request)).gasCost
    const limit = request.kind === 'deploy' ? this.web3.MAX_GAS_EXECUTE : this.web3.MAX_GAS_CALL
    const maxGas = (gas * BigInt(100 + gasMarginPercent)) / 100n
    return { feeNanoMas, spendNanoMas, maxGas: maxGas < limit ? maxGas : limit }
  }

  private async tryDeployment(request: Deployment): Promise<bigint> {
    const outcome = await this.ask(() =>
      this.api.executeReadOnlyBytecode({
        byteCode: this.web3.DEPLOYER_BYTECODE,
        datastore: this.datastoreOf(request),
        caller: this.needKey().address,
        maxGas: this.web3.MAX_GAS_EXECUTE,
      }),
    )
    if (outcome.error) throw trialError(outcome.error)
    return BigInt(outcome.gasCost)
  }

  private async send(request: ChainRequest, quote: Quote, { chainId, period }: ChainStatus): Promise<Sent> {
    const key = this.needKey()
    const expirePeriod = period + PERIODS_TO_LIVE
    const details = this.detailsOf(request, quote, expirePeriod)
    const signature = await key.sign(chainId, details)
    const data = this.web3.OperationManager.serialize(details)
    try {
      // The same bytes again are the same operation: a node that has it says its id once more.
      const id = await this.ask(() => this.api.sendOperation({ data, publicKey: key.publicKey, signature }))
      if (typeof id !== 'string') throw new ArchiveError('CHAIN_ANSWER_INVALID', 'the massa-node gave no operation id')
      return { id, expirePeriod }
    } catch (error) {
      if (isArchiveError(error, 'CHAIN_NODE_REFUSED') && /expire_period is lower/.test(String(error.context.text))) {
        throw expired('the massa-node took it for expired', error)
      }
      throw error
    }
  }

  private detailsOf(request: ChainRequest, { feeNanoMas, maxGas }: Quote, expirePeriod: number): OperationDetails {
    const common = { fee: feeNanoMas, expirePeriod, maxGas }
    if (request.kind === 'call') {
      return {
        ...common,
        type: this.web3.OperationType.CallSmartContractFunction,
        coins: request.coinsNanoMas ?? 0n,
        address: request.target,
        func: request.functionName,
        parameter: request.parameter,
      } as OperationDetails
    }
    return {
      ...common,
      type: this.web3.OperationType.ExecuteSmartContractBytecode,
      maxCoins: request.maxCoinsNanoMas,
      contractDataBinary: this.web3.DEPLOYER_BYTECODE,
      datastore: this.datastoreOf(request),
    } as OperationDetails
  }

  private datastoreOf({ bytecode, parameter, coinsNanoMas }: Deployment): Map<Uint8Array, Uint8Array> {
    return this.web3.populateDatastore([{ data: bytecode, args: parameter, coins: coinsNanoMas }])
  }

  /** Looks until the operation is executed (and final), or can be in no block any more. */
  private async waitFor(sent: Sent, quote: Quote, options: SubmitOptions): Promise<SubmittedOperation> {
    const { pollIntervalMs = DEFAULT_POLL_MS, outcomeTimeoutMs = DEFAULT_OUTCOME_TIMEOUT_MS } = this.options
    const deadlineMs = this.clock.nowMs() + outcomeTimeoutMs
    const watch: Watch = { wasExecuted: false, wasBlind: false, lookedAtMs: this.clock.nowMs() }
    while (!options.signal?.aborted && !watch.isLost && this.clock.nowMs() < deadlineMs) {
      try {
        const outcome = await this.watchOnce(sent, quote, { options, watch })
        if (outcome) return outcome
        const nowMs = this.clock.nowMs()
        // An operation that came and went meanwhile looks like one that never was.
        if (nowMs - watch.lookedAtMs > MEMORY_MS) watch.wasBlind = true
        watch.lookedAtMs = nowMs
      } catch (error) {
        // It is sent: a node that is away for a while is no reason not to learn what became of it.
        if (!isArchiveError(error, 'CHAIN_NODE_UNREACHABLE')) throw error
      }
      await this.clock.sleep(pollIntervalMs, options.signal)
    }
    throw new ArchiveError(
      'CHAIN_OUTCOME_UNKNOWN',
      `operation ${sent.id} was ${watch.wasExecuted ? 'executed, but is not known to be final' : 'sent, but not seen executed'}`,
      { operationId: sent.id },
    )
  }

  /** One look; the outcome if there is one. */
  private async watchOnce(
    sent: Sent,
    quote: Quote,
    { options, watch }: { readonly options: SubmitOptions; readonly watch: Watch },
  ): Promise<SubmittedOperation | undefined> {
    const wantFinal = options.final ?? true
    const state = await this.look(sent.id)
    if (state.executed) {
      if (!state.isFinal && wantFinal && watch.wasExecuted) return undefined
      const outcome = await this.readOutcome(sent, quote, state)
      if (!outcome || state.isFinal || !wantFinal) return outcome
      watch.wasExecuted = true
      options.onExecuted?.(outcome)
      return undefined
    }
    if (state.inPool) return undefined
    const { period } = await this.readStatus()
    if (period <= sent.expirePeriod + EXPIRY_MARGIN_PERIODS) return undefined
    const events = readNodeEvents(await this.ask(() => this.api.getEvents({ operationId: sent.id, isFinal: true })))
    if (events.length > 0) return this.judge(sent, quote, { success: !events.some(isFailure), isFinal: true, events })
    if (!watch.wasExecuted && !watch.wasBlind && this.clock.nowMs() - watch.lookedAtMs <= MEMORY_MS) {
      throw expired(`operation ${sent.id} was in no block up to period ${sent.expirePeriod}`)
    }
    watch.isLost = true
    return undefined
  }

  private async look(id: string): Promise<{ inPool: boolean; executed: boolean; success: boolean; isFinal: boolean }> {
    const [found] = await this.ask(() => this.api.getOperations([id]))
    const operation = readNodeOperation(found)
    if (!operation) return { inPool: false, executed: false, success: false, isFinal: false }
    const { inPool, isFinal, success } = operation
    return {
      inPool: inPool && success === undefined,
      executed: success !== undefined,
      success: success ?? false,
      isFinal,
    }
  }

  /** Undefined for a failure that is not final: its block may still be dropped. */
  private async readOutcome(
    sent: Sent,
    quote: Quote,
    state: { readonly success: boolean; readonly isFinal: boolean },
  ): Promise<SubmittedOperation | undefined> {
    if (!state.success && !state.isFinal) return undefined
    const events = readNodeEvents(await this.ask(() => this.api.getEvents({ operationId: sent.id })))
    return this.judge(sent, quote, { ...state, events })
  }

  private judge(
    sent: Sent,
    { maxGas, feeNanoMas }: Quote,
    state: { readonly success: boolean; readonly isFinal: boolean; readonly events: readonly string[] },
  ): SubmittedOperation {
    const { success, isFinal, events } = state
    if (success) return { operationId: sent.id, isFinal, maxGas, feeNanoMas, events }
    const text = events.findLast(isFailure) ?? ''
    const reason = text.slice(0, 500) || 'no reason given'
    const context = { operationId: sent.id, text }
    throw (
      parseRegistryRefusal(text) ??
      new ArchiveError('CHAIN_OPERATION_FAILED', `operation ${sent.id} failed: ${reason}`, context)
    )
  }

  private needKey(): WalletKey {
    if (this.key) return this.key
    throw new ArchiveError('CHAIN_KEY_MISSING', 'no key is configured to sign with')
  }

  /** A request, again if the node does not answer. */
  private async ask<T>(run: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await run()
      } catch (error) {
        if (!isArchiveError(error)) {
          throw new ArchiveError('CHAIN_ANSWER_INVALID', 'the massa-node answered something unexpected', {}, error)
        }
        if (error.code !== 'CHAIN_NODE_UNREACHABLE' || tries === MAX_TRIES) throw error
        await this.clock.sleep(RETRY_DELAY_MS * tries)
      }
    }
  }
}

function trialError(text: string): ArchiveError {
  return (
    parseRegistryRefusal(text) ??
    new ArchiveError('CHAIN_TRIAL_FAILED', `a trial run failed: ${text.slice(0, 500)}`, { text: text.slice(0, 1_000) })
  )
}

/** The event by which a node says why an operation failed. */
function isFailure(event: string): boolean {
  return event.startsWith('{"massa_execution_error"')
}

function expired(message: string, cause?: unknown): ArchiveError {
  return new ArchiveError('CHAIN_OPERATION_EXPIRED', message, {}, cause)
}
