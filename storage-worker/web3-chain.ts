import type { OperationDetails, PublicAPI } from '@massalabs/massa-web3'
import {
  ArchiveError,
  type Clock,
  computeAddress,
  computeOperationHash,
  concatBytes,
  formatAddress,
  formatCoins,
  formatOperationId,
  isArchiveError,
  parsePublicKey,
  type Slot,
} from '../core/index.ts'
import type {
  ChainPort,
  ChainRequest,
  ChainStatus,
  ContractCall,
  ContractEvent,
  Deployment,
  FollowOptions,
  Quote,
  ReadOnlyAnswer,
  SignedBytes,
  SignedOperation,
  SubmitOptions,
  SubmittedOperation,
} from './chain-port.ts'
import {
  type NodeOperation,
  parseMas,
  readContractEvents,
  readNodeEvents,
  readNodeOperation,
  readNodeStatus,
  readReadOnlyAnswer,
  trialError,
} from './node-answers.ts'
import { createTransport } from './node-transport.ts'
import { OperationWatch, outcomeUnknown, PERIODS_TO_LIVE, type WatchedNode } from './operation-watch.ts'

type Web3 = typeof import('@massalabs/massa-web3')

export interface Web3ChainOptions {
  /** http://host:port of a node's public JSON-RPC. */
  readonly url: string
  /** The network this must be. */
  readonly chainId: bigint
  /** S1...; without it nothing is sent. */
  readonly secretKey?: string | undefined
  /** Who asks where no key signs: in trial runs the caller. */
  readonly caller?: string | undefined
  /** 0 takes the least that the node accepts. */
  readonly feeNanoMas: bigint
  /** A higher fee is never offered, whatever the node asks for. */
  readonly maxFeeNanoMas: bigint
  /** Percent on top of the gas that a trial run took. */
  readonly gasMarginPercent: number
  readonly requestTimeoutMs: number
  /** From one look at a sent operation to the next. */
  readonly pollIntervalMs?: number
  /** After which a sent operation is given up. */
  readonly outcomeTimeoutMs?: number
}

/** What a node says of an address that has nothing: no coins, no bytecode. */
const ABSENT_ACCOUNT = /Not found: Account /
const MAX_TRIES = 3
/** A node gives no more at once, the lowest slots first. */
const EVENTS_PER_ANSWER = 7_000
/** The most that a node gives of the keys of a datastore. */
const KEYS_PER_ANSWER = 500
const RETRY_DELAY_MS = 500
const DEFAULT_POLL_MS = 1_000
/** The life of an operation by the clock of a node that is behind, and finality. */
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

class Web3Chain implements ChainPort, WatchedNode {
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
    return this.key?.address ?? this.options.caller
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

  async readBalances(address: string): Promise<{ readonly candidate: bigint; readonly final: bigint }> {
    const [info] = await this.ask(() => this.api.getMultipleAddressInfo([address]))
    return { candidate: parseMas(info?.candidate_balance), final: parseMas(info?.final_balance) }
  }

  async readOperation(operationId: string): Promise<NodeOperation | undefined> {
    const [found] = await this.ask(() => this.api.getOperations([operationId]))
    return readNodeOperation(found)
  }

  async readEvents(operationId: string, options: { readonly isFinal?: boolean } = {}): Promise<string[]> {
    return readNodeEvents(await this.ask(() => this.api.getEvents({ operationId, ...options })))
  }

  async readContractEvents(address: string, fromPeriod: number): Promise<ContractEvent[]> {
    const events: ContractEvent[] = []
    for (let start: Slot = { period: Math.max(0, fromPeriod), thread: 0 }; ; ) {
      const page = readContractEvents(
        await this.ask(() => this.api.getEvents({ smartContractAddress: address, start })),
      )
      events.push(...page)
      const last = page.at(-1)?.slot
      if (page.length < EVENTS_PER_ANSWER || !last || (last.period === start.period && last.thread === start.thread)) {
        return events
      }
      start = last
    }
  }

  async readBytecode(address: string): Promise<Uint8Array | undefined> {
    try {
      const code = await this.ask(() => this.api.getAddressesBytecode({ address, is_final: false }))
      return code.length === 0 ? undefined : code
    } catch (error) {
      if (isArchiveError(error, 'CHAIN_NODE_REFUSED') && ABSENT_ACCOUNT.test(error.message)) return undefined
      throw error
    }
  }

  async readDatastore(
    address: string,
    keys: readonly string[],
    { isFinal } = { isFinal: false },
  ): Promise<(Uint8Array | undefined)[]> {
    const entries = keys.map((key) => ({ address, key: new TextEncoder().encode(key) }))
    const values = await this.ask(() => this.api.getDatastoreEntries(entries, isFinal))
    return values.map((value) => value ?? undefined)
  }

  async listDatastoreKeys(address: string, prefix: string): Promise<string[]> {
    const keys: string[] = []
    const about = { address, prefix, final: false, inclusiveStartKey: false, maxCount: KEYS_PER_ANSWER }
    for (let startKey: string | undefined; ; ) {
      const request = startKey === undefined ? about : { ...about, startKey }
      const [answer] = await this.ask(() => this.api.getAddressesDatastoreKeys([request]))
      const page = answer?.keys.map((key) => new TextDecoder().decode(key)) ?? []
      keys.push(...page)
      startKey = page.at(-1)
      if (page.length < KEYS_PER_ANSWER || startKey === undefined) return keys
    }
  }

