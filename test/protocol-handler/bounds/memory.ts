import { decodeBans, encodeBans } from '../../../protocol-handler/ban-record.ts'
import { decodeBindings, encodeBindings } from '../../../protocol-handler/binding-record.ts'
import { Bindings } from '../../../protocol-handler/bindings.ts'
import { ConnectionRates } from '../../../protocol-handler/connection-rates.ts'
import { GossipRates } from '../../../protocol-handler/gossip-rates.ts'
import {
  MAX_CONNECTIONS_AT_ONCE_AND_HOST,
  MAX_GOSSIP_AT_ONCE,
  MAX_STATEMENTS_AT_ONCE,
} from '../../../protocol-handler/limits.ts'
import { LocalPeers } from '../../../protocol-handler/local-peers.ts'
import { PeerLimits } from '../../../protocol-handler/peer-limits.ts'
import { PeerScores } from '../../../protocol-handler/peer-scores.ts'
import { RefusedPeers } from '../../../protocol-handler/refused-peers.ts'
import { SilentPeers } from '../../../protocol-handler/silent-peers.ts'
import { HolderClaims } from '../../../storage-worker/replication/holder-claims.ts'
import { StillClock } from '../../clocks.ts'
import { SetClock } from '../../devnet/set-clock.ts'
import { settle } from '../../turns.ts'
import { NETWORK, PEER_ID, signSample } from '../sample-messages.ts'
import { all, type BoundName, tested, tried } from './bound.ts'

/** Whether the first of so many is still known when all have come. */
function remembers(count: number, come: (i: number) => unknown, isKnown: () => boolean): boolean {
  for (let i = 0; i < count; i++) come(i)
  return isKnown()
}

function isRead(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch {
    return false
  }
}

/** What is known of so many nodes that are connected, and whose maps are asked for and never come. */
async function meetNodes(count: number) {
  const asked: string[] = []
  const nodes = Array.from({ length: count }, (_, i) => `node ${i}`)
  const claims = new HolderClaims(
    { network: NETWORK, ownAddress: 'own', livenessMs: 1 },
    {
      client: {
        fetchHaveMap: (_peer, address) => {
          asked.push(address)
          return new Promise(() => undefined)
        },
      },
      ports: {
        listPeers: () => nodes.map((address) => ({ peer: address, address })),
        isNode: () => true,
        listBanned: () => [],
        firstPeriodOf: () => 0,
        keepsForEver: () => true,
        isTooSmall: () => false,
        readOwnFirst: async () => 0,
      },
      clock: new StillClock(),
      onFailure: () => undefined,
    },
  )
  await claims.look()
  await settle(1)
  return { claims, asked, last: nodes.at(-1) ?? '' }
}

