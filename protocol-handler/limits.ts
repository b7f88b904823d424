/*
 * Every bound of what peers may send and ask, and of what is remembered of them, each with its reason. A bound has two
 * tests: at it, and one past it (test/protocol-handler/limits.test.ts).
 *
 * Elsewhere stand the shares of one peer and of all, which go by the registry (daemon/peers/shares.ts); the bounds of what we
 * ask for and dial ourselves, beside what asks; those of caches that only spare work; and how often something is looked at.
 */

/** Periods of one announcement: ceil(nodes / 16) of 16,384 nodes; less far back where periods pass faster than the clock. */
export const MAX_ANNOUNCED_PERIODS = 1_024
/** Past our newest final period: other nodes know one some seconds before us, or minutes, where our massa-node is slow. */
export const MAX_PERIODS_AHEAD = 8
/** Of one node: late ones come together; more of one node at once are not passed on. */
export const MAX_ANNOUNCEMENTS_AT_ONCE = 3
/** What a node says too much costs it as often. Those who pass it on are not to blame: each takes a burst of its own. */
export const MAX_EXCESS_ANNOUNCEMENTS = 32
/** As many as the registry keeps of a node (contract: `p2pAddrs`). */
export const MAX_LISTEN_ADDRESSES = 8
/** As long as the registry takes one. */
export const MAX_LISTEN_ADDRESS_BYTES = 128
/** Peers that multicast DNS finds: enough to meet one that tells of the others. Anybody in the local network may answer. */
export const MAX_LOCAL_PEERS = 16
/** A have-map is told in pages, so that an answer stays small beside a chunk. */
export const MAX_HAVE_PAGE_BYTES = 65_536
/** Runs of periods that a have-map names as not archived, 16 bytes each on every page; of more whole eras count as not held. */
export const MAX_MISSING_RANGES = 64
/** Of one map: 16,384 hash slots and 150,000 exceptions to them; an honest node tells no more. */
export const MAX_HAVE_PAGES = 32
/** Maps that are being read at a time: while it is read, the largest takes some 30 MB. */
export const MAX_MAP_FETCHES = 4
/** Nodes whose maps are kept: 58 kB each whatever they say, 2 kB of honest nodes: 116 MB, and 4 MB. */
export const MAX_CLAIMANTS = 2_000
/** Hash slots of one node that end in another era than the rest, 6 bytes each: of more it is not believed that it holds them. */
export const MAX_ODD_SLOTS = 4_096
/** Eras with exceptions, newest first, 8 bytes each; before them nothing is believed. */
export const MAX_GAP_ERAS = 1_024
/** For the hash slots of those; an era that does not fit is believed to be missing in all. */
export const MAX_GAP_BYTES = 16_384
/** Chunks that a node did not show: enough to know that it does not hold what it must; one that lost its disk would fill any list. */
export const MAX_SUSPICIONS_PER_NODE = 16
/** Of 256 nodes of which nothing is shown; past it the oldest is forgotten: audits find it again. */
export const MAX_SUSPICIONS = 4_096
/** Nodes of one answer, 44 bytes each, of which each is told another chunk each time: of more it tells by turns. */
export const MAX_TOLD_SUSPICIONS = 64
/** Chunks that peers said others do not show, and that were asked for in the last hour: as many as 128 peers tell of. */
export const MAX_HINTED_CHUNKS = 4_096
/** Manifests or period roots of one request: one era. */
export const MAX_PERIODS_PER_REQUEST = 128
/** Blocks of one request: half a period; each is answered with a frame of its own. */
export const MAX_BLOCKS_PER_REQUEST = 16
/** How far back a block is looked for: a thread misses so many periods in a row only when the chain stands, 4.5 hours. */
export const MAX_PERIODS_BACK = 1_024
/** What `anchorEra` takes in one call. */
export const MAX_ERA_SIGNATURES = 100
/** As the contract bounds the id of a challenge. */
export const MAX_CHALLENGE_ID_BYTES = 64
/** As many as a registry may ask for, 64 samples of 1,024 bytes with their paths, and their head; 2 are the default. */
export const MAX_PROOF_BYTES = 36 + 64 * (1_024 + 10 * 32)

/** A chunk, or a part of SEALS, of 1 MiB with its place and path. */
export const MAX_CHUNK_ANSWER_BYTES = 1_048_576 + 1_024
/**
 * Chunks, and SEALS of several parts, that were asked for lately and are given from memory: what all holders of a new period and those who join together
 * fetch at about the same time. Some 3 full periods.
 */
export const MAX_CACHED_CHUNK_BYTES = 32 * 1_048_576
/** 128 manifests of the largest period of format 1 are 56 kB; private networks with small chunks get fewer of them. */
export const MAX_MANIFEST_ANSWER_BYTES = 1_048_576
/** A block of 300,000 bytes of operations, its header, ids and signatures; past it a massa-node takes no block. */
export const MAX_BLOCK_ANSWER_BYTES = 2 * 1_048_576
/** SEALS of the fullest period there can be: 32 blocks of 5,000 operations. */
export const MAX_SEALS_BYTES = 32 * 5_001 * 64 + 1_024
/** Chunks of one period, as a manifest has them at most. */
export const MAX_PERIOD_CHUNKS = 16_384
/** How long an answer may take: its askers are many, and others may have it. */
export const MAX_ANSWER_MS = 30_000
/** All parts of SEALS together, however large: 170 kB/s, a quarter of what following a chain takes that has such SEALS. */
export const MAX_SEALS_MS = 60_000
/** Of one stream that we ask on: three answers of 1 MiB and what stands around them. */
export const MAX_WAITING_ANSWER_BYTES = 4 * 1_048_576

