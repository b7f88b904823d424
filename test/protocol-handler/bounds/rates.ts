import { Bandwidth } from '../../../protocol-handler/bandwidth.ts'
import { ConnectionRates } from '../../../protocol-handler/connection-rates.ts'
import { GossipRates } from '../../../protocol-handler/gossip-rates.ts'
import {
  MAX_CONNECTIONS_AT_ONCE,
  MAX_CONNECTIONS_AT_ONCE_AND_HOST,
  MAX_CONNECTIONS_AT_ONCE_AND_NETWORK,
  MAX_GOSSIP_AT_ONCE,
  MAX_PINGS_AT_ONCE,
  MAX_STATEMENTS_AT_ONCE,
  MAX_STRANGER_STATEMENTS_AT_ONCE,
  MAX_STREAMS_OPENED_AT_ONCE,
} from '../../../protocol-handler/limits.ts'
import { PeerLimits } from '../../../protocol-handler/peer-limits.ts'
import { WorkQueue } from '../../../protocol-handler/work-queue.ts'
import { ManualClock } from '../../clocks.ts'
import { SetClock } from '../../devnet/set-clock.ts'
import { all, type BoundName, tested, tried } from './bound.ts'

function openConnections() {
  const clock = new SetClock()
  const rates = new ConnectionRates(clock)
  return {
    clock,
    rates,
    one: () => rates.admit('a'),
    any: (i: number) => rates.admit(`host ${i}`),
    near: (i: number) => rates.admit(`2001:db8:${i}::`),
  }
}

function openGossip(isStranger = false) {
  const clock = new SetClock()
  const rates = new GossipRates(() => isStranger, clock)
  const hear = (author: string) => rates.admit({ topic: 'announce', author, isDirect: true })
  return { clock, rates, hear }
}

/** One request a second, so that a burst of n seconds is one of n requests. */
function openLimits() {
  const share = { requestsPerSecond: 1, bytesPerSecond: 1e9, openStreams: 1 }
  return new PeerLimits(share, new SetClock())
}

/** Whether a peer for which so much waits is not behind, nobody else being there. */
async function mayWait(bytesPerSecond: number, bytes: number): Promise<boolean> {
  const bandwidth = new Bandwidth({ bytesPerSecond }, new ManualClock(0))
  bandwidth.spend(10 * bytesPerSecond)
  void bandwidth.take('repair', 'a', bytes)
  const isBehind = bandwidth.isBehind('a')
  bandwidth.stop()
  return !isBehind
}

/** Whether all of so many challenges may wait at a time. */
async function mayChallenge(count: number, capacity: number): Promise<boolean> {
  const queue = new WorkQueue({ concurrency: 1, capacity })
  let release = (): void => {}
  const held = queue.add('repair', () => new Promise<void>((resolve) => (release = resolve)))
  const challenges = Array.from({ length: count }, () => queue.add('challenge', async () => undefined))
  release()
  const [, ...ends] = await Promise.allSettled([held, ...challenges])
  return ends.every(({ status }) => status === 'fulfilled')
}

function refusalsLast(before: string, wanted: string, count: number): boolean {
  const limits = openLimits()
  let admission = limits.admit('peer')
  while (admission === 'serve' || admission === before) admission = limits.admit('peer')
  return admission === wanted && all(count - 1, () => limits.admit('peer') === wanted)
}

