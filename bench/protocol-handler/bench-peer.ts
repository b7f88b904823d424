import { sha256 } from '#crypto'
import { systemClock } from '../../daemon/system-clock.ts'
import { PeerLimits } from '../../protocol-handler/peer-limits.ts'
import { PeerNode } from '../../protocol-handler/peer-node.ts'
import { PeerScores } from '../../protocol-handler/peer-scores.ts'
import { WorkQueue } from '../../protocol-handler/work-queue.ts'
import { BENCH_IDENTITY } from '../storage-worker/bench-archive.ts'

/** A node on a free port whose limits nobody reaches. */
export async function openBenchPeer(name: string): Promise<PeerNode> {
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
      limits: new PeerLimits({ requestsPerSecond: 1e6, bytesPerSecond: 1e12, openStreams: 64 }, systemClock),
      queue: new WorkQueue({ concurrency: 4, capacity: 100 }),
      onOffence: (peer, offence) => {
        throw new Error(`${peer}: ${offence}`)
      },
      onFailure: (error) => {
        throw error
      },
    },
  )
}