/** Every request is shorter. */
export const MAX_REQUEST_BYTES = 1_024
/** Of one stream: a peer that has 64 of the longest requests waiting unread is cut off. */
export const MAX_WAITING_REQUEST_BYTES = 64 * MAX_REQUEST_BYTES
/** Of its rate, that a peer may use at once: a joining node asks in bursts. */
export const MAX_BURST_SECONDS = 5
/** So many refusals in a row are answered; then some are ignored; then the stream is cut. */
export const MAX_ANSWERED_REFUSALS = 20
export const MAX_IGNORED_REFUSALS = 80
/** Peers whose rates are kept; past it the one that asked longest ago begins anew. */
export const MAX_METERED_PEERS = 4_096
/** Of `p2p.max_bytes_per_second`, that wait for their turn at most; an asker waits 30 before it asks others. */
export const MAX_WAITING_SECONDS = 5
/** The same in bytes: answers that wait are in memory. */
export const MAX_WAITING_BYTES = 64 * 1_048_576
/**
 * Of the time for works, of those that may wait for it, and of the line: what challenges and audits have before all others.
 * Past it they stand behind these, however many ask. Some 40 leaves a second, each of a chunk of 1 MiB, were measured: a node is asked
 * for 700 a day (auditor.ts), and for 20 a second at most by each that lets go of chunks (gather-evidence.ts).
 */
export const CHALLENGE_SHARE = 1 / 2
/** How long a whole request is waited for: streams are kept for those who use them. */
export const MAX_REQUEST_MS = 120_000
/** How long a peer may take to take an answer: one of 1 MiB at 35 kB/s. */
export const MAX_TAKING_MS = 30_000
/**
 * Answers that are made and not yet taken, of one peer: one that is being taken and one behind it on eight streams, as an honest
 * one has them at a time.
 */
export const MAX_UNTAKEN_ANSWER_BYTES = 16 * 1_048_576
/** Of all peers; where more than four take nothing each has a part of it, and always one answer. */
export const MAX_ALL_UNTAKEN_ANSWER_BYTES = 64 * 1_048_576
/** Streams of one kind of one connection: four that are used, and those of a restart that are not yet closed. */
export const MAX_STREAMS_PER_PEER = 16
/** Streams of one connection that a peer opens: 16 of each of the nine kinds, and those of gossip, identify and ping. */
export const MAX_MUXED_STREAMS = 160
/**
 * Streams that a peer opens on one connection, whether it closes them again or not: all that it may have, and a quarter
 * as many again, then some a second. An honest one opens one for a ping now and then, and others when it asks more than before.
 * To agree on a protocol costs us half a millisecond, and who asks for one and does not wait next to nothing: 64 strangers that do so
 * for ever have a sixth of the processor.
 */
export const MAX_STREAMS_OPENED_AT_ONCE = 200
export const STREAMS_OPENED_PER_SECOND = 5
/** Connections that it costs a host when one of its peers goes past that: the peer has another name at once. */
export const CONNECTIONS_PER_FLOOD = 10
/** Pings of one peer, 32 bytes each: a sidecar sends one in 30 s, on each connection that it has. */
export const PINGS_PER_SECOND = 1
export const MAX_PINGS_AT_ONCE = 16
/** A stream is for one ping: as long as a sidecar waits for its answer (libp2p-node.ts). */
export const MAX_PING_STREAM_MS = 30_000
/** What a stream takes in unread, and one yamux frame at most: four answers of 1 MiB on their way, enough for 50 ms at 80 MiB/s. */
export const MAX_STREAM_WINDOW_BYTES = 4 * 1_048_576
/** What waits in a connection for a peer to read: an answer of every stream that an honest peer has at a time, and half as much again. */
export const MAX_UNSENT_BYTES = 24 * 1_048_576
/** The same of all connections: past it the one for which most waits is ended. */
export const MAX_ALL_UNSENT_BYTES = 96 * 1_048_576
/** What a peer sends while it takes nothing: a window update and a request now and then; each may leave an answer of 150 bytes. */
export const MAX_FRAMES_WHILE_FULL = 10_000
/**
 * Connections that have not said who they are. One host may open 50 a second and keep each for 5 seconds, so it cannot
 * take all; each costs some 30 kB.
 */
export const MAX_HALF_OPEN_CONNECTIONS = 500
/** How long they may take for that: four round trips of half a second, twice over; then they make room for others. */
export const MAX_UPGRADE_MS = 5_000
/** Joiners of a site behind one address come together; the default of five a second leaves some without peers (facts: stack 2.4). */
export const MAX_CONNECTIONS_PER_SECOND_AND_HOST = 50
/**
 * Connections of one host: so many at once for a site behind one address, then one a second. Each costs some 5 ms of the
 * processor before the other has said who it is, and whoever is banned comes back under another name.
 */
