import {
  computeAddressThread,
  computeOperationId,
  encodeOperationContent,
  formatOperationId,
  type Operation,
  type OperationBody,
  operationToProtobuf,
  SignedOperationCodec,
  type Slot,
  THREAD_COUNT,
} from '../core/index.ts'
import { type MadeKey, makeKey } from './made-key.ts'

const KEYS_PER_THREAD = 2
/** As massa-web3 sends them: valid for this many periods more. */
const VALIDITY_PERIODS = 9n
const KINDS: readonly OperationBody['kind'][] = ['transaction', 'roll-buy', 'roll-sell', 'execute-sc', 'call-sc']

/** `transfers` fills blocks with the smallest operations there are, as a chain under load does. */
export type OperationMix = 'all-kinds' | 'transfers'

export interface MadeOperation {
  /** 33 bytes */
  readonly id: Uint8Array
  readonly idText: string
  /** A SignedOperation message. */
  readonly message: Uint8Array
  /** Of its sender: the only thread whose blocks may hold it. */
  readonly thread: number
}

/** Makes validly signed operations, no two alike. */
export class OperationMaker {
  private readonly chainId: bigint
  private readonly mix: OperationMix
  private readonly seed: string
  /** Found when the first operation is made: many a chain has none. */
  private found: readonly (readonly MadeKey[])[] | undefined
  private count = 0

  constructor(options: { readonly seed: string; readonly chainId: bigint; readonly mix: OperationMix }) {
    this.chainId = options.chainId
    this.mix = options.mix
    this.seed = options.seed
  }

  /** The next operation that may enter a block of this slot. */
  makeNext(slot: Slot): MadeOperation {
    const kind = this.mix === 'transfers' ? 'transaction' : (KINDS[this.count % KINDS.length] ?? 'transaction')
    const sender = this.pickSender(slot.thread)
    const operation: Operation = {
      feeNanoMas: 10_000_000n,
      expirePeriod: BigInt(slot.period) + VALIDITY_PERIODS,
      body: this.makeBody(kind),
    }
    this.count++
    const id = computeOperationId(this.chainId, sender.publicKey, encodeOperationContent(operation))
    const signature = sender.sign(id.subarray(1))
    const { publicKey } = sender
    const message = SignedOperationCodec.encode(
      operationToProtobuf(this.chainId, { publicKey, signature, content: operation }),
    )
    return { id, idText: formatOperationId(id), message, thread: slot.thread }
  }

  private makeBody(kind: OperationBody['kind']): OperationBody {
    // The number makes each operation unlike all others, so ids never repeat.
    const number = BigInt(this.count)
    const bytes = new TextEncoder().encode(`operation ${number}`)
    switch (kind) {
      case 'transaction':
        return { kind, recipient: this.pickSender(this.count % THREAD_COUNT).address, amountNanoMas: number }
      case 'roll-buy':
      case 'roll-sell':
        return { kind, rollCount: number + 1n }
      case 'execute-sc': {
        // Keys ascend, as a node needs them to give the bytes back.
        const datastore = [1, 2, 3].map((key) => ({ key: Uint8Array.of(key), value: bytes }))
        return { kind, maxGas: 1_000_000_000n, maxCoinsNanoMas: number, bytecode: bytes, datastore }
      }
      case 'call-sc':
        return {
          kind,
          maxGas: 10_000_000n,
          coinsNanoMas: number,
          target: this.contract(),
          functionName: 'touch',
          parameter: bytes,
        }
    }
  }

  /** An address of a contract: nobody calls it. */
  private contract(): Uint8Array {
    const address = Uint8Array.from(this.pickKey(0, 0).address)
    address[0] = 1
    return address
  }

  private pickSender(thread: number): MadeKey {
    return this.pickKey(thread, this.count % KEYS_PER_THREAD)
  }

  private pickKey(thread: number, at: number): MadeKey {
    this.found ??= findSenders(this.seed)
    const key = this.found[thread]?.[at]
    if (!key) throw new Error(`thread ${thread} has no sender`)
    return key
  }
}

/** Keys until every thread has enough of them: about 130 tries. */
function findSenders(seed: string): MadeKey[][] {
  const senders: MadeKey[][] = Array.from({ length: THREAD_COUNT }, () => [])
  for (let i = 0; senders.some((keys) => keys.length < KEYS_PER_THREAD); i++) {
    const key = makeKey(`${seed} sender ${i}`)
    const keys = senders[computeAddressThread(key.address)]
    if (keys && keys.length < KEYS_PER_THREAD) keys.push(key)
  }
  return senders
}
