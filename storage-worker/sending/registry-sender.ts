import { setMaxListeners } from 'node:events'
import { isArchiveError, type RegistryCallArgs, type RegistryCallName } from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { SubmittedOperation } from '../chain-port.ts'
import { type RegistryClient, type RegistryOutcome, readRegistryEvents } from '../registry-client.ts'
import { findLowWallet } from './list-obstacles.ts'
import type { JournalEntry, OperationJournal, SendPurpose } from './operation-journal.ts'

/** What may be sent however little is left: a missed proof costs more than its fee, and a claim brings coins. */
const ALWAYS: readonly SendPurpose[] = ['proof', 'claim']

export interface SendOrder<N extends RegistryCallName = RegistryCallName> {
  readonly purpose: SendPurpose
  /** What it does: while one of this key is under way, also from before a restart, `send` gives the outcome of that one. */
  readonly key: string
  readonly call: N
  readonly args: RegistryCallArgs<N>
  /** What is not used comes back. */
  readonly coinsNanoMas?: bigint
  /**
   * Called and waited for when it is signed, before it is noted and sent: what is written here is there whenever the
   * operation is. What it throws keeps it from being sent.
   */
  readonly onSigned?: () => Promise<void>
}

export interface RegistrySenderOptions {
  /** Massa address that signs. */
  readonly address: string
  /** What is left in the wallet for the fees of proofs. */
  readonly minBalanceNanoMas: bigint
}

export interface RegistrySenderModules {
  readonly client: RegistryClient
  readonly journal: Pick<OperationJournal, 'put' | 'delete' | 'list'>
  /** Called and waited for before an operation that is final is forgotten: once, or again after a restart in between. */
  readonly onFinal?: (outcome: RegistryOutcome) => Promise<void>
  readonly log: Logger
}

/**
 * Sends what the sidecar calls in the registry by itself, each call once at a time, and follows it to its end. All of
 * these calls take effect once, whoever sends them how often, and are tried before they are sent: what goes wrong costs a
 * fee at most.
 */
export class RegistrySender {
  readonly client: RegistryClient
  readonly address: string
  private readonly options: RegistrySenderOptions
  private readonly modules: RegistrySenderModules
  private readonly stopping = new AbortController()
  private readonly underWay = new Map<
    string,
    { readonly purpose: SendPurpose; readonly end: Promise<RegistryOutcome> }
  >()

  /** What the wallet may still lose to what is in no block yet, by key. */
  private readonly reserved = new Map<string, bigint>()

  constructor(options: RegistrySenderOptions, modules: RegistrySenderModules) {
    this.options = options
    this.modules = modules
    this.client = modules.client
    this.address = options.address
    // Every call that is under way listens to it.
    setMaxListeners(0, this.stopping.signal)
  }

  /**
   * Follows what was under way when the sidecar ended, and sends what never left: that would keep its call from being made.
   *
   * @throws ArchiveError of the store
   */
  async resume(): Promise<void> {
    for (const entry of await this.modules.journal.list()) {
      this.reserved.set(entry.key, entry.spendNanoMas)
      this.track(entry.key, entry.purpose, this.followToEnd(entry)).catch(() => undefined)
    }
  }

  /** Keys of what is under way. */
  listUnderWay(purpose: SendPurpose): string[] {
    return [...this.underWay].filter(([, sent]) => sent.purpose === purpose).map(([key]) => key)
  }

  /**
   * Resolves when it is final.
   *
   * @throws ArchiveError REGISTRY_* (refused by a trial run: nothing spent, or failed: the fee is spent), CHAIN_*
   */
  send<N extends RegistryCallName>(order: SendOrder<N>): Promise<RegistryOutcome> {
    const known = this.underWay.get(order.key)
    return known ? known.end : this.track(order.key, order.purpose, this.sendNew(order))
  }

  /** What is under way is followed again at the next start. Idempotent. */
  async stop(): Promise<void> {
    this.stopping.abort()
    await Promise.allSettled([...this.underWay.values()].map(({ end }) => end))
  }

  private track(key: string, purpose: SendPurpose, sending: Promise<RegistryOutcome>): Promise<RegistryOutcome> {
    const end = this.tell(purpose, sending).finally(() => {
      this.underWay.delete(key)
      this.reserved.delete(key)
    })
    this.underWay.set(key, { purpose, end })
    return end
  }

