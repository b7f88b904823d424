import { sha256 } from '#crypto'
import {
  computeAddress,
  computeChunkLeafHashes,
  computeLeafHash,
  computePublicKey,
  computeTreeLevels,
  pickPath,
  type SignatureArgument,
  signText,
} from '../../core/index.ts'
import {
  announcementCodec,
  auditRequestCodec,
  auditResponseCodec,
  blockRequestCodec,
  blockResponseCodec,
  type Capabilities,
  capabilitiesCodec,
  challengeCodec,
  challengeProofCodec,
  chunkRequestCodec,
  chunkResponseCodec,
  computeRootsHash,
  drawRequestCodec,
  drawResponseCodec,
  eraRequestCodec,
  eraResponseCodec,
  haveRequestCodec,
  haveResponseCodec,
  manifestRequestCodec,
  manifestResponseCodec,
  type SignedCapabilities,
  sealsResponseCodec,
  signCapabilities,
  signHavePage,
  suspicionRequestCodec,
  suspicionResponseCodec,
  type WireCodec,
} from '../../protocol-handler/index.ts'

/** A secret that everybody knows. */
export const SEED = sha256(new TextEncoder().encode('massa-storage test key'))
export const NETWORK = { chainId: 77n, genesisTimestampMs: 1_795_246_964_000n }
const NODE = computeAddress(computePublicKey(Uint8Array.of(0, ...SEED)))
export const PEER_ID = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20, ...hash('peer'))
/** Of another node. */
export const OTHER_SEED = sha256(new TextEncoder().encode('another key'))
export const OTHER_PEER_ID = PEER_ID.map((byte, i) => (i < 6 ? byte : byte ^ 1))

const CHUNK = Uint8Array.from({ length: 2_500 }, (_, i) => i % 251)
const LEVELS = computeTreeLevels(computeChunkLeafHashes(CHUNK))
const CHUNK_IDS = [hash('chunk 0'), hash('chunk 1'), hash('chunk 2')]
const PERIOD_LEVELS = computeTreeLevels(CHUNK_IDS.map((id) => computeLeafHash(id)))

function hash(text: string): Uint8Array {
  return sha256(new TextEncoder().encode(text))
}

function id33(text: string): Uint8Array {
  return Uint8Array.of(0, ...hash(text))
}

export const SIGNATURE: SignatureArgument = signText(SEED, 'any text')

/** A codec and messages that it must carry; the union of codecs is erased so that tests may go over all. */
export interface Sample<T = unknown> {
  readonly codec: WireCodec<T>
  readonly messages: readonly T[]
}

function sample<T>(codec: WireCodec<T>, ...messages: readonly T[]): Sample {
  return { codec, messages } as unknown as Sample
}

const refused = { status: 'refused' } as const
const notHeld = { status: 'notHeld' } as const
const busy = { status: 'busy' } as const

