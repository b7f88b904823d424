import assert from 'node:assert/strict'
import { ed25519PublicKey, ed25519Sign } from '#crypto'
import {
  type AnswerProofJson,
  computeBitmap,
  computeBlockId,
  computeBodyBytes,
  computeChunkId,
  computeEndorsementHash,
  computeEndorsementSignedHash,
  computeEraRoot,
  computeHeaderSignedHash,
  computeOperationId,
  computeOperationsHash,
  computePeriodRoot,
  concatBytes,
  cutChunks,
  type EncodedBodySlot,
  ERA_PERIODS,
  type ErrorCode,
  encodeBlockRecord,
  encodeBody,
  encodeHeaderContent,
  encodeOperationContent,
  encodeSeals,
  formatBlockId,
  formatEndorsementId,
  formatOperationId,
  isArchiveError,
  type Manifest,
  type Network,
  type Operation,
  type ProofSource,
  type RecordedOperation,
  type Slot,
  THREAD_COUNT,
} from '../../../core/index.ts'

export const NETWORK: Network = { chainId: 77n, genesisTimestampMs: 1_705_312_800_000n }
const SEED = new Uint8Array(32).fill(6)
export const PUBLIC_KEY = concatBytes(Uint8Array.of(0), ed25519PublicKey(SEED))

/** A call with so many bytes of parameter. */
export function call(number: number, parameter: number | Uint8Array, expirePeriod = 12n): Operation {
  return {
    feeNanoMas: BigInt(number),
    expirePeriod,
    body: {
      kind: 'call-sc',
      maxGas: 2_100_000n,
      coinsNanoMas: 0n,
      target: Uint8Array.from({ length: 34 }, (_, i) => (i === 0 ? 1 : 0)),
      functionName: 'keep',
      parameter: typeof parameter === 'number' ? new Uint8Array(parameter).fill(number) : parameter,
    },
  }
}

/** An ExecuteSC whose original nobody knows: its id hashes something else. */
export function lostOperation(): RecordedOperation {
  const datastore = [1, 2].map((key) => ({ key: Uint8Array.of(key), value: Uint8Array.of(9) }))
  const bytecode = Uint8Array.of(0, 0x61, 0x73, 0x6d)
  const content = encodeOperationContent({
    feeNanoMas: 1n,
    expirePeriod: 12n,
    body: { kind: 'execute-sc', maxGas: 1n, maxCoinsNanoMas: 0n, bytecode, datastore },
  })
  const id = computeOperationId(NETWORK.chainId, PUBLIC_KEY, Uint8Array.of(1))
  return { id, publicKey: PUBLIC_KEY, content, reproducible: false, serializedSizeBytes: content.length + 98 + 4 }
}

/** What a thread has: operations of a block; nothing, a miss. */
export type MadeBlocks = Readonly<Record<number, readonly (Operation | RecordedOperation)[]>>

export interface MadePeriod {
  readonly manifest: Manifest
  readonly chunks: readonly Uint8Array[]
  readonly body: Uint8Array
  readonly seals: Uint8Array
  /** In thread order; the first operation of each is listed twice. */
  readonly blocks: readonly { readonly thread: number; readonly id: string; readonly operationIds: readonly string[] }[]
}

export function makePeriod(period: number, made: MadeBlocks, chunkSizeBytes = 4096, headerVersion = 1): MadePeriod {
  const blocks: MadePeriod['blocks'][number][] = []
  const seals: Uint8Array[] = []
  const slots = Array.from({ length: THREAD_COUNT }, (_, thread): EncodedBodySlot => {
    const operations = made[thread]?.map(recordOperation)
    if (!operations) return { kind: 'miss' }
    const { record, id, signatures } = makeBlock({ period, thread }, operations, headerVersion)
    const operationIds = operations.map((operation) => formatOperationId(operation.id))
    blocks.push({ thread, id: formatBlockId(id), operationIds })
    seals.push(signatures)
    return { kind: 'block', record }
  })
  const body = encodeBody(NETWORK, period, slots)
  const chunks = cutChunks(body, chunkSizeBytes)
  const entries = chunks.map((chunk) => ({ byteLength: chunk.length, chunkId: computeChunkId(chunk) }))
  const manifest = { network: NETWORK, period, bitmap: computeBitmap(slots), chunks: entries }
  return { manifest, chunks, body, seals: encodeSeals(NETWORK, period, seals), blocks }
}

