import { createHash } from 'node:crypto'
import { ed25519PublicKey, ed25519Sign } from '../../core/crypto-node.ts'
import {
  type ArchivedPeriod,
  computeBitmap,
  computeBlockId,
  computeChunkId,
  computeHeaderSignedHash,
  computeOperationId,
  computeOperationsHash,
  computePeriodRoot,
  concatBytes,
  cutChunks,
  type EncodedBodySlot,
  encodeBlockRecord,
  encodeBody,
  encodeHeaderContent,
  encodeOperationContent,
  encodeSeals,
  formatBlockId,
  type Slot,
  type SpooledBlock,
  type StoreIdentity,
} from '../../core/index.ts'

export const TEST_IDENTITY: StoreIdentity = {
  network: { chainId: 77n, genesisTimestampMs: 1_795_246_964_000n },
  chunkSizeBytes: 4096,
}

export interface SyntheticShape {
  readonly identity?: StoreIdentity
  readonly seed?: string
  /** Blocks, in threads 0, 1, ...; default 3. */
  readonly blocks?: number
  /** Per block; default 2. */
  readonly operations?: number
  /** Of each operation's bytecode; default 900. */
  readonly operationBytes?: number
  /** What each block names, 33 bytes for each thread; default: noise. */
  readonly parents?: readonly Uint8Array[]
  /** Every signature verifies; 0.1 ms each. Else they are noise. */
  readonly isSigned?: boolean
  /** Operations are not reproducible: their ids are those of other contents. */
  readonly isUnbound?: boolean
}

/** A period that parses and roots as a real one does; equal arguments give equal bytes. */
export function makePeriod(period: number, shape: SyntheticShape = {}): ArchivedPeriod {
  const { network, chunkSizeBytes } = shape.identity ?? TEST_IDENTITY
  const blocks = Array.from({ length: shape.blocks ?? 3 }, (_, thread) => makeBlock({ period, thread }, shape))
  const slots = Array.from({ length: 32 }, (_, thread): EncodedBodySlot => {
    const block = blocks[thread]
    return block ? { kind: 'block', record: block.record } : { kind: 'miss' }
  })
  const chunks = cutChunks(encodeBody(network, period, slots), chunkSizeBytes)
  const manifest = {
    network,
    period,
    bitmap: computeBitmap(slots),
    chunks: chunks.map((chunk) => ({ byteLength: chunk.length, chunkId: computeChunkId(chunk) })),
  }
  return {
    manifest,
    chunks,
    seals: encodeSeals(
      network,
      period,
      blocks.map(({ seals }) => seals),
    ),
    executionResults: noise(`execution ${period} ${shape.seed}`, 40),
    summary: {
      period,
      root: computePeriodRoot(manifest),
      bodyBytes: chunks.reduce((sum, chunk) => sum + chunk.length, 0),
      blocks: blocks.length,
      operations: blocks.reduce((sum, block) => sum + block.operationCount, 0),
      chunks: chunks.length,
    },
  }
}

/** A block as the spool holds it. */
export function makeBlock(slot: Slot, shape: SyntheticShape = {}): SpooledBlock {
  const { network } = shape.identity ?? TEST_IDENTITY
  const name = `${shape.seed} ${slot.period} ${slot.thread}`
  const secret = noise(`key ${name}`, 32)
  const publicKey = concatBytes(Uint8Array.of(0), shape.isSigned ? ed25519PublicKey(secret) : secret)
  const operations = Array.from({ length: shape.operations ?? 2 }, (_, i) => {
    const content = encodeOperationContent({
      feeNanoMas: 1n,
      expirePeriod: BigInt(slot.period + 5),
      body: {
        kind: 'execute-sc',
        maxGas: 1n,
        maxCoinsNanoMas: 0n,
        bytecode: noise(`operation ${name} ${i}`, shape.operationBytes ?? 900),
        datastore: [],
      },
    })
    if (!shape.isUnbound) {
      return { id: computeOperationId(network.chainId, publicKey, content), publicKey, content, reproducible: true }
    }
    const id = computeOperationId(network.chainId, publicKey, noise(`lost ${name} ${i}`, 100))
    return { id, publicKey, content, reproducible: false, serializedSizeBytes: content.length + 98 }
  })
  const operationIds = operations.map(({ id }) => id)
  const parents =
    slot.period === 0
      ? []
      : (shape.parents ?? Array.from({ length: 32 }, (_, i) => concatBytes(Uint8Array.of(0), noise(`parent ${i}`, 32))))
  const headerContent = encodeHeaderContent({
    currentVersion: 0,
    slot,
    parents,
    operationsHash: computeOperationsHash(operationIds),
    endorsements: [],
    denunciations: [],
  })
  const id = computeBlockId(publicKey, headerContent)
  const signed = [
    computeHeaderSignedHash(publicKey, slot, id.subarray(1)),
    ...operationIds.map((one) => one.subarray(1)),
  ]
  return {
    id: formatBlockId(id),
    slot,
    parents: parents.map((parent) => formatBlockId(parent)),
    operationCount: operations.length,
    record: encodeBlockRecord({ publicKey, headerContent, operationIds, operations }),
    seals: shape.isSigned
      ? concatBytes(...signed.map((hash) => ed25519Sign(secret, hash)))
      : noise(`seals ${name}`, 64 * signed.length),
  }
}

/** Bytes that do not compress, the same for the same name. */
export function noise(name: string, lengthBytes: number): Uint8Array {
  return new Uint8Array(createHash('shake128', { outputLength: lengthBytes }).update(name).digest())
}
