import { ed25519PublicKey, ed25519Sign } from '#crypto'
import {
  computeBlockId,
  computeHeaderSignedHash,
  computeOperationId,
  computeOperationsHash,
  concatBytes,
  type EncodedBodySlot,
  encodeBlockRecord,
  encodeBody,
  encodeHeaderContent,
  encodeOperationContent,
  encodeSeals,
  type Operation,
  type RecordedOperation,
} from '../../core/index.ts'

export const NETWORK = { chainId: 77n, genesisTimestampMs: 1_705_312_800_000n }
export const PERIOD = 9
const SEED = new Uint8Array(32).fill(6)
const PUBLIC_KEY = concatBytes(Uint8Array.of(0), ed25519PublicKey(SEED))

const OPERATIONS: readonly Operation[] = [
  {
    feeNanoMas: 10_000_000n,
    expirePeriod: 15n,
    body: { kind: 'transaction', recipient: new Uint8Array(34), amountNanoMas: 5n },
  },
  {
    feeNanoMas: 20n,
    expirePeriod: 15n,
    body: {
      kind: 'call-sc',
      maxGas: 2_100_000n,
      coinsNanoMas: 0n,
      target: Uint8Array.from({ length: 34 }, (_, i) => (i === 0 ? 1 : 0)),
      functionName: 'héllo',
      parameter: Uint8Array.of(1, 2, 3),
    },
  },
]

/** An ExecuteSC whose original nobody knows: its id hashes something else. */
const LOST: Operation = {
  feeNanoMas: 1n,
  expirePeriod: 15n,
  body: {
    kind: 'execute-sc',
    maxGas: 1n,
    maxCoinsNanoMas: 0n,
    bytecode: Uint8Array.of(0, 0x61, 0x73, 0x6d),
    datastore: [1, 2].map((key) => ({ key: Uint8Array.of(key), value: Uint8Array.of(9) })),
  },
}

/** BODY and SEALS of a period with one block in thread 3 (one operation listed twice), a void thread 31, misses elsewhere. */
export function makeSmallPeriod(): { body: Uint8Array; seals: Uint8Array } {
  const operations: RecordedOperation[] = OPERATIONS.map((operation) => {
    const content = encodeOperationContent(operation)
    return {
      id: computeOperationId(NETWORK.chainId, PUBLIC_KEY, content),
      publicKey: PUBLIC_KEY,
      content,
      reproducible: true,
    }
  })
  const content = encodeOperationContent(LOST)
  const lostId = computeOperationId(NETWORK.chainId, PUBLIC_KEY, Uint8Array.of(1))
  const serializedSizeBytes = content.length + 98 + 4
  operations.push({ id: lostId, publicKey: PUBLIC_KEY, content, reproducible: false, serializedSizeBytes })
  const distinct = operations.map(({ id }) => id)
  const operationIds = [...distinct, ...distinct.slice(0, 1)]
  const slot = { period: PERIOD, thread: 3 }
  const headerContent = encodeHeaderContent({
    currentVersion: 1,
    slot,
    parents: Array.from({ length: 32 }, (_, i) => new Uint8Array(33).fill(i, 1)),
    operationsHash: computeOperationsHash(operationIds),
    endorsements: [{ signature: new Uint8Array(65), publicKey: PUBLIC_KEY, index: 4 }],
    denunciations: [],
  })
  const id = computeBlockId(PUBLIC_KEY, headerContent)
  const record = encodeBlockRecord({ publicKey: PUBLIC_KEY, headerContent, operationIds, operations })
  const slots: EncodedBodySlot[] = Array.from({ length: 32 }, (_, thread) =>
    thread === 3 ? { kind: 'block', record } : { kind: thread === 31 ? 'void' : 'miss' },
  )
  const signed = [computeHeaderSignedHash(PUBLIC_KEY, slot, id.subarray(1)), ...distinct.map((one) => one.subarray(1))]
  const signatures = concatBytes(...signed.map((hash) => ed25519Sign(SEED, hash)))
  return {
    body: encodeBody(NETWORK, PERIOD, slots),
    seals: encodeSeals(NETWORK, PERIOD, [signatures]),
  }
}
