import { readFileSync } from 'node:fs'
import { Args, DEPLOYER_BYTECODE, populateDatastore } from '@massalabs/massa-web3'
import {
  ContractEngine,
  type EngineOptions,
  type ExecuteBody,
  ModuleCache,
  type OperationOutcome,
} from '../../../devnet/engine/index.ts'
import { readProbe } from './recorded-calls.ts'

export const MAS = 1_000_000_000n
export const FEE = MAS / 100n
export const ALICE = 'AU12KzqG6QUuAmndZWsfXUNaPvQqG6uXC7HLjKPWfkFEYk4qEJfNY'
export const BOB = 'AU1VnPpmZ98ySyQLWew9FUMCGJxM9QMoBoZsypvpKYCciXyC2X9u'
/** On no ledger. */
export const NOBODY = 'AU12JKWqkVHfErN8Surwk3dXQ1kBrAS7tAGX2FSVSxEiwt9KCyscE'
export const NO_CONTRACT = 'AS12umT6fgVWXVSjXXVEdkfd14Gkc8ienLH2m3NHA4VgbQAgpdd7p'
export const ALICE_MAS = 1_000_000n
export const PROBE = readProbe('stub')
/** Has more of the host functions. */
export const HOST_PROBE: Uint8Array = readFileSync(new URL('../../fixtures/host-functions/probe.wasm', import.meta.url))
export const COUNTER: Uint8Array = readFileSync(new URL('../../fixtures/counter/counter.wasm', import.meta.url))

const modules = new ModuleCache()

/** An engine where Alice and Bob have coins. */
export function makeEngine(options: EngineOptions = {}): ContractEngine {
  const accounts: [string, bigint][] = [
    [ALICE, ALICE_MAS * MAS],
    [BOB, 10n * MAS],
  ]
  return new ContractEngine({ modules, accounts, ...options })
}

export interface CallOptions {
  readonly coins?: bigint
  readonly maxGas?: bigint
  readonly sender?: string
}

export function call(
  engine: ContractEngine,
  target: string,
  functionName: string,
  parameter: Args | Uint8Array = new Args(),
  { coins = 0n, maxGas = 500_000_000n, sender = ALICE }: CallOptions = {},
): OperationOutcome {
  const bytes = parameter instanceof Uint8Array ? parameter : parameter.serialize()
  const body = { kind: 'call-sc', target, functionName, parameter: bytes, coinsNanoMas: coins, maxGas } as const
  return engine.executeOperation({ sender, feeNanoMas: FEE, body })
}

export function transfer(engine: ContractEngine, recipient: string, amountNanoMas: bigint): OperationOutcome {
  return engine.executeOperation({
    sender: ALICE,
    feeNanoMas: FEE,
    body: { kind: 'transaction', recipient, amountNanoMas },
  })
}

/** The operation that massa-web3's SmartContract.deploy sends. */
export function makeDeployment(
  bytecode: Uint8Array,
  parameter: Args,
  options: { readonly coins?: bigint; readonly maxCoins?: bigint } = {},
): ExecuteBody {
  const coins = options.coins ?? 0n
  const contract = { data: bytecode, args: parameter.serialize(), coins }
  const datastore = [...populateDatastore([contract])].map(([key, value]) => ({ key, value }))
  const price = BigInt(bytecode.length) * 100_000n + 1_000_000n
  return {
    kind: 'execute-sc',
    bytecode: DEPLOYER_BYTECODE,
    datastore,
    maxGas: 3_980_167_295n,
    maxCoinsNanoMas: options.maxCoins ?? price + coins,
  }
}

export function deploy(
  engine: ContractEngine,
  bytecode: Uint8Array,
  parameter: Args,
  options: { readonly coins?: bigint; readonly maxCoins?: bigint } = {},
): OperationOutcome {
  return engine.executeOperation({
    sender: ALICE,
    feeNanoMas: FEE,
    body: makeDeployment(bytecode, parameter, options),
  })
}

/** What is on the ledger, to be compared. */
export function dump(engine: ContractEngine): unknown {
  const { ledger } = engine
  return [...ledger.addresses()].sort().map((address) => {
    const entries = ledger
      .keys(address)
      .map((key) => [
        Buffer.from(key).toString('latin1'),
        Buffer.from(ledger.value(address, key) ?? []).toString('hex'),
      ])
    return [address, ledger.balance(address), ledger.bytecode(address)?.length, entries]
  })
}
