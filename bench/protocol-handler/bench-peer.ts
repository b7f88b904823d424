import { sha256 } from '#crypto'
import { systemClock } from '../../daemon/system-clock.ts'
import { ConnectionRates } from '../../protocol-handler/connection-rates.ts'
import { GossipRates } from '../../protocol-handler/gossip-rates.ts'
import { PeerLimits, type PeerShare } from '../../protocol-handler/peer-limits.ts'
import { PeerNode } from '../../protocol-handler/peer-node.ts'
import { PeerScores } from '../../protocol-handler/peer-scores.ts'
import { RefusedPeers } from '../../protocol-handler/refused-peers.ts'
import { WorkQueue, type WorkQueueOptions } from '../../protocol-handler/work-queue.ts'
import { BENCH_IDENTITY } from '../storage-worker/bench-archive.ts'

const ANY_SHARE: PeerShare = { requestsPerSecond: 1e6, bytesPerSecond: 1e12, openStreams: 64 }
const ANY_WORK: WorkQueueOptions = { concurrency: 4, capacity: 100 }

/** A node on a free port; by default nobody reaches its limits. */
export async function openBenchPeer(
  name: string,
  options: {
    readonly share?: PeerShare
    readonly work?: WorkQueueOptions
    /** Default: an offence ends the benchmark. */
    readonly onOffence?: (peer: string, offence: string) => void
  } = {},
): Promise<PeerNode> {
  const { share = ANY_SHARE, work = ANY_WORK, onOffence = fail } = options
  return await PeerNode.start(
    {
      identity: BENCH_IDENTITY,
      seed: sha256(new TextEncoder().encode(name)),
      listen: ['/ip4/127.0.0.1/tcp/0'],
      maxConnections: 50,
      mdns: false,
    },
    {
      scores: new PeerScores(systemClock),
      limits: new PeerLimits(share, systemClock),
      connections: new ConnectionRates(systemClock),
      refused: new RefusedPeers(systemClock),
      rates: new GossipRates(() => false, systemClock),
      queue: new WorkQueue(work, systemClock),
      onOffence,
      onRefused: () => undefined,
      onFailure: (error) => {
        throw error
      },
    },
  )
}

function fail(peer: string, offence: string): never {
  throw new Error(`${peer}: ${offence}`)
}
