import { env } from '@massalabs/massa-as-sdk/assembly/env';
import { ByteReader, ByteWriter, equalHashes } from '../codec';
import { EVIDENCE_INVALID, NOT_HOLDER, PLACEMENT_AGE } from '../errors';
import {
  HASH_BYTES,
  computeLeafHash,
  computePathLength,
  computeRootFromPath,
  sha256,
} from '../merkle';
import { EraAnchor } from '../structs/EraAnchor';
import { StorageNode } from '../structs/StorageNode';
import { Call, ERA_PERIODS } from './call';

/*
 * What a challenger must show with anchors: that the chunk is part of anchored history, and that an anchored
 * placement gives it to the node.
 */

const PERIOD_ROOT_PREFIX: u8 = 3;
const ERA_ROOT_PREFIX: u8 = 4;
const PLACEMENT_ROOT_PREFIX: u8 = 6;
const HASH_SLOTS: u32 = 16_384;

/** Reverts unless the evidence leads from chunk and node to anchored roots, and not a byte is left over. */
export function requireEvidence(
  call: Call,
  evidence: StaticArray<u8>,
  chunkId: StaticArray<u8>,
  node: StorageNode,
): void {
  const reader = new ByteReader(evidence, EVIDENCE_INVALID);
  const chainId = env.chainId();
  requireChunk(reader, chainId, call.state.genesisTimestamp, chunkId);
  requireHolder(reader, chainId, call, chunkId, node);
}

function requireChunk(
  reader: ByteReader,
  chainId: u64,
  genesisTimestamp: u64,
  chunkId: StaticArray<u8>,
): void {
  const era = reader.u64Big();
  const period = reader.u64Big();
  const bitmap = reader.u32Big();
  const chunkCount = reader.u32Big();
  const chunkIndex = reader.u32Big();
  assert(period / ERA_PERIODS == era, EVIDENCE_INVALID);
  assert(chunkIndex < chunkCount, EVIDENCE_INVALID);
  const chunkPath = takePath(reader, chunkIndex, chunkCount);
  const position = <u32>(period % ERA_PERIODS);
  const periodPath = takePath(reader, position, <u32>ERA_PERIODS);
  const anchor = EraAnchor.load(era);

  const chunkTree = computeRootFromPath(
    computeLeafHash(changetype<usize>(chunkId), HASH_BYTES),
    chunkPath,
    chunkIndex,
    chunkCount,
  );
  const periodRoot = sha256(
    new ByteWriter(1 + 24 + 8 + HASH_BYTES)
      .u8(PERIOD_ROOT_PREFIX)
      .u64Big(chainId)
      .u64Big(genesisTimestamp)
      .u64Big(period)
      .u32Big(bitmap)
      .u32Big(chunkCount)
      .raw(chunkTree).bytes,
  );
  const periodTree = computeRootFromPath(
    computeLeafHash(changetype<usize>(periodRoot), HASH_BYTES),
    periodPath,
    position,
    <u32>ERA_PERIODS,
  );
  const eraRoot = sha256(
    new ByteWriter(1 + 40 + HASH_BYTES)
      .u8(ERA_ROOT_PREFIX)
      .u64Big(chainId)
      .u64Big(genesisTimestamp)
      .u64Big(era)
      .u64Big(anchor.totalBytes)
      .u64Big(anchor.totalChunks)
      .raw(periodTree).bytes,
  );
  requireEqual(eraRoot, anchor.root);
}

function requireHolder(
  reader: ByteReader,
  chainId: u64,
  call: Call,
  chunkId: StaticArray<u8>,
  node: StorageNode,
): void {
  const era = reader.u64Big();
  const lag = <u64>call.config.placementLagEras;
  // The placement of an era is made of what was registered before it began: an older one gives a node that left and
  // came back what it had in its former life. The second condition keeps the sums of the others small.
  assert(
    era > node.registeredPeriod / ERA_PERIODS &&
      era <= call.era &&
      era + lag <= call.era &&
      call.era <= era + 2 * lag,
    PLACEMENT_AGE,
  );
  const anchor = EraAnchor.load(era - 1);
  const last = changetype<usize>(chunkId) + 30;
  const slot = <u32>bswap<u16>(load<u16>(last)) % HASH_SLOTS;

  const count = reader.u8();
  const holders = reader.take(0);
  let holds = false;
  for (let i: u8 = 0; i < count; i++) {
    const length = reader.u8();
    const address = reader.take(length);
    if (equalsText(address, length, node.address)) holds = true;
  }
  const holderBytes = <i32>(reader.take(0) - holders);
  const path = takePath(reader, slot, HASH_SLOTS);
  reader.end();

  const leaf = new ByteWriter(3 + holderBytes)
    .u16Big(<u16>slot)
    .u8(count)
    .copy(holders, holderBytes).bytes;
  const tree = computeRootFromPath(
    computeLeafHash(changetype<usize>(leaf), leaf.length),
    path,
    slot,
    HASH_SLOTS,
  );
  const placementRoot = sha256(
    new ByteWriter(1 + 24 + HASH_BYTES)
      .u8(PLACEMENT_ROOT_PREFIX)
      .u64Big(chainId)
      .u64Big(call.state.genesisTimestamp)
      .u64Big(era)
      .raw(tree).bytes,
  );
  requireEqual(placementRoot, anchor.placementRoot);
  assert(holds, NOT_HOLDER);
}

function takePath(reader: ByteReader, index: u32, leafCount: u32): usize {
  return reader.take(computePathLength(index, leafCount) * HASH_BYTES);
}

function requireEqual(a: StaticArray<u8>, b: StaticArray<u8>): void {
  assert(
    equalHashes(changetype<usize>(a), changetype<usize>(b)),
    EVIDENCE_INVALID,
  );
}

function equalsText(at: usize, length: u8, text: string): bool {
  if (text.length != <i32>length) return false;
  const from = changetype<usize>(text);
  for (let i: u32 = 0; i < length; i++) {
    if (<u16>load<u8>(at + i) != load<u16>(from + (i << 1))) return false;
  }
  return true;
}
