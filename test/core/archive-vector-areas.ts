import assert from 'node:assert/strict'
import { blake3, ed25519Verify } from '#crypto'
import {
  type Body,
  CHUNK_SIZE_BYTES,
  type ChallengeKind,
  computeAuditDraw,
  computeBitmap,
  computeChallengeSeed,
  computeChunkId,
  computeChunkLeafHashes,
  computeChunkTreeRoot,
  computeDraw,
  computeDrawChallengeId,
  computeDrawNonce,
  computeDrawNumber,
  computeDrawText,
  computeEraRoot,
  computeEraText,
  computeHashSlot,
  computeHeaderSignedHash,
  computeLeafHash,
  computeLn,
  computePeriodRoot,
  computePlacementRoot,
  computeProofText,
  computeSampleIndex,
  computeScores,
  computeStorageProof,
  computeTicketStream,
  computeTreePath,
  computeTreeRoot,
  cutChunks,
  type DrawEra,
  encodeBlockRecord,
  encodeBody,
  encodeManifest,
  encodeSeals,
  formatBlockId,
  formatOperationId,
  fromHex,
  HASH_SLOTS,
  type Manifest,
  parseBlockId,
  parseBody,
  parseManifest,
  parseSeals,
  rankNodes,
  readTicket,
  type ScoredNode,
  SEAL_BYTES,
  selectDrawNode,
  selectDrawTarget,
  toHex,
  verifyStorageProof,
  verifyText,
  verifyTreePath,
} from '../../core/index.ts'
import { type Json, VectorCase } from './vector-case.ts'

export function runBody(vector: VectorCase): Json {
  const bytes = vector.bytes('body')
  const body = parseBody(bytes)
  const again = body.slots.map((slot) =>
    slot.kind === 'block' ? { kind: slot.kind, record: encodeBlockRecord(slot.record) } : slot,
  )
  assert.equal(toHex(encodeBody(body.network, body.period, again)), toHex(bytes))
  const bitmap = computeBitmap(body.slots)
  const chunks = cutChunks(bytes, CHUNK_SIZE_BYTES).map((chunk) => ({
    byteLength: chunk.length,
    chunkId: computeChunkId(chunk),
  }))
  return {
    chainId: body.network.chainId.toString(),
    genesisTimestampMs: body.network.genesisTimestampMs.toString(),
    period: body.period.toString(),
    bitmap,
    voidThreads: body.slots.flatMap((slot, thread) => (slot.kind === 'void' ? [thread] : [])),
    blocks: blocksOf(body).map((block) => ({
      id: formatBlockId(block.id),
      operationIds: block.operationIds.map(formatOperationId),
      operations: block.operations.map(({ id, reproducible }) => ({
        id: formatOperationId(id),
        kind: reproducible ? 1 : 2,
      })),
    })),
    chunkIds: chunks.map(({ chunkId }) => toHex(chunkId)),
    root: toHex(computePeriodRoot({ network: body.network, period: body.period, bitmap, chunks })),
  }
}

export function runSeals(vector: VectorCase): Json {
  const body = parseBody(vector.bytes('body'))
  const seals = parseSeals(vector.bytes('seals'), body)
  assert.equal(toHex(encodeSeals(body.network, body.period, seals)), vector.text('seals'))
  let signaturesValid = true
  const blocks = blocksOf(body).map((block, i) => {
    const bytes = seals[i] ?? new Uint8Array(0)
    const parts = Array.from({ length: bytes.length / SEAL_BYTES }, (_, j) => bytes.subarray(j * 64, j * 64 + 64))
    const [header = new Uint8Array(0), ...operations] = parts
    const { slot } = block.header
    const signedHash = computeHeaderSignedHash(block.publicKey, slot, block.id.subarray(1))
    if (!ed25519Verify(block.publicKey.subarray(1), signedHash, header)) signaturesValid = false
    for (const [j, { publicKey, id }] of block.operations.entries()) {
      if (!ed25519Verify(publicKey.subarray(1), id.subarray(1), operations[j] ?? header)) signaturesValid = false
    }
    return { header: toHex(header), operations: operations.map(toHex) }
  })
  return { blocks, signaturesValid }
}

