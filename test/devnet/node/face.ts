import { createHash } from 'node:crypto'
import type { Clock } from '../../../core/index.ts'
import { concatBytes, formatAddress, formatSecretKey } from '../../../core/index.ts'
import { makeKey } from '../../../devnet/index.ts'
import {
  DevnetChain,
  type DevnetChainOptions,
  type JsonRpcServer,
  startJsonRpcServer,
} from '../../../devnet/node/index.ts'

export const MAS = 1_000_000_000n
export const GENESIS_MS = 1_700_000_000_000

/** A key that a text decides, as a wallet holds it. */
export interface Wallet {
  readonly secret: string
  readonly seed: Uint8Array
  readonly address: string
}

export function makeWallet(text: string): Wallet {
  const seed = createHash('sha256').update(text).digest()
  return {
    seed,
    secret: formatSecretKey(concatBytes(Uint8Array.of(0), seed)),
    address: formatAddress(makeKey(text).address),
  }
}

/** Time that passes only while somebody sleeps, at once. */
export class SteppedClock implements Clock {
  private timeMs: number

  constructor(timeMs = GENESIS_MS + 20_000) {
    this.timeMs = timeMs
  }

  nowMs(): number {
    return this.timeMs
  }

  monotonicMs(): number {
    return this.timeMs
  }

  advance(durationMs: number): void {
    this.timeMs += durationMs
  }

  sleep(durationMs: number): Promise<void> {
    this.advance(durationMs)
    return new Promise((resolve) => setImmediate(resolve))
  }
}

/** Time that passes with every request: for another process, however fast or slow it is. */
export function makeRequestClock(stepMs: number): Pick<Clock, 'nowMs'> {
  let timeMs = GENESIS_MS + 20_000
  return {
    nowMs: () => {
      timeMs += stepMs
      return timeMs
    },
  }
}

export interface Face extends JsonRpcServer {
  readonly chain: DevnetChain
}

/** Few blocks, each final when three more were made: about 100 slots later, as with most of the stake online. */
const FAST = { endorsements: 0, deltaF0: 2, skipsEmptyBlocks: true }

/** A chain behind its JSON-RPC; each wallet holds 100,000 MAS. */
export async function startFace(
  clock: Pick<Clock, 'nowMs'>,
  wallets: readonly Wallet[],
  options: Partial<DevnetChainOptions> = {},
): Promise<Face> {
  const accounts = wallets.map(({ address }) => [address, 100_000n * MAS] as const)
  const chain = new DevnetChain({ genesisTimestampMs: GENESIS_MS, accounts, ...FAST, ...options })
  return { chain, ...(await startJsonRpcServer({ chain, clock })) }
}
