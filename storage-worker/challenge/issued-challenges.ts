import { parseAttestedExecutions } from '../../archiver/attestation.ts'
import type { ExecutionEvent } from '../../archiver/execution-results.ts'
import {
  type AttestedPlace,
  type Body,
  type ChunkStore,
  computeAddress,
  decodeRegistryCall,
  formatAddress,
  formatOperationId,
  isArchiveError,
  type Network,
  type Period,
  parseOperationContent,
  parseRegistryEvent,
  type RecordedOperation,
  THREAD_COUNT,
} from '../../core/index.ts'
import { readBody } from './draw-source.ts'

export type IssuedStore = Pick<ChunkStore, 'readManifest' | 'readChunk' | 'readExecutionResults'>

/** A challenge as the archive tells that the registry took it. */
export interface IssuedChallenge {
  readonly challengeId: string
  /** Massa address of who called the registry. */
  readonly issuer: string
  /** 33 bytes; undefined when the issuer is a contract, or the blocks of the period are not all here. */
  readonly publicKey: Uint8Array | undefined
  /** Massa address */
  readonly node: string
  /** 64 hex digits */
  readonly chunkId: string
  /** Undefined as the public key is. */
  readonly nonce: bigint | undefined
  readonly issuedPeriod: Period
}

export interface IssuedInPeriod {
  /** In the order in which the registry took them. */
  readonly challenges: readonly IssuedChallenge[]
  /** Why there may be more of them than these; empty: there are none. */
  readonly lacks: readonly string[]
}

/**
 * What challenges the registry took in one period: its events among the execution results, and the operations that caused them in
 * the blocks. Both are archived, so that it can be told of any time.
 *
 * @param registry - its address
 * @throws ArchiveError of the store
 */
export async function listIssued(
  { registry, network, period }: { readonly registry: string; readonly network: Network; readonly period: Period },
  store: IssuedStore,
): Promise<IssuedInPeriod> {
  const manifest = await store.readManifest(period)
  if (!manifest) return { challenges: [], lacks: [`period ${period} is not archived`] }
  const results = await store.readExecutionResults(period)
  if (!results) return { challenges: [], lacks: [`the execution results of period ${period} are not archived`] }
  const lacks: string[] = []
  const events: ExecutionEvent[] = []
  const executions = parseExecutions(results, { network, period })
  if (!executions) return { challenges: [], lacks: [`the execution results of period ${period} are damaged`] }
  for (let thread = 0; thread < THREAD_COUNT; thread++) {
    const execution = executions[thread]
    events.push(...(execution?.events ?? []))
    const hasBlock = ((manifest.bitmap >>> thread) & 1) === 1
    // What a slot without a block executes was asked for by an earlier one.
    if (execution ? !execution.complete : hasBlock) {
      lacks.push(`the execution results of slot (${period}, ${thread}) are not archived, or not all of them`)
    }
  }
  const issued = events.flatMap((event) => {
    const told = event.failed || event.callStack.at(-1) !== registry ? undefined : parseEvent(event)
    return told?.name === 'CHALLENGE_ISSUED' ? [{ event, told }] : []
  })
  const operations = listOperations(issued.length === 0 ? undefined : await readBody(store, period))
  const challenges = issued.map(({ event, told }): IssuedChallenge => {
    const { challengeId, nodeAddress: node, chunkId } = told
    const issuer = event.callStack.at(-2) ?? registry
    const operation = operations.get(event.operationId)
    const isOwn = operation !== undefined && formatAddress(computeAddress(operation.publicKey)) === issuer
    return {
      ...{ challengeId, issuer, node, chunkId, issuedPeriod: period },
      publicKey: isOwn ? operation.publicKey : undefined,
      nonce: isOwn ? findNonce(operation, registry, challengeId) : undefined,
    }
  })
  return { challenges, lacks }
}

function parseExecutions(bytes: Uint8Array, place: AttestedPlace) {
  try {
    const { executions, isFromFile } = parseAttestedExecutions(bytes, place)
    // Somebody else's word.
    return isFromFile ? undefined : executions
  } catch (error) {
    if (!isArchiveError(error, 'CORE_BYTES_INVALID') && !isArchiveError(error, 'CORE_SIGNATURE_INVALID')) throw error
    return undefined
  }
}

function parseEvent({ data }: ExecutionEvent) {
  return parseRegistryEvent(new TextDecoder().decode(data))
}

/** By their texts. */
function listOperations(body: Body | undefined): ReadonlyMap<string, RecordedOperation> {
  const operations = new Map<string, RecordedOperation>()
  for (const slot of body?.slots ?? []) {
    if (slot.kind !== 'block') continue
    for (const operation of slot.record.operations) operations.set(formatOperationId(operation.id), operation)
  }
  return operations
}

/** Undefined when the operation itself does not call the registry for this challenge. */
function findNonce({ content }: RecordedOperation, registry: string, challengeId: string): bigint | undefined {
  const { body } = parseOperationContent(content)
  if (body.kind !== 'call-sc' || formatAddress(body.target) !== registry) return undefined
  try {
    if (body.functionName === 'issueChallenge') {
      const args = decodeRegistryCall('issueChallenge', body.parameter)
      return args.challengeId === challengeId ? args.nonce : undefined
    }
    if (body.functionName !== 'issueChallenges') return undefined
    const args = decodeRegistryCall('issueChallenges', body.parameter)
    return args.nonces[args.challengeIds.indexOf(challengeId)]
  } catch (error) {
    if (!isArchiveError(error, 'CORE_BYTES_INVALID')) throw error
    return undefined
  }
}
