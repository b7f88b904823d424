import { DEPLOYER_BYTECODE, populateDatastore } from '@massalabs/massa-web3'
import { encodeRegistryCall, type RegistryViewName } from '../../core/index.ts'
import { ContractEngine, ModuleCache } from '../../devnet/engine/index.ts'
import { readContractCode } from '../fuzz/registry/contract-code.ts'
import {
  type CallResult,
  CHAIN_ID,
  DEPLOY_SLOT,
  type EncodedCall,
  FEE_NANO_MAS,
  RegistryChain,
  type RegistryStart,
} from './registry-chain.ts'

const MAX_GAS = 3_900_000_000n
/** So that nobody's wallet is ever empty. */
const WALLET_NANO_MAS = 10n ** 16n
const DEPLOY_COINS_NANO_MAS = 10n ** 9n
const modules = new ModuleCache()

/** The shipped wasm under a node's own rules. */
export class WasmChain extends RegistryChain {
  readonly contract: string
  private readonly engine: ContractEngine

  static deploy(start: RegistryStart): WasmChain {
    return new WasmChain(start)
  }

  private constructor({ admin, config }: RegistryStart) {
    super()
    const accounts: [string, bigint][] = [[admin, WALLET_NANO_MAS]]
    this.engine = new ContractEngine({ modules, chainId: CHAIN_ID, slot: DEPLOY_SLOT, accounts })
    const args = encodeRegistryCall('constructor', { admin, config })
    const entries = populateDatastore([{ data: readContractCode(), args, coins: DEPLOY_COINS_NANO_MAS }])
    const outcome = this.engine.executeOperation({
      sender: admin,
      feeNanoMas: FEE_NANO_MAS,
      body: {
        kind: 'execute-sc',
        bytecode: DEPLOYER_BYTECODE,
        datastore: [...entries].map(([key, value]) => ({ key, value })),
        maxGas: MAX_GAS,
        maxCoinsNanoMas: WALLET_NANO_MAS / 2n,
      },
    })
    if (!outcome.success) throw new Error(outcome.error)
    this.contract = [...outcome.changes.keys()].find((address) => address.startsWith('AS')) ?? ''
  }

  protected enter(period: number): void {
    this.engine.setSlot({ period, thread: 0 })
  }

  protected execute(
    from: string,
    { name, parameter, coinsNanoMas }: EncodedCall,
  ): CallResult & { readonly gainNanoMas: bigint } {
    const { ledger } = this.engine
    ledger.setBalance(from, WALLET_NANO_MAS)
    const outcome = this.engine.executeOperation({
      sender: from,
      feeNanoMas: FEE_NANO_MAS,
      body: { kind: 'call-sc', target: this.contract, functionName: name, parameter, coinsNanoMas, maxGas: MAX_GAS },
    })
    return {
      ok: outcome.success,
      code: /REGISTRY_[A-Z_]+/.exec(outcome.error ?? '')?.[0],
      events: outcome.events.map(({ data }) => data),
      gainNanoMas: ledger.balance(from) - WALLET_NANO_MAS + FEE_NANO_MAS,
    }
  }

  protected ask(name: RegistryViewName, parameter: Uint8Array): Uint8Array {
    const call = { caller: this.contract, target: this.contract, functionName: name, parameter, maxGas: MAX_GAS }
    const outcome = this.engine.executeReadOnlyCall(call)
    if (!outcome.success) throw new Error(`${name}: ${outcome.error}`)
    return Uint8Array.from(outcome.returned)
  }
}
