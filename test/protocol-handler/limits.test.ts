import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import {
  announcementCodec,
  type BlockResponse,
  blockRequestCodec,
  blockResponseCodec,
  type ChallengeMessage,
  type ChallengeProofMessage,
  capabilitiesCodec,
  challengeCodec,
  challengeProofCodec,
  type EraResponse,
  eraResponseCodec,
  type HaveResponse,
  haveResponseCodec,
  type ManifestRequest,
  type ManifestResponse,
  manifestRequestCodec,
  manifestResponseCodec,
  signCapabilities,
  signHavePage,
  type WireCodec,
} from '../../protocol-handler/index.ts'
import * as limits from '../../protocol-handler/limits.ts'
import { NETWORK, PEER_ID, SAMPLES, SEED, SIGNATURE } from './sample-messages.ts'

/** Bytes of a message that reaches a bound, and of one that passes it; `write` of a codec itself refuses nothing. */
interface Case {
  readonly codec: WireCodec<unknown>
  readonly make: (size: number) => unknown
}

const SIZES = new Map<string, number>(Object.entries(limits))
const HASH = new Uint8Array(32).fill(1)
const ID = new Uint8Array(33)

function bound<T>(codec: WireCodec<T>, make: (size: number) => T): Case {
  return { codec, make } as unknown as Case
}

const capabilities = (listenAddresses: string[]) =>
  signCapabilities(SEED, {
    network: NETWORK,
    peerId: PEER_ID,
    sequence: 1n,
    allocatedGb: 1n,
    storedChunks: 1n,
    retentionPeriods: 0n,
    firstPeriod: 0,
    endPeriod: 0,
    listenAddresses,
  })

/** What stands around the bytes of an answer of variable length. */
const MANIFEST_HEAD_BYTES = 1 + 1 + 1 + 8 + 1
const BLOCK_HEAD_BYTES = 1 + 1 + 33
const HAVE_HEAD_BYTES = 1 + 1 + 16 + 8 + 4 + 2 + 2 + 2 + 2 + 33 + 65
/** LEB128 of a number of 3 bytes, and of 64. */
const LONG = 3
const SHORT = 1

