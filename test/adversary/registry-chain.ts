import {
  decodeRegistryResult,
  encodeRegistryCall,
  encodeRegistryViewArgs,
  type RegistryCallArgs,
  type RegistryCallName,
  type RegistryConfig,
  type RegistryViewArgs,
  type RegistryViewName,
  type RegistryViewResult,
} from '../../core/index.ts'

export const CHAIN_ID = 77n
/** The least that a node takes for an operation: 0.01 MAS (facts: massa-node 5). */
export const FEE_NANO_MAS = 10_000_000n
export const DEPLOY_SLOT = { period: 10, thread: 0 } as const

/** How an operation ended. */
export interface CallResult {
  readonly ok: boolean
  /** The registry's code, when it refused. */
  readonly code: string | undefined
  readonly events: readonly string[]
}

/** Where a registry is to be, and who may change it. */
export interface RegistryStart {
  readonly admin: string
  readonly config: RegistryConfig
}

/**
 * A registry on a chain that stands still until it is told to go on; genesis at time 0. What wallets gain and spend is
 * counted from 0: everybody has enough.
 */
export abstract class RegistryChain {
  abstract readonly contract: string
  period: number = DEPLOY_SLOT.period
  private readonly wallets = new Map<string, bigint>()

  /** Slot (period, 0). */
  goTo(period: number): void {
    this.period = period
    this.enter(period)
  }

  /** An operation with its fee, which it costs also when it is refused. */
  send<N extends RegistryCallName>(from: string, name: N, args: RegistryCallArgs<N>, coinsNanoMas = 0n): CallResult {
    const result = this.execute(from, { name, parameter: encodeRegistryCall(name, args), coinsNanoMas })
    this.wallets.set(from, this.walletOf(from) + result.gainNanoMas - FEE_NANO_MAS)
    return result
  }

  view<N extends RegistryViewName>(name: N, args: RegistryViewArgs<N>): RegistryViewResult<N> {
    return decodeRegistryResult(name, this.ask(name, encodeRegistryViewArgs(name, args)))
  }

  /** nanoMAS gained since the beginning, fees taken off; below 0 when more was spent. */
  walletOf(address: string): bigint {
    return this.wallets.get(address) ?? 0n
  }

  protected abstract enter(period: number): void
  /** `gainNanoMas`: what the caller gains by the call itself, below 0 when it pays. */
  protected abstract execute(from: string, call: EncodedCall): CallResult & { readonly gainNanoMas: bigint }
  /** @throws when the view refuses */
  protected abstract ask(name: RegistryViewName, parameter: Uint8Array): Uint8Array
}

export interface EncodedCall {
  readonly name: RegistryCallName
  readonly parameter: Uint8Array
  readonly coinsNanoMas: bigint
}
