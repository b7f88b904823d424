import { readFileSync } from 'node:fs'
import { Account, Args, JsonRpcProvider, PublicAPI, SmartContract } from '@massalabs/massa-web3'
import type { DevnetChainOptions } from '../../../../devnet/node/index.ts'
import { type Face, MAS, makeWallet, SteppedClock, startFace, type Wallet } from '../face.ts'

export const COUNTER = readContract('counter/counter.wasm')
export const PROBE = readContract('contract-calls/probe-stub.wasm')

export const ALICE = makeWallet('alice')
export const BOB = makeWallet('bob')
/** Has nothing, and is nowhere on the ledger. */
export const NOBODY = makeWallet('nobody')

const PERIOD_MS = 16_000
/** An operation is executed in the period after its own at the latest. */
const PERIODS_TO_EXECUTION = 2
/** With the face's few blocks. */
const PERIODS_TO_FINALITY = 6

/** massa-web3, as it is published, on a chain whose time passes when it is told to. */
export interface Web3Face extends Face {
  readonly clock: SteppedClock
  /** Alice's. */
  readonly provider: JsonRpcProvider
  readonly api: PublicAPI
  providerOf(wallet: Wallet): Promise<JsonRpcProvider>
  /** Lets what was sent be executed. */
  execute(): void
  /** Lets what was sent become final. */
  finalize(): void
  pass(periods: number): void
  /** Deploys as massa-web3 does, while a period passes with every request: it looks twice a second, and the contract is not to be final by then. */
  deploy(code: Uint8Array, args?: Args, options?: Parameters<typeof SmartContract.deploy>[3]): Promise<SmartContract>
  /** A period passes with every request until the promise is settled. */
  whilePassing<T>(run: () => Promise<T>): Promise<T>
}

/** Alice and Bob hold 100,000 MAS each. */
export async function openWeb3Face(options: Partial<DevnetChainOptions> = {}): Promise<Web3Face> {
  const clock = new SteppedClock()
  let isPassing = false
  const nowMs = () => {
    if (isPassing) clock.advance(PERIOD_MS)
    return clock.nowMs()
  }
  const face = await startFace({ nowMs }, [ALICE, BOB], options)
  const providerOf = async ({ secret }: Wallet) =>
    new JsonRpcProvider(
      new PublicAPI(face.url, { retry: { retries: 0, delay: 0 } }),
      await Account.fromPrivateKey(secret),
    )
  const provider = await providerOf(ALICE)
  const pass = (periods: number) => {
    for (let i = 0; i < periods; i++) clock.advance(PERIOD_MS)
  }
  const whilePassing = async <T>(run: () => Promise<T>): Promise<T> => {
    isPassing = true
    try {
      return await run()
    } finally {
      isPassing = false
    }
  }
  return {
    ...face,
    clock,
    provider,
    api: provider.client,
    providerOf,
    execute: () => pass(PERIODS_TO_EXECUTION),
    finalize: () => pass(PERIODS_TO_EXECUTION + PERIODS_TO_FINALITY),
    pass,
    deploy: (code, args = new Args(), options = { coins: MAS }) =>
      whilePassing(() => SmartContract.deploy(provider, code, args, options)),
    whilePassing,
  }
}

function readContract(path: string): Uint8Array {
  return Uint8Array.from(readFileSync(new URL(`../../../fixtures/${path}`, import.meta.url)))
}
