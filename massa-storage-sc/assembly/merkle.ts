import { env } from '@massalabs/massa-as-sdk/assembly/env';
import { ByteWriter } from './codec';

/*
 * RFC 6962 trees over SHA-256, as core/merkle.ts of the archive computes them.
 */

export const HASH_BYTES: i32 = 32;
const LEAF_PREFIX: u8 = 0;
const NODE_PREFIX: u8 = 1;

export function sha256(bytes: StaticArray<u8>): StaticArray<u8> {
  return env.sha256(bytes);
}

/** H(0x00 || leaf) */
export function computeLeafHash(leaf: usize, length: i32): StaticArray<u8> {
  return sha256(
    new ByteWriter(1 + length).u8(LEAF_PREFIX).copy(leaf, length).bytes,
  );
}

/** Siblings on the way up from leaf `index` of `leafCount`: what a path must measure, no more, no less. */
export function computePathLength(index: u32, leafCount: u32): u32 {
  let length: u32 = 0;
  let width = leafCount;
  while (width > 1) {
    if ((index ^ 1) < width) length++;
    index >>= 1;
    width = (width >> 1) + (width & 1);
  }
  return length;
}

/**
 * The root that a leaf hash and its path lead to.
 *
 * @param path - memory address of `computePathLength(index, leafCount)` hashes, from the leaf upward
 * @param index - below `leafCount`
 */
export function computeRootFromPath(
  leafHash: StaticArray<u8>,
  path: usize,
  index: u32,
  leafCount: u32,
): StaticArray<u8> {
  const node = new StaticArray<u8>(1 + 2 * HASH_BYTES);
  const to = changetype<usize>(node);
  store<u8>(to, NODE_PREFIX);
  let hash = leafHash;
  let width = leafCount;
  while (width > 1) {
    if ((index ^ 1) < width) {
      const right = index & 1;
      memory.copy(to + (right ? 33 : 1), changetype<usize>(hash), HASH_BYTES);
      memory.copy(to + (right ? 1 : 33), path, HASH_BYTES);
      hash = sha256(node);
      path += HASH_BYTES;
    }
    index >>= 1;
    width = (width >> 1) + (width & 1);
  }
  return hash;
}