export function runMerkle(vector: VectorCase): Json {
  switch (vector.text('kind')) {
    case 'root':
      return toHex(computeTreeRoot(vector.byteList('leaves').map(computeLeafHash)))
    case 'path':
      return computeTreePath(vector.byteList('leaves').map(computeLeafHash), vector.number('index')).map(toHex)
    case 'proof': {
      const [index, leafCount, root] = [vector.number('index'), vector.number('leafCount'), vector.bytes('root')]
      verifyTreePath(computeLeafHash(vector.bytes('leaf')), vector.byteList('path'), { index, leafCount, root })
      return true
    }
    default:
      throw new Error(`unknown kind ${vector.text('kind')}`)
  }
}

export function runChunk(vector: VectorCase): Json {
  const chunk = vector.bytes('data')
  return {
    byteLength: chunk.length,
    leafCount: computeChunkLeafHashes(chunk).length,
    treeRoot: toHex(computeChunkTreeRoot(chunk)),
    chunkId: toHex(computeChunkId(chunk)),
  }
}

export function runManifest(vector: VectorCase): Json {
  const manifest = parseManifest(vector.bytes('manifest'))
  assert.equal(toHex(encodeManifest(manifest)), vector.text('manifest'))
  return {
    chainId: manifest.network.chainId.toString(),
    genesisTimestampMs: manifest.network.genesisTimestampMs.toString(),
    period: manifest.period.toString(),
    bitmap: manifest.bitmap,
    chunks: manifest.chunks.map(({ byteLength, chunkId }) => ({ byteLength, chunkId: toHex(chunkId) })),
    root: toHex(computePeriodRoot(manifest)),
  }
}

export function runPeriodRoot(vector: VectorCase): Json {
  const manifest: Manifest = {
    network: networkOf(vector),
    period: vector.number('period'),
    bitmap: vector.number('bitmap'),
    chunks: vector.byteList('chunkIds').map((chunkId) => ({ byteLength: 1, chunkId })),
  }
  return toHex(computePeriodRoot(manifest))
}

export function runEraRoot(vector: VectorCase): Json {
  const totals = {
    network: networkOf(vector),
    era: vector.number('era'),
    totalBytes: vector.bigint('totalBytes'),
    totalChunks: vector.bigint('totalChunks'),
  }
  return toHex(computeEraRoot(totals, vector.byteList('periodRoots')))
}

export function runPlacement(vector: VectorCase): Json {
  switch (vector.text('kind')) {
    case 'hashSlot':
      return computeHashSlot(vector.bytes('chunkId'))
    case 'ticket': {
      const stream = computeTicketStream(vector.text('address'))
      const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength)
      return vector.numbers('hashSlots').map((hashSlot) => readTicket(view, hashSlot).toString())
    }
    case 'logarithm':
      return doubleHex(computeLn(new DataView(vector.bytes('value').buffer).getFloat64(0)))
    case 'score': {
      const scores = computeScores(vector.text('address'), BigInt(vector.number('placementGb')))
      return vector.numbers('hashSlots').map((hashSlot) => doubleHex(scores[hashSlot] ?? Number.NaN))
    }
    case 'rank': {
      const nodes = scoredNodes(vector)
      return vector.numbers('hashSlots').map((hashSlot) => rankNodes(hashSlot, nodes).map(({ address }) => address))
    }
    case 'firstRanks': {
      const nodes = scoredNodes(vector)
      const counts: { [address: string]: number } = {}
      for (const { address } of nodes) counts[address] = 0
      for (let hashSlot = 0; hashSlot < HASH_SLOTS; hashSlot++) {
        const first = rankNodes(hashSlot, nodes)[0]?.address ?? ''
        counts[first] = (counts[first] ?? 0) + 1
      }
      return counts
    }
    default:
      throw new Error(`unknown kind ${vector.text('kind')}`)
  }
}