export const CONNECTIONS_PER_SECOND_AND_HOST = 1
export const MAX_CONNECTIONS_AT_ONCE_AND_HOST = 60
/** Connections of all hosts, a quarter of the processor; a whole network that comes back at once is in within a minute. */
export const CONNECTIONS_PER_SECOND = 50
export const MAX_CONNECTIONS_AT_ONCE = 200
/**
 * Of those, the ones of one network (host-site.ts) that neither configuration nor registry names: 65,536 hosts of IPv6 are for the
 * asking. For those that are named there is room for as many as for all others.
 */
export const CONNECTIONS_PER_SECOND_AND_NETWORK = 10
export const MAX_CONNECTIONS_AT_ONCE_AND_NETWORK = 100
/** Hosts, and networks, whose rates are kept; past it the one that was heard of longest ago begins anew: the bound of all stands. */
export const MAX_KNOWN_HOSTS = 10_000
/** Of all connections, for whoever comes without being known to the registry: the others are kept for its nodes. */
export const STRANGERS_SHARE = 1 / 2
/** At which a peer is banned. Ten refusals within minutes: no honest peer of the same release comes near. */
export const MAX_SCORE = 10
/** Peers of which a score is kept, some 100 bytes each; past it the one that was heard of longest ago is forgotten. */
export const MAX_SCORED_PEERS = 10_000
/** Bans that outlive a restart: some 75 bytes each. Those of the operator are not pushed out by strangers. */
export const MAX_KEPT_BANS = 1_000
/** Nodes that are heard of at a time; past it the one that spoke longest ago is forgotten, of those that are not registered. */
export const MAX_KNOWN_NODES = 10_000
/**
 * Nodes that the registry does not know and that make others speak less often: anybody can make up thousands of them, which
 * must not keep those of the registry from being heard. As many as are met where there is no registry.
 */
export const MAX_COUNTED_STRANGERS = 64
/** Bindings that outlive a restart, some 100 bytes each: four times the nodes that the network is made for. */
export const MAX_KEPT_BINDINGS = 4_096
/** Nodes that are dialled because others know them, those whose holdings concern us first; more come by themselves. */
export const MAX_TOLD_NODES = 64
/**
 * How long a connected peer may show nothing of our network: no protocol, no topic, no word of its own. A sidecar shows its
 * topics at once; who is slower than two pings (libp2p-node.ts) is of no use to anybody.
 */
export const MAX_SILENT_SECONDS = 60
/**
 * How long such a peer, or one that shows another network, is not dialled and not let in: ten times as long as it may keep
 * a place for nothing, and an honest one that hung is soon back.
 */
export const REFUSED_MS = 600_000
/**
 * Peers of which libp2p remembers how to reach them and what they speak, beside those that are connected: up to 8 KiB each,
 * as long as identify lets them speak. Whom we want to be connected to is dialled at addresses that stand elsewhere.
 */
export const MAX_STORED_PEERS = 1_000
/** Peers that are kept away, the latest; some MB. Anybody can make up more, 50 a second (CONNECTIONS_PER_SECOND). */
export const MAX_REFUSED_PEERS = 10_000
/** The largest gossip message, an announcement in which every hash slot is incomplete, in its envelope. */
export const MAX_GOSSIP_BYTES = 65_536
/** What waits for a peer that does not read gossip: as much as 16 of the largest messages. */
export const MAX_UNSENT_GOSSIP_BYTES = 16 * MAX_GOSSIP_BYTES
/**
 * Statements of one author on a topic: one in two seconds is what a sidecar says at most, when newcomers come all the time
 * (introductions.ts), and an announcement comes in 16 s at most, however fast periods pass; eight together are what was on
 * its way while we were not listening.
 */
export const STATEMENTS_PER_SECOND = 0.5
export const MAX_STATEMENTS_AT_ONCE = 8
/** So many past it are ignored: a line that stood for a minute brings as many. What an author itself sends us past these is rejected. */
export const MAX_IGNORED_STATEMENTS = 30
/**
 * Of all authors together that the registry does not know: anybody can make up thousands. Honest ones say four a second. Past it
 * as many of those in the name of a node of the registry that was not heard of yet.
 */
export const STRANGER_STATEMENTS_PER_SECOND = 10
export const MAX_STRANGER_STATEMENTS_AT_ONCE = 100
/**
 * What one peer hands on in gossip: twice what all strangers and all nodes of the registry may say. libp2p verifies each
 * message, 0.2 ms, before it asks us.
 */
export const GOSSIP_PER_SECOND_AND_PEER = 32
export const MAX_GOSSIP_AT_ONCE = 320
/** Authors on topics whose rates are kept, 200 bytes each, and peers that hand gossip on; the rest begin anew. */
export const MAX_GOSSIP_AUTHORS = 20_000
export const MAX_GOSSIP_PEERS = 4_096
