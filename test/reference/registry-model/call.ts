import type { Slot } from '../../../core/index.ts'

/** Where and when a call runs, and by whom. */
export interface Call {
  readonly caller: string
  /** Sent with the call. */
  readonly coinsNanoMas: bigint
  readonly slot: Slot
  readonly timestampMs: bigint
  /** Arguments, as bytes. */
  readonly parameter: Uint8Array
}

/** What one call does beside changing the state. */
export class Effects {
  readonly events: string[] = []
  /** A new bytecode, if the call is an upgrade that is due. */
  bytecode: Uint8Array | undefined

  emit(name: string, ...fields: readonly (string | bigint | boolean)[]): void {
    this.events.push(`${name}:${fields.join(',')}`)
  }
}

/** What every function of the model is given. */
export interface Context {
  readonly call: Call
  readonly now: bigint
  readonly era: bigint
  readonly effects: Effects
  /** Of the chain, and the contract's address in it. */
  readonly chainId: bigint
  readonly contract: string
  /** Coins that came from nowhere: donations. */
  surplus: bigint
}
