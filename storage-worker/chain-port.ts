import type { Slot } from '../core/index.ts'

/*
 * A Massa chain as the registry's client needs it. Coins and fees are nanoMAS; addresses are texts.
 */

export interface ChainStatus {
  readonly chainId: bigint
  /** Of the clock of the node. */
  readonly period: number
  /** Newest period whose slots all are executed and final, -1 before the first one: far behind while a node catches up. */
  readonly finalPeriod: number
  readonly minimalFeeNanoMas: bigint
}

export interface ContractCall {
  readonly kind: 'call'
  readonly target: string
  readonly functionName: string
  readonly parameter: Uint8Array
  readonly coinsNanoMas?: bigint
  /** Who asks in a trial run; by default the account. A node knows nobody who never held coins. */
  readonly caller?: string
}

export interface Deployment {
  readonly kind: 'deploy'
  readonly bytecode: Uint8Array
  /** Of the constructor. */
  readonly parameter: Uint8Array
  /** Sent to the constructor. */
  readonly coinsNanoMas: bigint
  /** All that the sender may lose beside the fee: code, records and what is sent. */
  readonly maxCoinsNanoMas: bigint
}

export type ChainRequest = ContractCall | Deployment

/** What an operation would need, after a trial run. */
export interface Quote {
  readonly feeNanoMas: bigint
  /** With a margin on what the trial run took. */
  readonly maxGas: bigint
  /** The most that may be spent, fee included. */
  readonly spendNanoMas: bigint
}

/** An operation that was signed, and all that is needed to learn later what became of it. */
export interface SignedOperation {
  readonly operationId: string
  readonly sender: string
  /** Candidate balance of the sender before. */
  readonly balanceNanoMas: bigint
  /** Last period in which a block may hold it. */
  readonly expirePeriod: number
  readonly feeNanoMas: bigint
  readonly maxGas: bigint
}

/** All that is needed to send a signed operation again: the same bytes are the same operation, which is executed once. */
export interface SignedBytes {
  /** Fee, last period and what it does, as they are signed. */
  readonly data: Uint8Array
  readonly publicKey: string
  readonly signature: string
}

export interface FollowOptions {
  /** Wait until it is final, too; true by default. */
  readonly final?: boolean
  /** However long the node does not say what became of it; by default it is given up after some minutes. */
  readonly untilKnown?: boolean
  /** Sent while the node does not know the operation and a block may still hold it, again and again. */
  readonly bytes?: SignedBytes | undefined
  readonly signal?: AbortSignal
  /** Called when it was executed and is not yet final. */
  readonly onExecuted?: (outcome: SubmittedOperation) => void
}

export interface SubmitOptions extends FollowOptions {
  /** Called and waited for before it is sent; what it throws keeps it from being sent. */
  readonly onSigned?: (signed: SignedOperation, bytes: SignedBytes) => void | Promise<void>
  /** Called once the node has taken it. */
  readonly onSent?: (operationId: string) => void
}

export interface SubmittedOperation {
  readonly operationId: string
  readonly isFinal: boolean
  readonly maxGas: bigint
  readonly feeNanoMas: bigint
  /** Texts of its events, in order. */
  readonly events: readonly string[]
}

/** An event of a contract, as the node that is asked has executed it; it may be dropped until it is final. */
export interface ContractEvent {
  readonly slot: Slot
  readonly data: string
}

export interface ReadOnlyAnswer {
  readonly returned: Uint8Array
  readonly gasCost: bigint
  readonly events: readonly string[]
  /** Of the slot that it was run at. */
  readonly period: number
}

/**
 * Reads and operations. Errors are ArchiveErrors: `CHAIN_*`, and the refusal of the registry (`REGISTRY_*`) where it is
 * the contract that said no.
 */
export interface ChainPort {
  /** Whose key signs, or who asks; undefined when neither is known. */
  readonly account: string | undefined
  readStatus(): Promise<ChainStatus>
  /** Candidate balance. */
  readBalance(address: string): Promise<bigint>
  /** nanoMAS */
  readBalances(address: string): Promise<{ readonly candidate: bigint; readonly final: bigint }>
  /** Candidate bytecode; undefined when there is none. */
  readBytecode(address: string): Promise<Uint8Array | undefined>
  /** Values of ASCII keys, in their order: candidate ones, final ones where that is said. */
  readDatastore(
    address: string,
    keys: readonly string[],
    options?: { readonly isFinal: boolean },
  ): Promise<(Uint8Array | undefined)[]>
  /** Candidate ASCII keys that begin so, in the order of their bytes, however many they are. */
  listDatastoreKeys(address: string, prefix: string): Promise<string[]>
  /** Candidate and final events that a contract emitted itself from a period on, by slot; some may come twice. */
  readContractEvents(address: string, fromPeriod: number): Promise<ContractEvent[]>
  callReadOnly(call: ContractCall): Promise<ReadOnlyAnswer>
  quote(request: ChainRequest): Promise<Quote>
  /**
   * Signs once, with exactly the fee and the gas of the quote, sends and waits; throws when it failed.
   *
   * CHAIN_QUOTE_EXCEEDED: it would take more by now, nothing was sent. CHAIN_OPERATION_EXPIRED: nothing was spent.
   * CHAIN_OUTCOME_UNKNOWN: it was sent, and may have been executed.
   */
  submit(request: ChainRequest, quote: Quote, options?: SubmitOptions): Promise<SubmittedOperation>
  /** Waits for an operation that was signed before, maybe by another process, and maybe never left; throws as `submit`. */
  follow(signed: SignedOperation, options?: FollowOptions): Promise<SubmittedOperation>
}
