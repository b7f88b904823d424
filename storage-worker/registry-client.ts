import {
  type Announcement,
  ArchiveError,
  decodeAnnouncement,
  decodeRegistryResult,
  encodeRegistryCall,
  encodeRegistryViewArgs,
  isArchiveError,
  MAX_NODE_PAGE,
  PLACEMENT_KEYS,
  parseRegistryEvent,
  REGISTRY_KEYS,
  type RegistryCallArgs,
  type RegistryCallName,
  type RegistryEvent,
  type RegistryNode,
  type RegistryState,
  type RegistryViewArgs,
  type RegistryViewName,
  type RegistryViewResult,
  readStateRecord,
  type Slot,
} from '../core/index.ts'
import type { ChainPort, ContractCall, Quote, SubmitOptions, SubmittedOperation } from './chain-port.ts'

/** `fundRewards`, `topUpStake` and what stores something need coins; what is not used comes back. */
export interface CallOptions extends SubmitOptions {
  readonly coinsNanoMas?: bigint
  /** What was confirmed; without it the call is quoted here. */
  readonly quote?: Quote
}

export interface RegistryOutcome extends Omit<SubmittedOperation, 'events'> {
  readonly events: readonly RegistryEvent[]
}

/** An event and the slot of its block. */
export interface RegistryLogEntry {
  readonly slot: Slot
  readonly event: RegistryEvent
}

/** Reading all nodes starts over when one comes or goes; on a busy registry not for ever. */
const MAX_PAGE_ROUNDS = 5

/** The storage-registry at one address: arguments, results, events and refusals as values. */
export class RegistryClient {
  readonly address: string
  readonly chain: ChainPort

  constructor(address: string, chain: ChainPort) {
    this.address = address
    this.chain = chain
  }

  /**
   * The result of a view, on the candidate state.
   *
   * @throws ArchiveError REGISTRY_* as the view refuses, CHAIN_*, CHAIN_ANSWER_INVALID when this is no registry
   */
  async read<N extends RegistryViewName>(name: N, args: RegistryViewArgs<N>): Promise<RegistryViewResult<N>> {
    return (await this.readDated(name, args)).value
  }

  /** The same, with the period that it was projected to. */
  async readDated<N extends RegistryViewName>(
    name: N,
    args: RegistryViewArgs<N>,
  ): Promise<{ readonly value: RegistryViewResult<N>; readonly period: number }> {
    const parameter = encodeRegistryViewArgs(name, args)
    // No view asks who calls, and whoever has no coins yet may read, too.
    const { returned, period } = await this.chain.callReadOnly({
      ...this.callOf(name, parameter),
      caller: this.address,
    })
    try {
      return { value: decodeRegistryResult(name, returned), period }
    } catch (cause) {
      if (!isArchiveError(cause, 'CORE_BYTES_INVALID')) throw cause
      throw new ArchiveError(
        'CHAIN_ANSWER_INVALID',
        `${this.address} did not answer ${name} as a registry does`,
        { name },
        cause,
      )
    }
  }

  /** What a call would need; refused as the call would be. */
  quote<N extends RegistryCallName>(name: N, args: RegistryCallArgs<N>, coinsNanoMas = 0n): Promise<Quote> {
    return this.chain.quote(this.callOf(name, encodeRegistryCall(name, args), coinsNanoMas))
  }

  /**
   * Sends a call and waits for its outcome. What the registry would refuse is found by a trial run and never sent.
   *
   * @throws ArchiveError REGISTRY_*, CHAIN_*
   */
  async call<N extends RegistryCallName>(
    name: N,
    args: RegistryCallArgs<N>,
    options: CallOptions = {},
  ): Promise<RegistryOutcome> {
    const parameter = encodeRegistryCall(name, args)
    const { coinsNanoMas = 0n, quote, ...others } = options
    const call = this.callOf(name, parameter, coinsNanoMas)
    const outcome = await this.chain.submit(call, quote ?? (await this.chain.quote(call)), others)
    return { ...outcome, events: readRegistryEvents(outcome.events) }
  }

  /** What the registry emitted from a period on, candidate and final, by slot; it may be dropped until it is final. */
  async readEvents(fromPeriod: number): Promise<RegistryLogEntry[]> {
    const found = await this.chain.readContractEvents(this.address, fromPeriod)
    return found.flatMap(({ slot, data }) => {
      const event = parseRegistryEvent(data)
      return event ? [{ slot, event }] : []
    })
  }

  /** All nodes as of one version of the registry. @throws ArchiveError CHAIN_ANSWER_INVALID when it never holds still */
  async readAllNodes(): Promise<readonly RegistryNode[]> {
    for (let round = 0; round < MAX_PAGE_ROUNDS; round++) {
      const nodes = await this.readPages()
      if (nodes) return nodes
    }
    throw new ArchiveError('CHAIN_ANSWER_INVALID', 'the registry changed while its nodes were read')
  }

  private async readPages(): Promise<RegistryNode[] | undefined> {
    const nodes: RegistryNode[] = []
    let version: bigint | undefined
    for (;;) {
      const page = await this.read('getNodes', { offset: BigInt(nodes.length), limit: MAX_NODE_PAGE })
      version ??= page.registryVersion
      if (page.registryVersion !== version) return undefined
      nodes.push(...page.items)
      if (page.items.length === 0 || BigInt(nodes.length) >= page.total) return nodes
    }
  }

  /** The totals, on the candidate state. @throws ArchiveError CHAIN_* as `parseState` */
  async readState(): Promise<RegistryState> {
    const [record] = await this.chain.readDatastore(this.address, [PLACEMENT_KEYS.state])
    return this.parseState(record)
  }

  /** @param record - `state` of the datastore @throws ArchiveError CHAIN_ANSWER_INVALID when this is no registry */
  parseState(record: Uint8Array | undefined): RegistryState {
    try {
      return readStateRecord(record ?? new Uint8Array())
    } catch (cause) {
      if (!isArchiveError(cause, 'CORE_BYTES_INVALID')) throw cause
      throw new ArchiveError('CHAIN_ANSWER_INVALID', `${this.address} has no state as a registry has it`, {}, cause)
    }
  }

  async readAdmin(): Promise<{ readonly admin: string | undefined; readonly pending: string | undefined }> {
    const [admin, pending] = await this.chain.readDatastore(this.address, [
      REGISTRY_KEYS.admin,
      REGISTRY_KEYS.pendingAdmin,
    ])
    return { admin: toText(admin), pending: toText(pending) }
  }

  /** A change that waits for its second call. */
  async readAnnouncement(what: 'config' | 'code'): Promise<Announcement | undefined> {
    const key = what === 'config' ? REGISTRY_KEYS.pendingConfig : REGISTRY_KEYS.pendingCode
    const [record] = await this.chain.readDatastore(this.address, [key])
    return record && decodeAnnouncement(record)
  }

  private callOf(functionName: string, parameter: Uint8Array, coinsNanoMas = 0n): ContractCall {
    return { kind: 'call', target: this.address, functionName, parameter, coinsNanoMas }
  }
}

/** Those of a registry among the events of an operation. */
export function readRegistryEvents(events: readonly string[]): RegistryEvent[] {
  return events.flatMap((data) => parseRegistryEvent(data) ?? [])
}

function toText(bytes: Uint8Array | undefined): string | undefined {
  return bytes && new TextDecoder().decode(bytes)
}