  private async tell(purpose: SendPurpose, sending: Promise<RegistryOutcome>): Promise<RegistryOutcome> {
    const { log } = this.modules
    try {
      const outcome = await sending
      log.info({ call: purpose, operationId: outcome.operationId }, 'operation final')
      return outcome
    } catch (error) {
      if (isArchiveError(error) && !this.stopping.signal.aborted) {
        log.debug({ call: purpose, err: error, code: error.code }, 'operation without effect')
      }
      throw error
    }
  }

  private async sendNew<N extends RegistryCallName>(order: SendOrder<N>): Promise<RegistryOutcome> {
    const { client } = this.modules
    const { purpose, key, call, args, coinsNanoMas = 0n, onSigned } = order
    const quote = await client.quote(call, args, coinsNanoMas)
    await this.reserve(order, quote.spendNanoMas)
    let sent: JournalEntry | undefined
    let outcome: RegistryOutcome
    try {
      outcome = await client.call(call, args, {
        coinsNanoMas,
        quote,
        untilKnown: true,
        onExecuted: () => this.release(key),
        signal: this.stopping.signal,
        onSigned: async (signed, bytes) => {
          await onSigned?.()
          sent = { purpose, key, spendNanoMas: quote.spendNanoMas, signed, bytes }
          await this.note(sent)
        },
      })
    } catch (error) {
      if (sent && isArchiveError(error, 'CHAIN_OUTCOME_UNKNOWN')) return await this.followToEnd(sent)
      if (sent) await this.unnote(key)
      throw error
    }
    return await this.forget(key, outcome)
  }

  private async forget(key: string, outcome: RegistryOutcome): Promise<RegistryOutcome> {
    await this.modules.onFinal?.(outcome)
    await this.unnote(key)
    return outcome
  }

  /** A proof has no time to wait for room on the disk: not noted, it may be sent twice over a restart, which costs a fee. */
  private async note(entry: JournalEntry): Promise<void> {
    const { journal, log } = this.modules
    try {
      await journal.put(entry)
    } catch (error) {
      if (entry.purpose !== 'proof' || !isArchiveError(error)) throw error
      log.warn({ err: error, code: error.code }, 'a proof is sent that could not be noted')
    }
  }

  /** What stays noted is followed once more after the next start: no reason to keep back what became of it. */
  private async unnote(key: string): Promise<void> {
    const { journal, log } = this.modules
    try {
      await journal.delete(key)
    } catch (error) {
      if (!isArchiveError(error)) throw error
      log.debug({ err: error, code: error.code }, 'a finished operation stays noted')
    }
  }

  /** Until it is known what became of it, or nobody can tell any more. */
  private async followToEnd({ key, signed, bytes }: JournalEntry): Promise<RegistryOutcome> {
    const { signal } = this.stopping
    let outcome: SubmittedOperation
    try {
      const onExecuted = () => this.release(key)
      outcome = await this.client.chain.follow(signed, { signal, untilKnown: true, bytes, onExecuted })
    } catch (error) {
      // What goes on after a restart stays noted.
      if (!signal.aborted) await this.unnote(key)
      throw error
    }
    return await this.forget(key, readOutcome(outcome))
  }

  /** From here on the balance that the node shows is without it. */
  private release(key: string): void {
    this.reserved.delete(key)
  }

  /** @throws ArchiveError CHAIN_WALLET_LOW when less than is kept for proofs would be left, with what is under way */
  private async reserve({ purpose, key }: Pick<SendOrder, 'purpose' | 'key'>, spendNanoMas: bigint): Promise<void> {
    const { address, minBalanceNanoMas } = this.options
    if (!ALWAYS.includes(purpose)) {
      const balanceNanoMas = await this.client.chain.readBalance(address)
      const reservedNanoMas = [...this.reserved.values()].reduce((sum, each) => sum + each, 0n)
      const low = findLowWallet(address, balanceNanoMas, minBalanceNanoMas + spendNanoMas + reservedNanoMas)
      if (low) throw low
    }
    this.reserved.set(key, spendNanoMas)
  }
}

function readOutcome(outcome: SubmittedOperation): RegistryOutcome {
  return { ...outcome, events: readRegistryEvents(outcome.events) }
}
