/*
 * Every bound of what peers may send and ask, each with its reason. A bound has two tests: at it, and one past it.
 */

/** Periods of one announcement: ceil(nodes / 32) of 32,768 nodes. */
export const MAX_ANNOUNCED_PERIODS = 1_024
/** As many as the registry keeps of a node (contract: `p2pAddrs`). */
export const MAX_LISTEN_ADDRESSES = 8
/** As long as the registry takes one. */
export const MAX_LISTEN_ADDRESS_BYTES = 128
/** A have-map is told in pages, so that an answer stays small beside a chunk. */
export const MAX_HAVE_PAGE_BYTES = 65_536
/** Manifests or period roots of one request: one era. */
export const MAX_PERIODS_PER_REQUEST = 128
/** Blocks of one request: half a period; each is answered with a frame of its own. */
export const MAX_BLOCKS_PER_REQUEST = 16
/** What `anchorEra` takes in one call. */
export const MAX_ERA_SIGNATURES = 100
/** As the contract bounds the id of a challenge. */
export const MAX_CHALLENGE_ID_BYTES = 64
/** 8 samples of 1,024 bytes with their paths, and their head: ten times what the default of 2 samples takes. */
export const MAX_PROOF_BYTES = 36 + 20 * (1_024 + 10 * 32)

/** A chunk, or a part of SEALS, of 1 MiB with its place and path. */
export const MAX_CHUNK_ANSWER_BYTES = 1_048_576 + 1_024
/** 128 manifests of the largest period of format 1 are 56 kB; private networks with small chunks get fewer of them. */
export const MAX_MANIFEST_ANSWER_BYTES = 1_048_576
/** A block of 300,000 bytes of operations, its header, ids and signatures; past it a massa-node takes no block. */
export const MAX_BLOCK_ANSWER_BYTES = 2 * 1_048_576

/** Every request is shorter; a peer that has 64 of them waiting unread is cut off. */
export const MAX_REQUEST_BYTES = 1_024
/** Streams of one kind of one connection: four that are used, and those of a restart that are not yet closed. */
export const MAX_STREAMS_PER_PEER = 16
/** The largest gossip message, an announcement in which every hash slot is incomplete, in its envelope. */
export const MAX_GOSSIP_BYTES = 65_536
