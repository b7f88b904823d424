import assert from 'node:assert/strict'
import { type VerifiedBlock, verifyFilledBlock } from '../../archiver/verify-block.ts'
import {
  type BlockRecord,
  ByteReader,
  computeGenesisBlock,
  computeHeaderSignedHash,
  computeOperationId,
  concatBytes,
  type DatastoreEntry,
  type ErrorCode,
  encodeOperationContent,
  formatOperationId,
  type Operation,
  operationToProtobuf,
  RawFilledBlockCodec,
  type RawFilledBlockMessage,
  readBlockRecord,
  SEAL_BYTES,
  SignedBlockHeaderCodec,
  type SignedBlockHeaderMessage,
  SignedOperationCodec,
  type SignedOperationMessage,
  THREAD_COUNT,
  toU64,
  verifySignature,
} from '../../core/index.ts'
import { encodeFilledBlock, type MadeBlock, type MadeOperation, makeKey, signBlock } from '../../devnet/index.ts'
import { hasCode } from '../suites/chunk-store-suite.ts'

export const CHAIN = 77n
export const NETWORK = { chainId: CHAIN, genesisTimestampMs: 0n }
export const MAINNET = 77658377n
export const SLOT = { period: 3, thread: 4 }
const PARENTS = Array.from({ length: THREAD_COUNT }, (_, thread) => computeGenesisBlock({ period: 0, thread }).id)
export const producer = makeKey('verify-block.test producer')
export const sender = makeKey('verify-block.test sender')

/** The record of a verified block, read as whoever opens a BODY reads it. */
export function readRecord(block: VerifiedBlock, chainId = CHAIN): BlockRecord {
  const reader = new ByteReader(block.record)
  const record = readBlockRecord(reader, { ...NETWORK, chainId }, block.slot)
  reader.end()
  return record
}

/** What stands in SEALS verifies over what stands in BODY. */
export function assertSealed(block: VerifiedBlock, record: BlockRecord): void {
  const signatures = Array.from({ length: block.seals.length / SEAL_BYTES }, (_, i) =>
    concatBytes(Uint8Array.of(0), block.seals.subarray(i * SEAL_BYTES, (i + 1) * SEAL_BYTES)),
  )
  const [own, ...ofOperations] = signatures
  const { publicKey, header, id, operations } = record
  assert.ok(own && verifySignature(publicKey, computeHeaderSignedHash(publicKey, header.slot, id.subarray(1)), own))
  assert.equal(ofOperations.length, operations.length)
  for (const [i, operation] of operations.entries()) {
    const signature = ofOperations[i]
    assert.ok(signature && verifySignature(operation.publicKey, operation.id.subarray(1), signature))
  }
}

function signOperation(content: Operation, chainId = CHAIN): MadeOperation {
  return showOperation(content, content, chainId)
}

/** An operation that was sent as `original` and is shown as `shown`. */
export function showOperation(original: Operation, shown: Operation, chainId = CHAIN): MadeOperation {
  const { publicKey } = sender
  const bytes = encodeOperationContent(original)
  const id = computeOperationId(chainId, publicKey, bytes)
  const signature = sender.sign(id.subarray(1))
  const message = operationToProtobuf(chainId, { publicKey, signature, content: shown })
  const serializedSize = toU64(BigInt(bytes.length + 98))
  return {
    id,
    idText: formatOperationId(id),
    message: SignedOperationCodec.encode({ ...message, serializedSize }),
    thread: SLOT.thread,
  }
}

export function transfer(nanoMas: bigint): MadeOperation {
  const body = { kind: 'transaction' as const, recipient: sender.address, amountNanoMas: nanoMas }
  return signOperation({ feeNanoMas: 1n, expirePeriod: 10n, body })
}

export function deployment(datastore: readonly DatastoreEntry[]): Operation {
  const body = {
    kind: 'execute-sc' as const,
    maxGas: 1n,
    maxCoinsNanoMas: 0n,
    bytecode: Uint8Array.of(1, 2),
    datastore,
  }
  return { feeNanoMas: 1n, expirePeriod: 10n, body }
}

export function entries(...keys: number[]): DatastoreEntry[] {
  return keys.map((key) => ({ key: Uint8Array.of(key), value: Uint8Array.of(key, key) }))
}

export function blockOf(operations: readonly MadeOperation[], header: Partial<MadeBlock['header']> = {}): MadeBlock {
  return signBlock(producer, { slot: SLOT, parents: PARENTS, ...header }, operations)
}

/** A block as it is sent, after a change. */
export function send(
  block: MadeBlock,
  change: (message: RawFilledBlockMessage) => RawFilledBlockMessage = (m) => m,
): Uint8Array {
  return RawFilledBlockCodec.encode(change(RawFilledBlockCodec.decode(encodeFilledBlock(block))))
}

export function changeHeader(
  block: MadeBlock,
  change: (header: SignedBlockHeaderMessage) => SignedBlockHeaderMessage,
): Uint8Array {
  const header = SignedBlockHeaderCodec.encode(change(SignedBlockHeaderCodec.decode(block.headerMessage)))
  return send(block, (message) => ({ ...message, header }))
}

export function changeOperation(
  bytes: Uint8Array | null | undefined,
  change: (m: SignedOperationMessage) => SignedOperationMessage,
) {
  return SignedOperationCodec.encode(change(SignedOperationCodec.decode(bytes ?? new Uint8Array(0))))
}

export function assertRefused(code: ErrorCode, filledBlock: Uint8Array, expectedId?: string): void {
  assert.throws(() => verifyFilledBlock(filledBlock, CHAIN, expectedId), hasCode(code))
}