export const RATES = {
  MAX_CONNECTIONS_AT_ONCE_AND_HOST: tried((count) => all(count, openConnections().one)),
  CONNECTIONS_PER_SECOND_AND_HOST: tried((count) => {
    const { clock, one } = openConnections()
    all(MAX_CONNECTIONS_AT_ONCE_AND_HOST, one)
    clock.timeMs += 1_000
    return all(count, one)
  }),
  CONNECTIONS_PER_FLOOD: tried((count) => {
    const { rates, one } = openConnections()
    rates.onFlood('a')
    all(MAX_CONNECTIONS_AT_ONCE_AND_HOST - count - 1, one)
    return one() && !one()
  }),
  MAX_STREAMS_OPENED_AT_ONCE: tried((count) => openConnections().rates.meterStreams().take(count)),
  STREAMS_OPENED_PER_SECOND: tried((count) => {
    const { clock, rates } = openConnections()
    const streams = rates.meterStreams()
    streams.take(MAX_STREAMS_OPENED_AT_ONCE)
    clock.timeMs += 1_000
    return streams.take(count)
  }),
  MAX_PINGS_AT_ONCE: tried((count) => openConnections().rates.admitPings('a', count * 32)),
  PINGS_PER_SECOND: tried((count) => {
    const { clock, rates } = openConnections()
    rates.admitPings('a', MAX_PINGS_AT_ONCE * 32)
    clock.timeMs += 1_000
    return rates.admitPings('a', count * 32)
  }),
  MAX_CONNECTIONS_AT_ONCE_AND_NETWORK: tried((count) => all(count, openConnections().near)),
  CONNECTIONS_PER_SECOND_AND_NETWORK: tried((count) => {
    const { clock, near } = openConnections()
    all(MAX_CONNECTIONS_AT_ONCE_AND_NETWORK, near)
    clock.timeMs += 1_000
    return all(count, (i) => near(MAX_CONNECTIONS_AT_ONCE_AND_NETWORK + i))
  }),
  MAX_CONNECTIONS_AT_ONCE: tried((count) => all(count, openConnections().any)),
  CONNECTIONS_PER_SECOND: tried((count) => {
    const { clock, any } = openConnections()
    all(MAX_CONNECTIONS_AT_ONCE, any)
    clock.timeMs += 1_000
    return all(count, (i) => any(MAX_CONNECTIONS_AT_ONCE + i))
  }),
  MAX_STATEMENTS_AT_ONCE: tried((count) => {
    const { hear } = openGossip()
    return all(count, () => hear('a') === 'accept')
  }),
  // In ten seconds.
  STATEMENTS_PER_SECOND: tried((perSecond) => {
    const { clock, hear } = openGossip()
    all(MAX_STATEMENTS_AT_ONCE, () => hear('a') === 'accept')
    clock.timeMs += 10_000
    return all(Math.round(10 * perSecond), () => hear('a') === 'accept')
  }, 0.1),
  MAX_IGNORED_STATEMENTS: tried((count) => {
    const { hear } = openGossip()
    all(MAX_STATEMENTS_AT_ONCE, () => hear('a') === 'accept')
    return all(count, () => hear('a') === 'ignore')
  }),
  MAX_STRANGER_STATEMENTS_AT_ONCE: tried((count) => {
    const { hear } = openGossip(true)
    return all(count, (i) => hear(`${i}`) === 'accept')
  }),
  STRANGER_STATEMENTS_PER_SECOND: tried((count) => {
    const { clock, hear } = openGossip(true)
    all(MAX_STRANGER_STATEMENTS_AT_ONCE, (i) => hear(`${i}`) === 'accept')
    clock.timeMs += 1_000
    return all(count, (i) => hear(`later ${i}`) === 'accept')
  }),
  MAX_GOSSIP_AT_ONCE: tried((count) => openGossip().rates.admitFrom('a', count) === 'accept'),
  GOSSIP_PER_SECOND_AND_PEER: tried((count) => {
    const { clock, rates } = openGossip()
    rates.admitFrom('a', MAX_GOSSIP_AT_ONCE)
    clock.timeMs += 1_000
    return rates.admitFrom('a', count) === 'accept'
  }),
  MAX_BURST_SECONDS: tried((seconds) => {
    const limits = openLimits()
    return all(seconds, () => limits.admit('peer') === 'serve')
  }),
  MAX_ANSWERED_REFUSALS: tried((count) => refusalsLast('serve', 'busy', count)),
  MAX_IGNORED_REFUSALS: tried((count) => refusalsLast('busy', 'ignore', count)),
  MAX_WAITING_SECONDS: tried((seconds) => mayWait(1_000, Math.round(seconds * 1_000)), 0.001),
  MAX_WAITING_BYTES: tried((bytes) => mayWait(1e9, bytes)),
  CHALLENGE_SHARE: tried((share) => mayChallenge(Math.round(100 * share), 100), 0.01),
  MAX_ANNOUNCEMENTS_AT_ONCE: tested(
    'test/storage-worker/replication/announcement-board.test.ts',
    'limit: flood: three of a node at once, then one for each of its turns; more cost it, and nothing is decoded',
  ),
  MAX_EXCESS_ANNOUNCEMENTS: tested(
    'test/storage-worker/replication/announcement-board.test.ts',
    'limit: flood: three of a node at once, then one for each of its turns; more cost it, and nothing is decoded',
  ),
} satisfies Partial<Record<BoundName, unknown>>