/** By a message, or by streams and connections in the test that is named. */
const BOUNDS: Record<keyof typeof limits, Case | string> = {
  MAX_ANNOUNCED_PERIODS: bound(announcementCodec, (periodCount) => ({
    firstPeriod: 1,
    periodCount,
    chunkCount: 1,
    rootsHash: HASH,
    incompleteSlots: [],
  })),
  MAX_LISTEN_ADDRESSES: bound(capabilitiesCodec, (count) =>
    capabilities(Array.from({ length: count }, () => '/dns4/a')),
  ),
  MAX_LISTEN_ADDRESS_BYTES: bound(capabilitiesCodec, (bytes) => capabilities(['x'.repeat(bytes)])),
  MAX_LOCAL_PEERS: 'test/protocol-handler/local-peers.test.ts',
  MAX_HAVE_PAGE_BYTES: bound<HaveResponse>(haveResponseCodec, (bytes) => {
    const count = Math.floor((bytes - HAVE_HEAD_BYTES) / 6)
    const held = Array.from({ length: count }, (_, hashSlot) => ({ hashSlot, endEra: 1 }))
    const page = {
      network: NETWORK,
      headPeriod: 1,
      firstEra: 0,
      fromHashSlot: 0,
      endHashSlot: 16_384,
      held,
      exceptions: [],
    }
    return { status: 'ok', page: signHavePage(SEED, page) }
  }),
  MAX_HAVE_PAGES: 'test/storage-worker/peers/fetch-have-map.test.ts',
  MAX_PERIODS_PER_REQUEST: bound<ManifestRequest>(manifestRequestCodec, (periodCount) => ({
    wanted: 'roots',
    firstPeriod: 1,
    periodCount,
  })),
  MAX_BLOCKS_PER_REQUEST: bound(blockRequestCodec, (count) => ({
    blocks: Array.from({ length: count }, () => ({ thread: 0, beforePeriod: 1, id: ID })),
  })),
  MAX_ERA_SIGNATURES: bound<EraResponse>(eraResponseCodec, (count) => ({
    status: 'ok',
    era: 1,
    eraRoot: HASH,
    totalBytes: 1n,
    totalChunks: 1n,
    nextPlacementRoot: HASH,
    signatures: Array.from({ length: count }, () => SIGNATURE),
  })),
  MAX_CHALLENGE_ID_BYTES: bound<ChallengeMessage>(challengeCodec, (bytes) => ({
    kind: 'rehearsal',
    challengeId: 'x'.repeat(bytes),
    node: new Uint8Array(34),
    chunkId: HASH,
    nonce: 1n,
    issuedPeriod: 0,
    drawSignature: undefined,
  })),
  MAX_PROOF_BYTES: bound<ChallengeProofMessage>(challengeProofCodec, (bytes) => ({
    status: 'ok',
    challengeId: 'x',
    proof: new Uint8Array(bytes),
    signature: SIGNATURE,
  })),
  MAX_CHUNK_ANSWER_BYTES: 'test/integration/peer-node.test.ts',
  MAX_MANIFEST_ANSWER_BYTES: bound<ManifestResponse>(manifestResponseCodec, (bytes) => ({
    status: 'ok',
    wanted: 'manifests',
    firstPeriod: 1,
    items: [new Uint8Array(bytes - MANIFEST_HEAD_BYTES - LONG)],
  })),
  MAX_BLOCK_ANSWER_BYTES: bound<BlockResponse>(blockResponseCodec, (bytes) => ({
    status: 'ok',
    id: ID,
    record: new Uint8Array(bytes - BLOCK_HEAD_BYTES - LONG - 64 - SHORT),
    seals: new Uint8Array(64),
  })),
  MAX_CACHED_CHUNK_BYTES: 'test/protocol-handler/chunk-cache.test.ts',
  MAX_REQUEST_BYTES: 'test/integration/hostile-peers.test.ts',
  MAX_STREAMS_PER_PEER: 'test/integration/hostile-peers.test.ts',
  MAX_MUXED_STREAMS: 'test/integration/hostile-peers.test.ts',
  MAX_STREAM_WINDOW_BYTES: 'test/protocol-handler/bounded-yamux.test.ts',
  MAX_UNSENT_BYTES: 'test/protocol-handler/bounded-yamux.test.ts',
  MAX_FRAMES_WHILE_FULL: 'test/protocol-handler/bounded-yamux.test.ts',
  MAX_HALF_OPEN_CONNECTIONS: 'test/integration/half-open.test.ts',
  MAX_UPGRADE_MS: 'test/integration/half-open.test.ts',
  MAX_REQUEST_MS: 'test/integration/patience.test.ts',
  MAX_TAKING_MS: 'test/integration/patience.test.ts',
  MAX_CONNECTIONS_PER_SECOND_AND_HOST: 'test/integration/half-open.test.ts',
  CONNECTIONS_PER_SECOND_AND_HOST: 'test/protocol-handler/connection-rates.test.ts',
  MAX_CONNECTIONS_AT_ONCE_AND_HOST: 'test/protocol-handler/connection-rates.test.ts',
  CONNECTIONS_PER_SECOND: 'test/protocol-handler/connection-rates.test.ts',
  MAX_CONNECTIONS_AT_ONCE: 'test/protocol-handler/connection-rates.test.ts',
  MAX_GOSSIP_BYTES: 'test/integration/hostile-gossip.test.ts',
  MAX_UNSENT_GOSSIP_BYTES: 'test/integration/hostile-gossip.test.ts',
  MAX_SILENT_SECONDS: 'test/protocol-handler/silent-peers.test.ts',
  REFUSED_MS: 'test/protocol-handler/refused-peers.test.ts',
  MAX_REFUSED_PEERS: 'test/protocol-handler/refused-peers.test.ts',
  STATEMENTS_PER_SECOND: 'test/protocol-handler/gossip-rates.test.ts',
  MAX_STATEMENTS_AT_ONCE: 'test/protocol-handler/gossip-rates.test.ts',
  MAX_IGNORED_STATEMENTS: 'test/protocol-handler/gossip-rates.test.ts',
  STRANGER_STATEMENTS_PER_SECOND: 'test/protocol-handler/gossip-rates.test.ts',
  MAX_STRANGER_STATEMENTS_AT_ONCE: 'test/protocol-handler/gossip-rates.test.ts',
  GOSSIP_PER_SECOND_AND_PEER: 'test/protocol-handler/gossip-rates.test.ts',
  MAX_GOSSIP_AT_ONCE: 'test/protocol-handler/gossip-rates.test.ts',
}

describe('protocol-handler/limits', () => {
  for (const [name, how] of Object.entries(BOUNDS)) {
    it(`limit: ${name}`, () => {
      if (typeof how === 'string') {
        assert.ok(readFileSync(how, 'utf8').includes(name), `${how} does not speak of ${name}`)
        return
      }
      const { codec, make } = how
      const size = SIZES.get(name) ?? 0
      codec.decode(codec.encode(make(size)))
      const step = codec.name === 'HaveResponse' ? 6 : 1
      assert.throws(
        () => codec.decode(codec.encode(make(size + step))),
        ({ code }) => ['PROTOCOL_MESSAGE_INVALID', 'CORE_NUMBER_OUT_OF_RANGE'].includes(code),
      )
    })
  }

  it('every request is shorter than a request may be', () => {
    const requests = SAMPLES.filter(({ codec }) => /Request$|^Challenge$/.test(codec.name))
    assert.equal(requests.length, 7)
    for (const { codec } of requests) assert.ok(codec.maxBytes <= limits.MAX_REQUEST_BYTES, codec.name)
  })
})
