import { env } from '@massalabs/massa-as-sdk/assembly/env';
import {
  ByteReader,
  ByteWriter,
  equalHashes,
  readAscii,
  toHex,
} from '../codec';
import { PROOF_SHAPE, SIGNATURE_INVALID } from '../errors';
import {
  HASH_BYTES,
  computeLeafHash,
  computePathLength,
  computeRootFromPath,
  sha256,
} from '../merkle';
import { mod128 } from '../math';
import { Challenge } from '../structs/Challenge';

/*
 * Proofs of storage as docs/FORMAT.md defines them; core/storage-proof.ts accepts and refuses exactly the same.
 */

const SEED_PREFIX = 'massa-storage/challenge/1';
const PROOF_TEXT_PREFIX = 'massa-storage/proof/1:';
const CHUNK_ID_PREFIX: u8 = 2;
const LEAF_BYTES: u32 = 1024;
const MAX_CHUNK_BYTES: u32 = 1_048_576;
/** u32 byteLength || treeRoot */
const HEAD_BYTES: i32 = 36;
/** P + 51 digits, a colon, 96 digits at most */
const MAX_SIGNATURE_BYTES = 256;

export const PROOF_GOOD = '';
export const BAD_CHUNK = 'bad_chunk';
export const BAD_PATH = 'bad_path';

/** 32 bytes that decide which leaves are asked for. */
export function computeChallengeSeed(
  chainId: u64,
  contract: string,
  challenge: Challenge,
): StaticArray<u8> {
  const chars =
    contract.length + challenge.id.length + challenge.nodeAddress.length;
  return sha256(
    new ByteWriter(SEED_PREFIX.length + 8 + 12 + chars + 32 + 16)
      .ascii(SEED_PREFIX)
      .u64Big(chainId)
      .textBig(contract)
      .textBig(challenge.id)
      .textBig(challenge.nodeAddress)
      .raw(challenge.chunkId)
      .u64Big(challenge.nonce)
      .u64Big(challenge.issuedPeriod).bytes,
  );
}

/** Leaf of sample `i`: the first 16 bytes of H(seed || u32 i) as an integer, mod the number of leaves. */
export function computeSampleIndex(
  seed: StaticArray<u8>,
  i: u32,
  leafCount: u32,
): u32 {
  const hash = sha256(new ByteWriter(36).raw(seed).u32Big(i).bytes);
  const at = changetype<usize>(hash);
  return <u32>(
    mod128(bswap<u64>(load<u64>(at)), bswap<u64>(load<u64>(at, 8)), leafCount)
  );
}

/** The text that the prover signs. */
export function computeProofText(
  seed: StaticArray<u8>,
  proof: StaticArray<u8>,
): string {
  const hash = sha256(
    new ByteWriter(32 + proof.length).raw(seed).raw(proof).bytes,
  );
  return PROOF_TEXT_PREFIX + toHex(hash, 32);
}

/**
 * Refuses (REGISTRY_SIGNATURE_INVALID) unless `signature` is `<public key text>:<signature text>` and valid.
 *
 * @returns the address of the key
 */
export function requireSignature(
  signature: StaticArray<u8>,
  signedText: string,
): string {
  const length = signature.length;
  assert(length <= MAX_SIGNATURE_BYTES, SIGNATURE_INVALID);
  const from = changetype<usize>(signature);
  let colon = 0;
  while (colon < length && load<u8>(from + colon) != 58) colon++;
  assert(colon < length, SIGNATURE_INVALID);
  const key = readAscii(from, colon, SIGNATURE_INVALID);
  const value = readAscii(
    from + colon + 1,
    length - colon - 1,
    SIGNATURE_INVALID,
  );
  // Before the address: the host aborts on a malformed key there, but says no here.
  assert(env.isSignatureValid(signedText, value, key), SIGNATURE_INVALID);
  return env.publicKeyToAddress(key);
}

/** Number and length of the leaves that a proof must show, fixed by byteLength alone. */
class Shape {
  readonly leafCount: u32;
  readonly indexes: StaticArray<u32>;

  constructor(readonly byteLength: u32, seed: StaticArray<u8>, samples: u32) {
    this.leafCount = (byteLength + LEAF_BYTES - 1) / LEAF_BYTES;
    this.indexes = new StaticArray<u32>(samples);
    for (let i: u32 = 0; i < samples; i++) {
      this.indexes[i] = computeSampleIndex(seed, i, this.leafCount);
    }
  }

  leafBytes(index: u32): u32 {
    return min<u32>(LEAF_BYTES, this.byteLength - index * LEAF_BYTES);
  }

  proofBytes(): u32 {
    let bytes: u32 = HEAD_BYTES;
    for (let i = 0; i < this.indexes.length; i++) {
      const index = this.indexes[i];
      bytes += this.leafBytes(index);
      bytes += computePathLength(index, this.leafCount) * HASH_BYTES;
    }
    return bytes;
  }
}

/**
 * Reverts (REGISTRY_PROOF_SHAPE) when the proof has not the length that seed and byteLength ask for.
 *
 * @returns PROOF_GOOD, BAD_CHUNK when byteLength and root do not make the chunk id, BAD_PATH when a leaf does not
 *   lead to the root
 */
export function verifyProof(
  proof: StaticArray<u8>,
  challenge: Challenge,
  seed: StaticArray<u8>,
): string {
  const reader = new ByteReader(proof, PROOF_SHAPE);
  const byteLength = reader.u32Big();
  const root = reader.take(HASH_BYTES);
  assert(byteLength >= 1 && byteLength <= MAX_CHUNK_BYTES, PROOF_SHAPE);
  const shape = new Shape(byteLength, seed, challenge.samples);
  assert(<u32>proof.length == shape.proofBytes(), PROOF_SHAPE);

  const id = sha256(
    new ByteWriter(37)
      .u8(CHUNK_ID_PREFIX)
      .u32Big(byteLength)
      .copy(root, HASH_BYTES).bytes,
  );
  const chunkId = changetype<usize>(challenge.chunkId);
  if (!equalHashes(changetype<usize>(id), chunkId)) return BAD_CHUNK;
  for (let i = 0; i < shape.indexes.length; i++) {
    const index = shape.indexes[i];
    const leafBytes = shape.leafBytes(index);
    const leafHash = computeLeafHash(reader.take(leafBytes), leafBytes);
    const pathBytes = computePathLength(index, shape.leafCount) * HASH_BYTES;
    const path = reader.take(pathBytes);
    const top = computeRootFromPath(leafHash, path, index, shape.leafCount);
    if (!equalHashes(changetype<usize>(top), root)) return BAD_PATH;
  }
  return PROOF_GOOD;
}
