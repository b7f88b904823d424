import { type AttestedExecutions, parseAttestedExecutions } from '../archiver/attestation.ts'
import {
  ArchiveError,
  type BlockRecord,
  type Body,
  type ChunkStore,
  computeAddress,
  concatBytes,
  formatAddress,
  formatBlockId,
  formatChunkId,
  formatHash,
  formatOperationId,
  formatPublicKey,
  formatSignature,
  type Manifest,
  type Period,
  parseBlockId,
  parseBody,
  parseOperationContent,
  parseOperationId,
  parseSeals,
  type RecordedOperation,
  SEAL_BYTES,
  toHex,
} from '../core/index.ts'

/*
 * What `massa-storage inspect` shows. Everything is plain JSON: u64 and amounts as decimal text, bytes as hex.
 */

const MIN_CHUNK_PREFIX_DIGITS = 6

/** Called with the periods looked at so far, while a search runs. */
export type OnSearched = (period: Period, remaining: number) => void

export async function inspectPeriod(store: ChunkStore, period: Period): Promise<object | undefined> {
  const [manifest, summary] = await Promise.all([store.readManifest(period), store.readSummary(period)])
  if (!manifest || !summary) return undefined
  const body = await readBody(store, manifest)
  const executions = await store.readExecutionResults(period)
  return {
    period,
    root: toHex(summary.root),
    bytes: summary.bodyBytes,
    blocks: summary.blocks,
    operations: summary.operations,
    bitmap: manifest.bitmap,
    chainId: manifest.network.chainId.toString(),
    genesisTimestampMs: Number(manifest.network.genesisTimestampMs),
    chunks: manifest.chunks.map(({ byteLength, chunkId }) => ({ chunkId: formatChunkId(chunkId), bytes: byteLength })),
    slots: body.slots.map((slot, thread) =>
      slot.kind === 'block'
        ? { thread, kind: slot.kind, blockId: formatBlockId(slot.record.id), operations: slot.record.operations.length }
        : { thread, kind: slot.kind },
    ),
    executionResults: executions
      ? parseAttestedExecutions(executions, manifest).executions.map((execution, thread) =>
          execution
            ? {
                thread,
                source: execution.source,
                complete: execution.complete,
                operations: execution.outcomes.length,
                events: execution.events.length,
              }
            : { thread, source: 'unknown', complete: false },
        )
      : [],
  }
}

export async function inspectBlock(
  store: ChunkStore,
  id: string,
  onSearched?: OnSearched,
): Promise<object | undefined> {
  const wanted = parseBlockId(id)
  return search(store, onSearched, (body, seals) => {
    let position = 0
    for (const slot of body.slots) {
      if (slot.kind !== 'block') continue
      const own = seals[position++]
      if (toHex(slot.record.id) === toHex(wanted)) return describeBlock(slot.record, own)
    }
    return undefined
  })
}

export async function inspectOperation(
  store: ChunkStore,
  id: string,
  onSearched?: OnSearched,
): Promise<object | undefined> {
  const wanted = toHex(parseOperationId(id))
  return search(store, onSearched, (body, seals, attested) => {
    let position = 0
    for (const [thread, slot] of body.slots.entries()) {
      if (slot.kind !== 'block') continue
      const own = seals[position++]
      const index = slot.record.operations.findIndex((operation) => toHex(operation.id) === wanted)
      const operation = slot.record.operations[index]
      if (!operation) continue
      const execution = attested?.executions[thread]
      const outcome = execution?.outcomes.find(({ operationId }) => operationId === id)?.outcome
      return {
        ...describeOperation(operation, own?.subarray(SEAL_BYTES * (index + 1), SEAL_BYTES * (index + 2))),
        slot: slot.record.header.slot,
        blockId: formatBlockId(slot.record.id),
        execution: {
          outcome: outcome ?? 'unknown',
          source: execution?.source ?? 'unknown',
          attestedBy: attested?.attestation ? formatAddress(computeAddress(attested.attestation.publicKey)) : undefined,
        },
      }
    }
    return undefined
  })
}

