import { parseAttestedExecutions } from '../archiver/attestation.ts'
import {
  ArchiveError,
  type ChunkStore,
  computeAddress,
  computeChunkId,
  describeBlock,
  describeOperation,
  equalBytes,
  formatAddress,
  formatBlockId,
  formatChunkId,
  type Period,
  parseBlockId,
  parseOperationId,
  SEAL_BYTES,
  toHex,
} from '../core/index.ts'
import { missing, readBody, readChunk, type SearchWatch, searchPeriods } from './search-periods.ts'

/*
 * What `massa-storage inspect` shows. Everything is plain JSON: u64 and amounts as decimal text, bytes as hex.
 */

const MIN_CHUNK_PREFIX_DIGITS = 6

export async function inspectPeriod(store: ChunkStore, period: Period): Promise<object | undefined> {
  const [manifest, summary] = await Promise.all([store.readManifest(period), store.readSummary(period)])
  if (!manifest || !summary) return undefined
  const holding = await store.readHolding(period)
  const missing = new Set(holding?.missingChunks)
  const body = missing.size === 0 ? await readBody(store, manifest) : undefined
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
    // On this disk.
    held: {
      chunks: manifest.chunks.length - missing.size,
      seals: holding?.hasSeals ?? true,
      executionResults: holding?.hasExecutionResults ?? true,
    },
    chunks: manifest.chunks.map(({ byteLength, chunkId }, index) => ({
      chunkId: formatChunkId(chunkId),
      bytes: byteLength,
      held: !missing.has(index),
    })),
    // Absent when BODY is not whole here.
    slots: body?.slots.map((slot, thread) =>
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

/** @throws ArchiveError STORE_VALUE_CORRUPT when it is in no period that can be read, and some cannot */
export async function inspectBlock(
  store: ChunkStore,
  id: string,
  watch: SearchWatch = {},
): Promise<object | undefined> {
  const wanted = toHex(parseBlockId(id))
  return searchPeriods(store, { ...watch, name: `block ${id}` }, (body) => {
    let position = 0
    for (const slot of body.slots) {
      if (slot.kind !== 'block') continue
      const at = position++
      if (toHex(slot.record.id) === wanted) return ({ seals }) => describeBlock(slot.record, seals[at])
    }
    return undefined
  })
}

/** @throws ArchiveError STORE_VALUE_CORRUPT when it is in no period that can be read, and some cannot */
export async function inspectOperation(
  store: ChunkStore,
  id: string,
  watch: SearchWatch = {},
): Promise<object | undefined> {
  const wanted = toHex(parseOperationId(id))
  return searchPeriods(store, { ...watch, name: `operation ${id}` }, (body) => {
    let position = 0
    for (const [thread, slot] of body.slots.entries()) {
      if (slot.kind !== 'block') continue
      const at = position++
      const index = slot.record.operations.findIndex((operation) => toHex(operation.id) === wanted)
      const operation = slot.record.operations[index]
      if (!operation) continue
      return ({ seals, attested }) => {
        const execution = attested?.executions[thread]
        const outcome = execution?.outcomes.find(({ operationId }) => operationId === id)?.outcome
        const attester = attested?.attestation?.publicKey
        return {
          ...describeOperation(operation, seals[at]?.subarray(SEAL_BYTES * (index + 1), SEAL_BYTES * (index + 2))),
          slot: slot.record.header.slot,
          blockId: formatBlockId(slot.record.id),
          execution: {
            outcome: outcome ?? 'unknown',
            source: execution?.source ?? 'unknown',
            attestedBy: attester ? formatAddress(computeAddress(attester)) : undefined,
            fromFile: attested?.isFromFile ? true : undefined,
          },
        }
      }
    }
    return undefined
  })
}

/**
 * A chunk that was read and hashed.
 *
 * @throws ArchiveError CORE_BYTES_INVALID for a prefix that is too short or fits several chunks; STORE_VALUE_CORRUPT,
 *   STORE_VALUE_MISSING
 */
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
  const { period, index } = place
  const manifest = await store.readManifest(period)
  if (!manifest) throw missing(period, 'the manifest')
  const chunk = await readChunk(store, period, index)
  if (!equalBytes(computeChunkId(chunk), place.chunkId)) {
    const message = `chunk ${index} of period ${period} does not have the id ${toHex(place.chunkId)}`
    throw new ArchiveError('STORE_VALUE_CORRUPT', message, { period, index })
  }
  return {
    chunkId: toHex(place.chunkId),
    period,
    index,
    chunks: manifest.chunks.length,
    bytes: chunk.length,
    leaves: Math.ceil(chunk.length / 1024),
  }
}
