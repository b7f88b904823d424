import {
  computeOperationHash,
  encodeOperationContent,
  formatAddress,
  formatPublicKey,
  formatSignature,
  type OperationBody,
} from '../../core/index.ts'
import { type MadeKey, makeKey } from '../made-key.ts'
import type { NodeCalls } from './node-link.ts'

const FEE_NANO_MAS = 10_000_000n
export const VALIDITY_PERIODS = 9

/** A key that everybody can make from the seed: it holds coins of a devnet alone. */
export class SignedSender {
  readonly address: string
  private readonly key: MadeKey
  private readonly chainId: bigint

  constructor(name: string, chainId: bigint) {
    this.key = makeKey(name)
    this.address = formatAddress(this.key.address)
    this.chainId = chainId
  }

  get addressBytes(): Uint8Array {
    return this.key.address
  }

  /** @returns the id of the operation; throws what the node says */
  async send(link: NodeCalls, period: number, body: OperationBody): Promise<string> {
    const { key, chainId } = this
    const expirePeriod = BigInt(period + VALIDITY_PERIODS)
    const content = encodeOperationContent({ feeNanoMas: FEE_NANO_MAS, expirePeriod, body })
    const signature = key.sign(computeOperationHash(chainId, key.publicKey, content))
    const sent = {
      creator_public_key: formatPublicKey(key.publicKey),
      signature: formatSignature(signature),
      serialized_content: [...content],
    }
    const [id] = (await link.call('send_operations', [[sent]])) as string[]
    return id ?? ''
  }
}