export function runChallenge(vector: VectorCase): Json {
  switch (vector.text('kind')) {
    case 'seed':
      return toHex(
        computeChallengeSeed(
          {
            chainId: vector.bigint('chainId'),
            contract: vector.text('contract'),
            challengeId: vector.text('challengeId'),
            nodeAddress: vector.text('node'),
            chunkId: vector.bytes('chunkId'),
            nonce: vector.bigint('nonce'),
            issuedPeriod: vector.number('issuedPeriod'),
          },
          kindOf(vector.text('label'), 'challenge'),
        ),
      )
    case 'samples':
      return Array.from({ length: vector.number('count') }, (_, i) =>
        computeSampleIndex(vector.bytes('seed'), i, vector.number('leafCount')),
      )
    case 'prove':
      return toHex(computeStorageProof(vector.bytes('data'), orderOf(vector)))
    case 'verify':
      verifyStorageProof(vector.bytes('proof'), vector.bytes('chunkId'), orderOf(vector))
      return true
    case 'proofText':
      return computeProofText(vector.bytes('seed'), vector.bytes('proof'), kindOf(vector.text('label'), 'proof'))
    case 'signText': {
      const text = vector.text('text')
      return {
        digest: toHex(blake3(new TextEncoder().encode(text))),
        valid: verifyText(text, { publicKey: vector.bytes('publicKey'), signature: vector.bytes('signature') }),
      }
    }
    case 'drawText':
      return computeDrawText(vector.number('period'), vector.list('blockIds').map(readBlockId))
    case 'drawNumbers':
      return drawNumbers(vector)
    case 'select':
      return select(vector)
    case 'eraText':
      return computeEraText({
        chainId: vector.bigint('chainId'),
        contract: vector.text('contract'),
        era: vector.number('era'),
        eraRoot: vector.bytes('eraRoot'),
        totalBytes: vector.bigint('totalBytes'),
        totalChunks: vector.bigint('totalChunks'),
        nextPlacementRoot: vector.bytes('nextPlacementRoot'),
      })
    case 'placementRoot': {
      const nodes = scoredNodes(vector)
      const holders = Array.from({ length: HASH_SLOTS }, (_, hashSlot) =>
        rankNodes(hashSlot, nodes)
          .slice(0, vector.number('replicas'))
          .map(({ address }) => address),
      )
      return toHex(computePlacementRoot(networkOf(vector), vector.number('era'), holders))
    }
    default:
      throw new Error(`unknown kind ${vector.text('kind')}`)
  }
}

function drawNumbers(vector: VectorCase): Json {
  const draw = computeDraw(vector.bytes('signature'))
  return {
    draw: toHex(draw),
    numbers: vector
      .cases('numbers')
      .map((one) => (computeDrawNumber(draw, one.number('i')) % one.bigint('modulo')).toString()),
    nonce: computeDrawNonce(draw).toString(),
    challengeId: computeDrawChallengeId(draw),
    audit: Array.from({ length: 8 }, (_, j) => toHex(computeAuditDraw(draw, j))),
  }
}

function select(vector: VectorCase): Json {
  const draw = vector.bytes('draw')
  const holders = vector.json('holders')
  assert(holders !== null && typeof holders === 'object' && !Array.isArray(holders))
  const node = selectDrawNode(draw, Object.keys(holders))
  assert(node !== undefined)
  const hashSlots = new Set(new VectorCase(holders).numbers(node))
  const eras = vector.cases('eras')
  const bounds = eras.map((era): DrawEra => ({ era: era.number('era'), totalBytes: era.bigint('bytes') }))
  const target = selectDrawTarget(draw, { eras: bounds, hashSlots }, (era) => {
    const found = eras.find((one) => one.number('era') === era)
    assert(found)
    return found.cases('chunks').map((chunk) => ({
      period: chunk.number('period'),
      index: chunk.number('index'),
      byteLength: chunk.number('bytes'),
      chunkId: chunk.bytes('chunkId'),
    }))
  })
  if (target === undefined) return null
  const { attempt, era, chunk } = target
  return {
    node,
    t: attempt,
    era: era.toString(),
    period: chunk.period.toString(),
    index: chunk.index,
    chunkId: toHex(chunk.chunkId),
  }
}

function blocksOf(body: Body) {
  return body.slots.flatMap((slot) => (slot.kind === 'block' ? [slot.record] : []))
}

function networkOf(vector: VectorCase) {
  return { chainId: vector.bigint('chainId'), genesisTimestampMs: vector.bigint('genesisTimestampMs') }
}

function orderOf(vector: VectorCase) {
  return { seed: vector.bytes('seed'), samples: vector.number('samples') }
}

function kindOf(label: string, challenge: string): ChallengeKind {
  if (label === challenge) return 'challenge'
  assert.equal(label, 'rehearsal')
  return 'rehearsal'
}

function scoredNodes(vector: VectorCase): ScoredNode[] {
  return vector.cases('nodes').flatMap((node) => {
    const placementGb = BigInt(node.number('placementGb'))
    if (placementGb === 0n) return []
    const address = node.text('address')
    return [{ address, scores: computeScores(address, placementGb) }]
  })
}

function readBlockId(value: Json): Uint8Array {
  assert(typeof value === 'string')
  return value.startsWith('B') ? parseBlockId(value) : fromHex(value)
}

function doubleHex(value: number): string {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setFloat64(0, value)
  return toHex(bytes)
}