export const MEMORY = {
  MAX_KNOWN_HOSTS: tried((count) => {
    const clock = new SetClock()
    const rates = new ConnectionRates(clock)
    all(MAX_CONNECTIONS_AT_ONCE_AND_HOST, () => rates.admit('host 0'))
    const come = (i: number) => i > 0 && rates.admit(`host ${i}`)
    return remembers(count, come, () => {
      // There is room for others, and not yet for one more of this host.
      clock.timeMs += 900
      return !rates.admit('host 0')
    })
  }),
  MAX_SCORED_PEERS: tried((count) => {
    const scores = new PeerScores(new SetClock())
    return remembers(
      count,
      (i) => scores.onOffence(`${i}`, 'reject'),
      () => scores.scoreOf('0') > 0,
    )
  }),
  MAX_SCORE: tried((score) => {
    const scores = new PeerScores(new SetClock())
    return all(score - 1, () => scores.onOffence('peer', 'reject') === undefined)
  }),
  MAX_KEPT_BANS: tried((count) => {
    const bans = Array.from({ length: count }, () => ({ peer: 'p', reason: 'limit' as const, leftMs: 1, bans: 1 }))
    return isRead(() => decodeBans(encodeBans(bans, 0), 0))
  }),
  MAX_KEPT_BINDINGS: tried((count) => {
    const bindings = Array.from({ length: count }, () => ({ address: 'AU1', peerId: PEER_ID, sequence: 1n }))
    return isRead(() => decodeBindings(encodeBindings(bindings)))
  }),
  MAX_KNOWN_NODES: tried((count) => {
    const bindings = new Bindings(NETWORK, () => false)
    // So many signatures would take seconds.
    const known: Map<string, unknown> = Reflect.get(bindings, 'byAddress')
    for (let i = 1; i < count; i++) known.set(`AU${i}`, signed)
    return bindings.take(signed, PEER_ID) !== undefined && known.has('AU1')
  }),
  MAX_COUNTED_STRANGERS: tested(
    'test/protocol-handler/introductions.test.ts',
    'hostile peer: strangers that somebody makes up do not keep nodes of the registry from being heard',
  ),
  MAX_TOLD_NODES: tested('test/protocol-handler/dial-targets.test.ts', 'are at most 64 that others told'),
  MAX_LOCAL_PEERS: tried((count) => {
    const peers = new LocalPeers()
    const come = (i: number) => peers.take(`${i}`, [`/ip4/10.0.0.1/tcp/${i + 1}`])
    return remembers(count, come, () => peers.list().some(([first]) => first === '/ip4/10.0.0.1/tcp/1/p2p/0'))
  }),
  MAX_REFUSED_PEERS: tried((count) => {
    const refused = new RefusedPeers(new SetClock())
    return remembers(
      count,
      (i) => refused.refuse(`${i}`),
      () => refused.isRefused('0'),
    )
  }),
  MAX_STORED_PEERS: tested(
    'test/integration/stored-peers.test.ts',
    'limit: 1,000 that come once and go are remembered by libp2p, then the one that changed longest ago is forgotten',
  ),
  // Its last millisecond.
  REFUSED_MS: tried((ms) => {
    const clock = new SetClock()
    const refused = new RefusedPeers(clock)
    refused.refuse('peer')
    clock.timeMs += ms - 1
    return refused.isRefused('peer')
  }),
  MAX_SILENT_SECONDS: tried((seconds) => {
    const refused: string[] = []
    const ports = { listSilent: () => ['peer'], refuse: (peer: string) => refused.push(peer) }
    const silent = new SilentPeers(ports, new SetClock())
    for (let i = 0; i < seconds; i++) silent.look()
    return refused.length === 0
  }),
  MAX_METERED_PEERS: tried((count) => {
    const share = { requestsPerSecond: 1, bytesPerSecond: 1e9, openStreams: 1 }
    const limits = new PeerLimits(share, new SetClock())
    while (limits.admit('0') === 'serve');
    return remembers(
      count,
      (i) => i > 0 && limits.admit(`${i}`),
      () => limits.admit('0') !== 'serve',
    )
  }),
  MAX_GOSSIP_PEERS: tried((count) => {
    const rates = new GossipRates(() => false, new SetClock())
    rates.admitFrom('0', MAX_GOSSIP_AT_ONCE)
    return remembers(
      count,
      (i) => i > 0 && rates.admitFrom(`${i}`, 1),
      () => rates.admitFrom('0', 1) !== 'accept',
    )
  }),
  MAX_GOSSIP_AUTHORS: tried((count) => {
    const rates = new GossipRates(() => false, new SetClock())
    const say = (author: number) => rates.admit({ topic: 'announce', author: `${author}`, isDirect: true })
    all(MAX_STATEMENTS_AT_ONCE, () => say(0) === 'accept')
    return remembers(
      count,
      (i) => i > 0 && say(i),
      () => say(0) !== 'accept',
    )
  }),
  MAX_CACHED_CHUNK_BYTES: tested(
    'test/protocol-handler/chunk-cache.test.ts',
    'limit: a chunk of all its bytes is kept, a larger one is not, and takes the old one of its id away',
  ),
  MAX_CLAIMANTS: tried(async (count) => {
    const { claims, last } = await meetNodes(count)
    claims.distrust(last, true)
    return claims.doubtOf(last, 0, 0) !== undefined
  }),
  MAX_MAP_FETCHES: tried(async (count) => (await meetNodes(count)).asked.length === count),
  MAX_ODD_SLOTS: tested(
    'test/storage-worker/replication/claimed-map.test.ts',
    'limit: of hash slots that end elsewhere than most, so many count and no more',
  ),
  MAX_GAP_ERAS: tested(
    'test/storage-worker/replication/claimed-map.test.ts',
    'limit: of eras with exceptions, so many count; nothing older does',
  ),
  MAX_GAP_BYTES: tested(
    'test/storage-worker/replication/claimed-map.test.ts',
    'limit: an era whose exceptions do not fit is missing in all hash slots; newer ones are kept',
  ),
  MAX_HINTED_CHUNKS: tested(
    'test/storage-worker/challenge/suspicion-hints.test.ts',
    'limit: 4,096 chunks that were asked for are remembered, with one more the oldest may be asked for again',
  ),
  MAX_SUSPICIONS_PER_NODE: tested(
    'test/storage-worker/replication/suspicions.test.ts',
    'limit: 16 chunks of one node are remembered, a 17th is not, until one is shown',
  ),
  MAX_SUSPICIONS: tested(
    'test/storage-worker/replication/suspicions.test.ts',
    'limit: 4,096 are remembered in all, with one more the oldest is forgotten',
  ),
} satisfies Partial<Record<BoundName, unknown>>

const signed = signSample({})