/** @throws ArchiveError CORE_BYTES_INVALID for a prefix that is too short or fits several chunks */
export async function inspectChunk(store: ChunkStore, prefixHex: string): Promise<object | undefined> {
  if (!/^[0-9a-f]{1,64}$/.test(prefixHex) || prefixHex.length < MIN_CHUNK_PREFIX_DIGITS) {
    throw new ArchiveError(
      'CORE_BYTES_INVALID',
      `'${prefixHex}' is not ${MIN_CHUNK_PREFIX_DIGITS} to 64 lower-case hex digits`,
    )
  }
  const places = await store.findChunks(prefixHex, 2)
  const place = places[0]
  if (!place) return undefined
  if (places.length > 1)
    throw new ArchiveError('CORE_BYTES_INVALID', `several chunks begin with ${prefixHex}: give more digits`)
  const manifest = await store.readManifest(place.period)
  return {
    chunkId: toHex(place.chunkId),
    period: place.period,
    index: place.index,
    chunks: manifest?.chunks.length,
    bytes: manifest?.chunks[place.index]?.byteLength,
    leaves: Math.ceil((manifest?.chunks[place.index]?.byteLength ?? 0) / 1024),
  }
}

export function describeBlock(record: BlockRecord, seals: Uint8Array | undefined): object {
  const { header } = record
  return {
    blockId: formatBlockId(record.id),
    slot: header.slot,
    creator: formatAddress(computeAddress(record.publicKey)),
    publicKey: formatPublicKey(record.publicKey),
    signature: formatSeal(seals?.subarray(0, SEAL_BYTES)),
    currentVersion: header.currentVersion,
    announcedVersion: header.announcedVersion,
    parents: header.parents.map(formatBlockId),
    operationsHash: formatHash(header.operationsHash),
    endorsements: header.endorsements.length,
    denunciations: header.denunciations.length,
    operations: record.operationIds.map(formatOperationId),
  }
}

function describeOperation(operation: RecordedOperation, seal: Uint8Array | undefined): object {
  const { feeNanoMas, expirePeriod, body } = parseOperationContent(operation.content)
  return {
    operationId: formatOperationId(operation.id),
    creator: formatAddress(computeAddress(operation.publicKey)),
    publicKey: formatPublicKey(operation.publicKey),
    signature: formatSeal(seal),
    reproducible: operation.reproducible,
    feeNanoMas: feeNanoMas.toString(),
    expirePeriod: expirePeriod.toString(),
    body: Object.fromEntries(Object.entries(body).map(([key, value]) => [key, describeField(key, value)])),
  }
}

function describeField(key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return key === 'recipient' || key === 'target' ? formatAddress(value) : toHex(value)
  if (Array.isArray(value)) {
    return value.map((entry: { key: Uint8Array; value: Uint8Array }) => ({
      key: toHex(entry.key),
      value: toHex(entry.value),
    }))
  }
  return value
}

function formatSeal(seal: Uint8Array | undefined): string | undefined {
  return seal ? formatSignature(concatBytes(Uint8Array.of(0), seal)) : undefined
}

/** Looks through periods from the newest: the archive has no index by block or operation id yet. */
async function search(
  store: ChunkStore,
  onSearched: OnSearched | undefined,
  look: (body: Body, seals: readonly Uint8Array[], attested: AttestedExecutions | undefined) => object | undefined,
): Promise<object | undefined> {
  const range = await store.readRange()
  if (!range) return undefined
  for await (const { period } of store.listSummaries({ from: range.first, to: range.last, reverse: true })) {
    onSearched?.(period, period - range.first)
    const manifest = await store.readManifest(period)
    if (!manifest) continue
    const body = await readBody(store, manifest)
    const seals = await store.readSeals(period)
    const executions = await store.readExecutionResults(period)
    const found = look(
      body,
      seals ? parseSeals(seals, body) : [],
      executions ? parseAttestedExecutions(executions, manifest) : undefined,
    )
    if (found) return found
  }
  return undefined
}

async function readBody(store: ChunkStore, manifest: Manifest): Promise<Body> {
  const chunks: Uint8Array[] = []
  for (const index of manifest.chunks.keys()) {
    const chunk = await store.readChunk(manifest.period, index)
    if (!chunk) throw new ArchiveError('CORE_BODY_INVALID', `chunk ${index} of period ${manifest.period} is missing`)
    chunks.push(chunk)
  }
  return parseBody(concatBytes(...chunks))
}