/** A block as BODY holds it, signed by the key of this file. */
export function makeBlock(slot: Slot, operations: RecordedOperation[], currentVersion = 1) {
  const distinct = operations.map(({ id }) => id)
  const operationIds = [...distinct, ...distinct.slice(0, 1)]
  const parents = Array.from({ length: THREAD_COUNT }, (_, i) => new Uint8Array(33).fill(i, 1))
  const endorsementHash = hashEndorsement(slot)
  const endorsed = ed25519Sign(SEED, computeEndorsementSignedHash(PUBLIC_KEY, { slot, index: 4 }, endorsementHash))
  const headerContent = encodeHeaderContent({
    currentVersion,
    slot,
    parents,
    operationsHash: computeOperationsHash(operationIds),
    endorsements: [{ signature: concatBytes(Uint8Array.of(0), endorsed), publicKey: PUBLIC_KEY, index: 4 }],
    denunciations: [],
  })
  const id = computeBlockId(PUBLIC_KEY, headerContent)
  const record = encodeBlockRecord({ publicKey: PUBLIC_KEY, headerContent, operationIds, operations })
  const signed = [computeHeaderSignedHash(PUBLIC_KEY, slot, id.subarray(1)), ...distinct.map((one) => one.subarray(1))]
  return { record, id, signatures: concatBytes(...signed.map((hash) => ed25519Sign(SEED, hash))) }
}

/** Of the one endorsement that every block has. */
export function endorsementIdOf(slot: Slot): string {
  return formatEndorsementId(concatBytes(Uint8Array.of(0), hashEndorsement(slot)))
}

function hashEndorsement(slot: Slot): Uint8Array {
  return computeEndorsementHash(PUBLIC_KEY, { slot, index: 4, endorsedBlock: new Uint8Array(33).fill(slot.thread, 1) })
}

export function recordOperation(operation: Operation | RecordedOperation): RecordedOperation {
  if ('content' in operation) return operation
  const content = encodeOperationContent(operation)
  const id = computeOperationId(NETWORK.chainId, PUBLIC_KEY, content)
  return { id, publicKey: PUBLIC_KEY, content, reproducible: true }
}

/** Era 0: these periods, and 128 in all, the others without a block. */
export class MadeHistory implements ProofSource {
  readonly periods = new Map<number, MadePeriod>()
  readonly eraRoot: Uint8Array
  /** Chunks that were read, as `period/index`. */
  readonly reads: string[] = []
  private readonly totals: { readonly totalBytes: bigint; readonly totalChunks: bigint }
  private readonly periodRoots: readonly Uint8Array[]

  constructor(made: readonly MadePeriod[]) {
    for (const period of made) this.periods.set(period.manifest.period, period)
    for (let period = 0; period < ERA_PERIODS; period++) {
      if (!this.periods.has(period)) this.periods.set(period, makePeriod(period, {}))
    }
    const manifests = Array.from({ length: ERA_PERIODS }, (_, period) => this.manifestOf(period))
    this.totals = {
      totalBytes: BigInt(manifests.reduce((sum, manifest) => sum + computeBodyBytes(manifest), 0)),
      totalChunks: BigInt(manifests.reduce((sum, { chunks }) => sum + chunks.length, 0)),
    }
    this.periodRoots = manifests.map(computePeriodRoot)
    this.eraRoot = computeEraRoot({ network: NETWORK, era: 0, ...this.totals }, this.periodRoots)
  }

  manifestOf(period: number): Manifest {
    const manifest = this.periods.get(period)?.manifest
    if (!manifest) throw new Error(`no period ${period}`)
    return manifest
  }

  async readManifest(period: number): Promise<Manifest | undefined> {
    return this.periods.get(period)?.manifest
  }

  async readChunk(period: number, index: number): Promise<Uint8Array | undefined> {
    this.reads.push(`${period}/${index}`)
    return this.periods.get(period)?.chunks[index]
  }

  async readSeals(period: number): Promise<Uint8Array | undefined> {
    return this.periods.get(period)?.seals
  }

  async readEra(era: number) {
    return era === 0 ? { ...this.totals, periodRoots: this.periodRoots } : undefined
  }

  /** What a reader knows who trusts this era. */
  get trusted() {
    return { network: NETWORK, findEraRoot: (era: number) => (era === 0 ? this.eraRoot : undefined) }
  }
}

/** A proof with something changed, as who lies changes it. */
export function bend<T extends object>(proof: T, change: (proof: Mutable<T>) => unknown): T {
  const copy = structuredClone(proof) as Mutable<T>
  change(copy)
  return copy as T
}

type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T

export type MutableProof = Mutable<AnswerProofJson>

/** Refused, now or later, with this code. */
export async function assertCode(code: ErrorCode, act: () => unknown): Promise<void> {
  await assert.rejects(
    async () => act(),
    (error) => isArchiveError(error, code) || assert.fail(`wanted ${code}, came ${error}`),
  )
}
