import {
  computeAddressThread,
  computeOperationHash,
  encodeOperationContent,
  formatAddress,
  type OperationBody,
  SLOT_MS,
  THREAD_COUNT,
} from '../../../../core/index.ts'
import { type MadeKey, makeKey } from '../../../../devnet/index.ts'
import { DevnetChain, type DevnetChainOptions, type SentOperation } from '../../../../devnet/node/index.ts'

export const MAS = 1_000_000_000n
export const CHAIN_ID = 77n

/** A key with coins, and its thread. */
export interface Sender {
  readonly key: MadeKey
  readonly address: string
  readonly thread: number
}

export function makeSender(text: string): Sender {
  const key = makeKey(text)
  return { key, address: formatAddress(key.address), thread: computeAddressThread(key.address) }
}

export const ALICE = makeSender('alice')
export const BOB = makeSender('bob')

export const OPTIONS: DevnetChainOptions = {
  genesisTimestampMs: 1_700_000_000_000,
  accounts: [
    [ALICE.address, 100_000n * MAS],
    [BOB.address, 100_000n * MAS],
  ],
}

export function openChain(options: Partial<DevnetChainOptions> = {}): DevnetChain {
  return new DevnetChain({ ...OPTIONS, ...options })
}

/** Advances to the slot, one at a time as a driver does. */
export async function reach(chain: DevnetChain, slotIndex: number): Promise<void> {
  for (let index = indexOf(chain) + 1; index <= slotIndex; index++) {
    await chain.advanceTo(chain.genesisTimestampMs + index * SLOT_MS)
  }
}

export async function pass(chain: DevnetChain, slots: number): Promise<void> {
  await reach(chain, indexOf(chain) + slots)
}

/** Slot of the clock. */
export function indexOf(chain: DevnetChain): number {
  return chain.lastSlot.period * THREAD_COUNT + chain.lastSlot.thread
}

export interface SignOptions {
  readonly feeNanoMas?: bigint
  readonly expirePeriod?: number
}

/** Signed by the sender; valid for nine periods from now unless told otherwise. */
export function sign(
  chain: DevnetChain,
  sender: Sender,
  body: OperationBody,
  { feeNanoMas = MAS / 100n, expirePeriod = chain.lastSlot.period + 9 }: SignOptions = {},
): SentOperation {
  const content = encodeOperationContent({ feeNanoMas, expirePeriod: BigInt(expirePeriod), body })
  const { publicKey } = sender.key
  const signature = sender.key.sign(computeOperationHash(chain.chainId, publicKey, content))
  return { publicKey, signature, content }
}

/** @returns the id of what was sent */
export function send(chain: DevnetChain, sender: Sender, body: OperationBody, options?: SignOptions): string {
  return chain.accept(chain.check(sign(chain, sender, body, options)))
}

export function transfer(amountNanoMas: bigint, to: Sender = BOB): OperationBody {
  return { kind: 'transaction', recipient: to.key.address, amountNanoMas }
}
