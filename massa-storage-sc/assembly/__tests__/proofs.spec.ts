import { computeEraDigest } from '../internals/anchors';
import {
  PROOF_GOOD,
  computeChallengeSeed,
  computeProofText,
  computeSampleIndex,
  verifyProof,
} from '../internals/proofs';
import { toHex } from '../codec';
import {
  computeLeafHash,
  computePathLength,
  computeRootFromPath,
} from '../merkle';
import { mockSetChainId } from '@massalabs/massa-as-sdk';
import { Challenge } from '../structs/Challenge';
import { EraAnchor } from '../structs/EraAnchor';
import { MerkleCase, VerifyCase, fromHex } from './vector-cases';
import {
  ERA_TEXTS,
  MERKLE,
  SAMPLES,
  SEEDS,
  TEXTS,
  VERIFY,
} from './vectors.generated';

let nextCase = 0;

/** A wrong proof is either refused (abort) or a failed challenge. */
function isAccepted(one: VerifyCase): bool {
  const challenge = new Challenge('x');
  challenge.chunkId = fromHex(one.chunkId);
  challenge.samples = one.samples;
  const verdict = verifyProof(fromHex(one.proof), challenge, fromHex(one.seed));
  return verdict == PROOF_GOOD;
}

function leadsToRoot(one: MerkleCase): bool {
  const path = fromHex(one.path);
  if (one.index >= one.leafCount) return false;
  const wanted = computePathLength(one.index, one.leafCount) * 32;
  if (<u32>path.length != wanted) return false;
  const leaf = fromHex(one.leaf);
  const root = computeRootFromPath(
    computeLeafHash(changetype<usize>(leaf), leaf.length),
    changetype<usize>(path),
    one.index,
    one.leafCount,
  );
  return toHex(root, 32) == one.root;
}

describe('merkle', () => {
  test('accepts and refuses the paths that core accepts and refuses', () => {
    for (let i = 0; i < MERKLE.length; i++) {
      expect(leadsToRoot(MERKLE[i])).toBe(MERKLE[i].good, MERKLE[i].name);
    }
  });

  test('measures paths up to 2^32 - 1 leaves', () => {
    expect(computePathLength(0, u32.MAX_VALUE)).toBe(32);
    expect(computePathLength(u32.MAX_VALUE - 1, u32.MAX_VALUE)).toBe(31);
    expect(computePathLength(0, 1)).toBe(0);
  });
});

describe('proofs', () => {
  test('accepts every good proof of the vectors', () => {
    for (let i = 0; i < VERIFY.length; i++) {
      if (!VERIFY[i].good) continue;
      expect(isAccepted(VERIFY[i])).toBe(true, VERIFY[i].name);
    }
  });

  // Titles are collected first and the bodies run afterwards, in order: each body takes the next bad case itself.
  for (let i = 0; i < VERIFY.length; i++) {
    if (VERIFY[i].good) continue;
    throws('refuses ' + VERIFY[i].name, () => {
      while (VERIFY[nextCase].good) nextCase++;
      assert(isAccepted(VERIFY[nextCase++]), 'refused');
    });
  }

  test('has refused every bad proof', () => {
    let last = VERIFY.length - 1;
    while (VERIFY[last].good) last--;
    expect(nextCase).toBe(last + 1);
  });

  test('draws the samples of the vectors', () => {
    for (let i = 0; i < SAMPLES.length; i++) {
      const one = SAMPLES[i];
      for (let j = 0; j < one.want.length; j++) {
        const index = computeSampleIndex(fromHex(one.seed), j, one.leafCount);
        expect(index).toBe(one.want[j], one.name);
      }
    }
  });

  test('computes the seeds of the vectors', () => {
    for (let i = 0; i < SEEDS.length; i++) {
      const one = SEEDS[i];
      const challenge = new Challenge(one.challengeId);
      challenge.nodeAddress = one.node;
      challenge.chunkId = fromHex(one.chunkId);
      challenge.nonce = one.nonce;
      challenge.issuedPeriod = one.issuedPeriod;
      const seed = computeChallengeSeed(one.chainId, one.contract, challenge);
      expect(toHex(seed, 32)).toBe(one.want, one.name);
    }
  });

  test('signs the texts of the vectors', () => {
    for (let i = 0; i < TEXTS.length; i++) {
      const one = TEXTS[i];
      const signed = computeProofText(fromHex(one.seed), fromHex(one.proof));
      expect(signed).toBe(one.want, one.name);
    }
    for (let i = 0; i < ERA_TEXTS.length; i++) {
      const one = ERA_TEXTS[i];
      mockSetChainId(<f64>one.chainId);
      const anchor = new EraAnchor(one.era);
      anchor.root = fromHex(one.eraRoot);
      anchor.totalBytes = one.totalBytes;
      anchor.totalChunks = one.totalChunks;
      anchor.placementRoot = fromHex(one.nextPlacementRoot);
      const digest = toHex(computeEraDigest(one.contract, anchor), 32);
      expect('massa-storage/era/1:' + digest).toBe(one.want, one.name);
    }
  });
});