/** Messages of every codec of the room: each form that it has. */
export const SAMPLES: readonly Sample[] = [
  sample(
    capabilitiesCodec,
    signCapabilities(SEED, {
      network: NETWORK,
      peerId: PEER_ID,
      sequence: 1_795_250_000_000n,
      allocatedGb: 100n,
      storedChunks: 123_456n,
      retentionPeriods: 0n,
      firstPeriod: 0,
      endPeriod: 5_401,
      listenAddresses: ['/ip4/127.0.0.1/tcp/31500', '/dns4/node.example/tcp/31500'],
    }),
    signCapabilities(SEED, {
      network: NETWORK,
      peerId: PEER_ID,
      sequence: 0n,
      allocatedGb: 0n,
      storedChunks: 0n,
      retentionPeriods: 10n,
      firstPeriod: 7,
      endPeriod: 7,
      listenAddresses: [],
    }),
  ),
  sample(announcementCodec, {
    firstPeriod: 100,
    periodCount: 2,
    chunkCount: 15,
    rootsHash: computeRootsHash(100, [hash('root 100'), hash('root 101')]),
    incompleteSlots: [0, 5, 16_383],
  }),
  sample(
    chunkRequestCodec,
    { wanted: 'chunk', chunkId: hash('chunk 1') },
    { wanted: 'seals', chunkId: hash('chunk 0'), offset: 1_048_576 },
  ),
  sample(
    chunkResponseCodec,
    {
      status: 'ok',
      position: { period: 100, index: 1, chunkCount: 3, path: pickPath(PERIOD_LEVELS, 1) },
      data: CHUNK.subarray(0, 60),
    },
    notHeld,
    busy,
    refused,
  ),
  sample(sealsResponseCodec, { status: 'ok', totalBytes: 153, offset: 25, part: new Uint8Array(128).fill(7) }, notHeld),
  sample(
    challengeCodec,
    {
      kind: 'challenge',
      challengeId: 'a1b2-C3_d4',
      node: NODE,
      chunkId: hash('chunk 1'),
      nonce: 2n ** 63n + 1n,
      issuedPeriod: 4_711,
      drawSignature: SIGNATURE.signature,
    },
    {
      kind: 'rehearsal',
      challengeId: 'm-1',
      node: NODE,
      chunkId: hash('chunk 2'),
      nonce: 0n,
      issuedPeriod: 0,
      drawSignature: undefined,
    },
  ),
  sample(
    challengeProofCodec,
    { status: 'ok', challengeId: 'a1b2-C3_d4', proof: CHUNK.subarray(0, 100), signature: SIGNATURE },
    { status: 'notHeld', challengeId: 'm-1' },
  ),
  sample(haveRequestCodec, { fromHashSlot: 0 }, { fromHashSlot: 16_383 }),
  sample(
    haveResponseCodec,
    {
      status: 'ok',
      page: signHavePage(SEED, {
        network: NETWORK,
        headPeriod: 5_400,
        firstEra: 2,
        fromHashSlot: 10,
        endHashSlot: 16_384,
        held: [
          { hashSlot: 10, endEra: 42 },
          { hashSlot: 700, endEra: 41 },
        ],
        exceptions: [
          { hashSlot: 700, era: 2 },
          { hashSlot: 700, era: 40 },
        ],
        missingPeriods: [
          { fromPeriod: 256, endPeriod: 257 },
          { fromPeriod: 5_300, endPeriod: 5_400 },
        ],
      }),
    },
    busy,
  ),
  sample(
    manifestRequestCodec,
    { wanted: 'manifests', firstPeriod: 128, periodCount: 128 },
    { wanted: 'roots', firstPeriod: 0, periodCount: 1 },
  ),
  sample(
    manifestResponseCodec,
    { status: 'ok', wanted: 'manifests', firstPeriod: 128, items: [CHUNK.subarray(0, 70), undefined] },
    { status: 'ok', wanted: 'roots', firstPeriod: 0, items: [undefined, hash('root 1')] },
    notHeld,
  ),
  sample(blockRequestCodec, {
    blocks: [
      { thread: 3, beforePeriod: 100, id: id33('block 1') },
      { thread: 31, beforePeriod: 0, id: id33('block 2') },
    ],
  }),
  sample(
    blockResponseCodec,
    { status: 'ok', id: id33('block 1'), record: CHUNK.subarray(0, 200), seals: new Uint8Array(64).fill(9) },
    { status: 'notHeld', id: id33('block 2') },
  ),
  sample(eraRequestCodec, { era: 41 }),
  sample(
    eraResponseCodec,
    {
      status: 'ok',
      era: 41,
      eraRoot: hash('era 41'),
      totalBytes: 12_345_678n,
      totalChunks: 130n,
      nextPlacementRoot: hash('placement 42'),
      signatures: [SIGNATURE],
    },
    notHeld,
  ),
  sample(drawRequestCodec, { challengeId: 'a1b2-C3_d4' }),
  sample(drawResponseCodec, { status: 'ok', drawSignature: SIGNATURE.signature }, notHeld, busy, refused),
  sample(suspicionRequestCodec, {}),
  sample(
    suspicionResponseCodec,
    {
      status: 'ok',
      suspicions: [
        { node: NODE.map((byte, i) => (i === 2 ? 0 : byte)), period: 4_711, index: 3 },
        { node: NODE, period: 0, index: 16_383 },
      ],
    },
    { status: 'ok', suspicions: [] },
    busy,
  ),
  sample(auditRequestCodec, { chunkId: hash('chunk 1'), leafIndex: 1_023 }),
  sample(
    auditResponseCodec,
    {
      status: 'ok',
      leafIndex: 2,
      byteLength: CHUNK.length,
      treeRoot: LEVELS.at(-1)?.[0] ?? new Uint8Array(32),
      leaf: CHUNK.subarray(2_048),
      path: pickPath(LEVELS, 2),
    },
    notHeld,
  ),
]

/** What a node may say of itself, but for what is `changed`. */
export function signSample(changed: Partial<Capabilities>, seed = SEED): SignedCapabilities {
  return signCapabilities(seed, {
    network: NETWORK,
    peerId: PEER_ID,
    sequence: 5n,
    allocatedGb: 1n,
    storedChunks: 0n,
    retentionPeriods: 0n,
    firstPeriod: 0,
    endPeriod: 0,
    listenAddresses: [],
    ...changed,
  })
}