  async callReadOnly(call: ContractCall): Promise<ReadOnlyAnswer> {
    // Past massa-web3's own function, which drops the slot.
    const answers: unknown = await this.ask(() =>
      this.api.connector.execute_read_only_call([
        {
          max_gas: Number(this.web3.MAX_GAS_CALL),
          target_address: call.target,
          target_function: call.functionName,
          parameter: Array.from(call.parameter),
          // Somebody who exists: a node stumbles over a caller that it makes up (massalabs/massa issue 4912).
          caller_address: call.caller ?? this.account ?? call.target,
          coins: call.coinsNanoMas === undefined ? null : formatCoins(call.coinsNanoMas),
          fee: null,
        },
      ]),
    )
    return readReadOnlyAnswer(answers)
  }

  async quote(request: ChainRequest): Promise<Quote> {
    const status = await this.readStatus()
    return this.quoteAt(request, status)
  }

  async submit(request: ChainRequest, quote: Quote, options: SubmitOptions = {}): Promise<SubmittedOperation> {
    const status = await this.readStatus()
    checkQuote(quote, await this.quoteAt(request, status), this.options.gasMarginPercent)
    const key = this.needKey()
    const expirePeriod = status.period + PERIODS_TO_LIVE
    const details = this.detailsOf(request, quote, expirePeriod)
    const signature = await key.sign(status.chainId, details)
    const data = this.web3.OperationManager.serialize(details)
    const signed: SignedOperation = {
      operationId: computeId(status.chainId, key.publicKey, data),
      sender: key.address,
      balanceNanoMas: await this.readBalance(key.address),
      expirePeriod,
      feeNanoMas: quote.feeNanoMas,
      maxGas: quote.maxGas,
    }
    const bytes = { data, publicKey: key.publicKey, signature }
    await options.onSigned?.(signed, bytes)
    await this.sendFirst(signed, bytes)
    options.onSent?.(signed.operationId)
    return this.watch(signed, { ...options, bytes, wasSent: true })
  }

  private async quoteAt(request: ChainRequest, status: ChainStatus): Promise<Quote> {
    const { address } = this.needKey()
    const { feeNanoMas: wanted, maxFeeNanoMas, gasMarginPercent } = this.options
    const feeNanoMas = wanted === 0n ? status.minimalFeeNanoMas : wanted
    if (feeNanoMas > maxFeeNanoMas) {
      const [asked, most] = [formatCoins(feeNanoMas), formatCoins(maxFeeNanoMas)]
      const whose = wanted === 0n ? 'the massa-node asks for a fee of' : 'the configured fee is'
      throw new ArchiveError('CHAIN_FEE_TOO_HIGH', `${whose} ${asked} MAS, at most ${most} MAS is allowed`, {
        feeNanoMas,
        maxFeeNanoMas,
      })
    }
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

  async send(bytes: SignedBytes): Promise<void> {
    await this.ask(() => this.api.sendOperation(bytes))
  }

  private async sendFirst({ operationId }: SignedOperation, bytes: SignedBytes): Promise<void> {
    let id: unknown
    let tries = 0
    try {
      // The same bytes again are the same operation: a node that has it says its id once more.
      id = await this.ask(() => {
        tries++
        return this.api.sendOperation(bytes)
      })
    } catch (error) {
      // A node may have taken it at a try that it did not answer.
      if (tries === 1 && isArchiveError(error, 'CHAIN_NODE_REFUSED')) throw error
      throw outcomeUnknown(
        `operation ${operationId} was signed, and the massa-node may have taken it`,
        operationId,
        error,
      )
    }
    if (id !== operationId) {
      throw outcomeUnknown(`the massa-node calls operation ${operationId} ${String(id).slice(0, 80)}`, operationId)
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

  follow(signed: SignedOperation, options: FollowOptions = {}): Promise<SubmittedOperation> {
    return this.watch(signed, options)
  }

  private watch(
    signed: SignedOperation,
    options: FollowOptions & { readonly wasSent?: boolean },
  ): Promise<SubmittedOperation> {
    const { pollIntervalMs = DEFAULT_POLL_MS, outcomeTimeoutMs = DEFAULT_OUTCOME_TIMEOUT_MS } = this.options
    return new OperationWatch(
      signed,
      { ...options, pollIntervalMs, outcomeTimeoutMs },
      { node: this, clock: this.clock },
    ).follow()
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

/** @throws ArchiveError CHAIN_QUOTE_EXCEEDED */
function checkQuote(quote: Quote, now: Quote, gasMarginPercent: number): void {
  if (now.feeNanoMas > quote.feeNanoMas || now.spendNanoMas > quote.spendNanoMas) {
    throw new ArchiveError(
      'CHAIN_QUOTE_EXCEEDED',
      `the fee was ${formatCoins(quote.feeNanoMas)} MAS, ${formatCoins(quote.spendNanoMas)} MAS in all; ` +
        `now it is ${formatCoins(now.feeNanoMas)} MAS, ${formatCoins(now.spendNanoMas)} MAS in all`,
      { quotedNanoMas: quote.spendNanoMas, nowNanoMas: now.spendNanoMas },
    )
  }
  const gas = (now.maxGas * 100n) / BigInt(100 + gasMarginPercent)
  if (gas <= quote.maxGas) return
  throw new ArchiveError('CHAIN_QUOTE_EXCEEDED', `at most ${quote.maxGas} gas was offered; now it takes ${gas}`, {
    quotedGas: quote.maxGas,
    nowGas: gas,
  })
}

function computeId(chainId: bigint, publicKey: string, content: Uint8Array): string {
  return formatOperationId(
    concatBytes(Uint8Array.of(0), computeOperationHash(chainId, parsePublicKey(publicKey), content)),
  )
}
