import { attestExecutions } from '../../../archiver/attestation.ts'
import { encodeExecution } from '../../../archiver/execution-results.ts'
import {
  type ArchivedPeriod,
  computeBitmap,
  computeChunkId,
  computeOperationId,
  computeOperationsHash,
  computePeriodRoot,
  computePublicKey,
  concatBytes,
  cutChunks,
  type EncodedBodySlot,
  encodeBlockRecord,
  encodeBody,
  encodeHeaderContent,
  encodeOperationContent,
  encodeRegistryCall,
  encodeSeals,
  formatOperationId,
  parseAddress,
  toHex,
} from '../../../core/index.ts'
import type { ChallengeTarget } from '../../../storage-worker/challenge/chain-challenger.ts'
import { addressOf } from '../replication/made-nodes.ts'
import { noise, TEST_IDENTITY } from '../synthetic-period.ts'

/** One call of `issueChallenges`. */
export interface MadeIssue {
  /** 32-byte secret of who signs the operation. */
  readonly seed: Uint8Array
  readonly node: string
  readonly targets: readonly ChallengeTarget[]
  /** Address of a contract between the signer and the registry. */
  readonly through?: string
  /** The registry refused it. */
  readonly isFailed?: boolean
}

/** A period with one block in thread 0, whose operations issue challenges, and what executing it did. */
export function makeIssuedPeriod(
  period: number,
  registry: string,
  issues: readonly MadeIssue[],
  isComplete = true,
): ArchivedPeriod {
  const { network, chunkSizeBytes } = TEST_IDENTITY
  const operations = issues.map(({ seed, node, targets }) => {
    const publicKey = computePublicKey(concatBytes(Uint8Array.of(0), seed))
    const parameter = encodeRegistryCall('issueChallenges', {
      challengeIds: targets.map(({ challengeId }) => challengeId),
      nodeAddress: node,
      chunkIds: targets.map(({ chunkId }) => toHex(chunkId)),
      nonces: targets.map(({ nonce }) => nonce),
    })
    const call = { maxGas: 1n, coinsNanoMas: 0n, target: parseAddress(registry), functionName: 'issueChallenges' }
    const body = { kind: 'call-sc', ...call, parameter } as const
    const content = encodeOperationContent({ feeNanoMas: 1n, expirePeriod: BigInt(period + 5), body })
    return { id: computeOperationId(network.chainId, publicKey, content), publicKey, content, reproducible: true }
  })
  const operationIds = operations.map(({ id }) => id)
  const publicKey = concatBytes(Uint8Array.of(0), noise(`key ${period}`, 32))
  const headerContent = encodeHeaderContent({
    currentVersion: 0,
    slot: { period, thread: 0 },
    parents: Array.from({ length: 32 }, (_, i) => concatBytes(Uint8Array.of(0), noise(`parent ${i}`, 32))),
    operationsHash: computeOperationsHash(operationIds),
    endorsements: [],
    denunciations: [],
  })
  const record = encodeBlockRecord({ publicKey, headerContent, operationIds, operations })
  const slots = Array.from(
    { length: 32 },
    (_, thread): EncodedBodySlot => (thread === 0 ? { kind: 'block', record } : { kind: 'miss' }),
  )
  const chunks = cutChunks(encodeBody(network, period, slots), chunkSizeBytes)
  const manifest = {
    network,
    period,
    bitmap: computeBitmap(slots),
    chunks: chunks.map((chunk) => ({ byteLength: chunk.length, chunkId: computeChunkId(chunk) })),
  }
  const events = issues.flatMap(({ seed, node, targets, through, isFailed = false }, i) =>
    targets.map(({ challengeId, chunkId }, j) => ({
      indexInSlot: 8 * i + j,
      callStack: [addressOf(seed), ...(through ? [through] : []), registry],
      operationId: formatOperationId(operationIds[i] ?? new Uint8Array()),
      failed: isFailed,
      data: new TextEncoder().encode(`CHALLENGE_ISSUED:${challengeId},${node},${toHex(chunkId)}`),
    })),
  )
  const execution = encodeExecution({ source: 'stream', complete: isComplete, trailHash: '', outcomes: [], events })
  return {
    manifest,
    chunks,
    seals: encodeSeals(network, period, [noise(`seals ${period}`, 64 * (1 + operations.length))]),
    executionResults: attestExecutions(new Map([[0, execution]]), { network, period }),
    summary: {
      period,
      root: computePeriodRoot(manifest),
      bodyBytes: chunks.reduce((sum, chunk) => sum + chunk.length, 0),
      blocks: 1,
      operations: operations.length,
      chunks: chunks.length,
    },
  }
}
