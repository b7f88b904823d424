import { encodeRegistryCall, PERIOD_MS, type RegistryViewName } from '../../core/index.ts'
import { RegistryModel } from '../reference/registry-model.ts'
import {
  type CallResult,
  CHAIN_ID,
  DEPLOY_SLOT,
  type EncodedCall,
  RegistryChain,
  type RegistryStart,
} from './registry-chain.ts'

const CONTRACT = 'AS12UN5gcQ5gck2oCtw8YWEX9FcSXAxFVosCJiv7rXYK8qi68t268'
/** Nothing here upgrades. */
const BYTECODE = Uint8Array.of(0)
const DEPLOY_COINS_NANO_MAS = 10n ** 9n

/** The registry as the reference model says it: what the tests of the contract hold the wasm against. */
export class ModelChain extends RegistryChain {
  readonly contract = CONTRACT
  private readonly model: RegistryModel
  private slot: { readonly period: number; readonly thread: number } = DEPLOY_SLOT

  static deploy(start: RegistryStart): ModelChain {
    return new ModelChain(start)
  }

  private constructor({ admin, config }: RegistryStart) {
    super()
    const { model } = RegistryModel.deploy({
      chainId: CHAIN_ID,
      contract: CONTRACT,
      parameter: encodeRegistryCall('constructor', { admin, config }),
      coinsNanoMas: DEPLOY_COINS_NANO_MAS,
      slot: this.slot,
      timestampMs: this.timestampMs,
      bytecode: BYTECODE,
    })
    this.model = model
  }

  private get timestampMs(): bigint {
    return BigInt(this.slot.period * PERIOD_MS)
  }

  protected enter(period: number): void {
    this.slot = { period, thread: 0 }
  }

  protected execute(
    from: string,
    { name, parameter, coinsNanoMas }: EncodedCall,
  ): CallResult & { readonly gainNanoMas: bigint } {
    const { slot, timestampMs } = this
    const outcome = this.model.run(name, { caller: from, coinsNanoMas, slot, timestampMs, parameter })
    if (!outcome.success) return { ok: false, code: outcome.code, events: [], gainNanoMas: 0n }
    return { ok: true, code: undefined, events: outcome.events, gainNanoMas: outcome.refundNanoMas - coinsNanoMas }
  }

  protected ask(name: RegistryViewName, parameter: Uint8Array): Uint8Array {
    const { slot, timestampMs } = this
    const call = { caller: CONTRACT, coinsNanoMas: 0n, slot, timestampMs, parameter }
    const outcome = this.model.run(name, call, { readOnly: true })
    if (!outcome.success) throw new Error(`${name}: ${outcome.code}`)
    return outcome.returned
  }
}
