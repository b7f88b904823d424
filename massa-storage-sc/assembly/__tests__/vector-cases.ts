/* Shapes of the cases in vectors.generated.ts; bytes in hex. */

export class MerkleCase {
  constructor(
    readonly name: string,
    readonly leaf: string,
    readonly index: u32,
    readonly leafCount: u32,
    readonly path: string,
    readonly root: string,
    readonly good: bool,
  ) {}
}

export class VerifyCase {
  constructor(
    readonly name: string,
    readonly chunkId: string,
    readonly seed: string,
    readonly samples: u32,
    readonly proof: string,
    readonly good: bool,
  ) {}
}

export class SampleCase {
  constructor(
    readonly name: string,
    readonly seed: string,
    readonly leafCount: u32,
    readonly want: u32[],
  ) {}
}

export class SeedCase {
  constructor(
    readonly name: string,
    readonly chainId: u64,
    readonly contract: string,
    readonly challengeId: string,
    readonly node: string,
    readonly chunkId: string,
    readonly nonce: u64,
    readonly issuedPeriod: u64,
    readonly want: string,
  ) {}
}

export class TextCase {
  constructor(
    readonly name: string,
    readonly seed: string,
    readonly proof: string,
    readonly want: string,
  ) {}
}

export class EraTextCase {
  constructor(
    readonly name: string,
    readonly chainId: u64,
    readonly contract: string,
    readonly era: u64,
    readonly eraRoot: string,
    readonly totalBytes: u64,
    readonly totalChunks: u64,
    readonly nextPlacementRoot: string,
    readonly want: string,
  ) {}
}

/** Bytes of hex digits. */
export function fromHex(text: string): StaticArray<u8> {
  const bytes = new StaticArray<u8>(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = <u8>parseInt(text.substr(2 * i, 2), 16);
  }
  return bytes;
}
